"""A run of the reconciliation with a provider: take its list in, compare, keep what differs.

A difference is open from the run that found it to the first that no longer does; its age is how
long nobody has settled it. The newest list of a day counts, so that a provider can correct one.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.model import Side
from tradewright.liquidity.reconciliation.match import match
from tradewright.liquidity.reconciliation.model import Bucket, Execution, Match, TradeLine
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.liquidity.reconciliation"
_AHEAD_MAX, _BEHIND_MAX = timedelta(hours=14), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class TradeBreak:
    """An open difference, with the instant at which it was first found."""

    provider: str
    execution_id: str
    bucket: Bucket
    details: Mapping[str, str]
    opened_at: datetime
    age: timedelta


def import_trades(
    connection: Session, provider: str, day: date, lines: Sequence[TradeLine]
) -> int | None:
    """Keep a provider's list of a UTC day's trades; return how many.

    It is the newest of its day from now on, also where an older one said the same; None when the
    newest already says it.

    Raises:
        InputError: PROVIDER_UNKNOWN; STATEMENT_OF_ANOTHER_DAY.

    """
    provider_id = _provider_id(connection, provider)
    _require_day(day, lines)
    connection.execute(load_queries(_QUERIES)["lock_provider"], {"provider_id": provider_id})
    told = json.dumps([_columns(lines), str(day), provider_id], default=str, sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    row = connection.execute(
        load_queries(_QUERIES)["keep_list"],
        {"provider_id": provider_id, "day": day, "digest": digest},
    ).fetchone()
    if row is None:
        return None
    if lines:
        parameters = {"list_id": row[0], **_columns(lines)}
        connection.execute(load_queries(_QUERIES)["keep_trades"], parameters)
    return len(lines)


def _require_day(day: date, lines: Sequence[TradeLine]) -> None:
    """Refuse a day that has not begun, and lines that are of that day in no zone.

    A provider may cut its days at another hour than midnight in UTC, so that lines lie around it:
    zones are up to 14 hours ahead of UTC and 12 behind. At least one must be of the UTC day, or the
    list is one of the day beside it.
    """
    begins = datetime.combine(day, time(), UTC)
    ends = begins + timedelta(days=1)
    if begins > utc_now():
        raise _of_another_day(day, "That day has not begun.", utc_now().date())
    for line in lines:
        if not begins - _AHEAD_MAX <= line.executed_at < ends + _BEHIND_MAX:
            raise _of_another_day(day, _dated(line), line.executed_at.date())
    if lines and not any(begins <= line.executed_at < ends for line in lines):
        raise _of_another_day(day, _dated(lines[0]), lines[0].executed_at.date())


def _dated(line: TradeLine) -> str:
    return f'"{line.execution_id}" was dealt at {line.executed_at:%Y-%m-%d %H:%M:%S} UTC.'


def _of_another_day(day: date, why: str, other: object) -> InputError:
    return InputError(
        ErrorCode.STATEMENT_OF_ANOTHER_DAY,
        f"the list of trades is not of {day}",
        why=why,
        hint=f"Give the UTC day on which it was traded, such as {other}; nothing was kept.",
        facts={"day": day},
    )


def reconcile(connection: Session, provider: str, *, since: date) -> dict[Bucket, int]:
    """Compare everything dealt since a UTC day; return how many executions are in each bucket.

    What earlier runs found and this one does not is closed; what is new is opened. Open
    differences are compared again however old they are.

    Raises:
        InputError: PROVIDER_UNKNOWN.

    """
    queries = load_queries(_QUERIES)
    scope: dict[str, Any] = {"provider_id": _provider_id(connection, provider), "since": since}
    connection.execute(queries["lock_provider"], scope)
    known = {row[0] for row in connection.execute(queries["open_executions"], scope)}
    scope["ids"] = sorted(known)
    known |= {line.execution_id for line in _lines(connection, scope)}
    scope["ids"] = sorted(known)
    executions = _executions(connection, scope)
    scope["ids"] = sorted(known | {each.execution_id for each in executions})
    days = {row[0] for row in connection.execute(queries["listed_days"], scope)}
    matches = match(executions, _lines(connection, scope), days)
    _keep_breaks(connection, scope, [m for m in matches if m.bucket is not Bucket.MATCHED])
    counts = Counter(each.bucket for each in matches)
    return {bucket: counts[bucket] for bucket in Bucket}


def read_trade_breaks(connection: Session, provider: str | None = None) -> list[TradeBreak]:
    """Return the open differences, the oldest first, of one provider or of all.

    Raises:
        InputError: PROVIDER_UNKNOWN.

    """
    if provider is not None:
        _provider_id(connection, provider)
    rows = connection.execute(load_queries(_QUERIES)["breaks"], {"provider": provider})
    return [TradeBreak(row[0], row[1], Bucket(row[2]), *row[3:]) for row in rows]


def _provider_id(connection: Session, provider: str) -> str:
    query = load_queries(_QUERIES)["provider_id"]
    row = connection.execute(query, {"provider": provider}).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.PROVIDER_UNKNOWN,
            f'liquidity provider "{provider}" is not listed',
            why="Trades are compared with those of a provider of this house.",
            hint="See the providers with tradewright providers list.",
            facts={"provider": provider},
        )
    return str(row[0])


def _columns(lines: Sequence[TradeLine]) -> dict[str, list[Any]]:
    return {
        "execution_ids": [each.execution_id for each in lines],
        "request_ids": [each.request_id for each in lines],
        "symbols": [each.symbol for each in lines],
        "sides": [str(each.side) for each in lines],
        "quantities": [each.quantity for each in lines],
        "prices": [each.price for each in lines],
        "executed": [each.executed_at for each in lines],
    }


def _lines(connection: Session, scope: Mapping[str, Any]) -> list[TradeLine]:
    rows = connection.execute(load_queries(_QUERIES)["lines"], scope).fetchall()
    return [
        TradeLine(
            execution_id=row[0],
            request_id=row[1],
            symbol=row[2],
            side=Side(row[3]),
            quantity=row[4],
            price=row[5],
            executed_at=row[6],
        )
        for row in rows
    ]


def _executions(connection: Session, scope: Mapping[str, Any]) -> list[Execution]:
    rows = connection.execute(load_queries(_QUERIES)["executions"], scope).fetchall()
    return [
        Execution(
            execution_id=row[0],
            symbol=row[1],
            side=Side(row[2]),
            quantity=row[3],
            price=row[4],
            executed_on=row[5],
            is_undecided=row[6],
        )
        for row in rows
    ]


def _keep_breaks(connection: Session, scope: Mapping[str, Any], found: list[Match]) -> None:
    queries = load_queries(_QUERIES)
    parameters = {
        "provider_id": scope["provider_id"],
        "execution_ids": [each.execution_id for each in found],
        "buckets": [str(each.bucket) for each in found],
        "details": [json.dumps(each.details) for each in found],
    }
    connection.execute(queries["close_breaks"], parameters)
    connection.execute(queries["open_breaks"], parameters)
