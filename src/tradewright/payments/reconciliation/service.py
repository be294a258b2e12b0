"""A run of reconciliation: take statements in, compare, and keep what differs until it is settled.

A difference is open from the run that found it to the first that no longer does; its age is how
long nobody has settled it. `taken` lists statements and withdraws one.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.clearing import CLEARING
from tradewright.payments.model import Provider
from tradewright.payments.reconciliation.match import match
from tradewright.payments.reconciliation.model import Bucket, Match, Recorded, StatementLine
from tradewright.payments.reconciliation.statements import read_statement
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class Break:
    """An open difference, with the instant at which it was first found."""

    kind: str
    reference: str
    bucket: Bucket
    details: Mapping[str, str]
    opened_at: datetime
    age: timedelta


def import_statement(connection: Session, provider: Provider, content: bytes) -> int | None:
    """Keep a statement with its lines; return how many, or None when the file was kept before.

    No line comes between a comparison and what is decided by it: both take turns with this.

    Raises:
        InputError: STATEMENT_UNREADABLE, PAYMENT_PROVIDER_UNKNOWN.

    """
    require_settling(provider)
    form, lines = read_statement(content)
    queries = load_queries("tradewright.payments.reconciliation")
    connection.execute(queries["lock_provider"], {"provider": provider})
    digest = hashlib.sha256(content).hexdigest()
    row = connection.execute(
        queries["keep_statement"], {"provider": provider, "digest": digest, "format": form}
    ).fetchone()
    if row is None:
        return None
    if lines:
        _keep_lines(connection, row[0], lines)
    return len(lines)


def reconcile(connection: Session, provider: Provider, *, since: date) -> dict[Bucket, int]:
    """Compare all that happened since a UTC day; return how many movements are in each bucket.

    What earlier runs found is compared again, however old it is, and closed when it differs no
    more; what is new is opened.

    Raises:
        InputError: PAYMENT_PROVIDER_UNKNOWN.

    """
    require_settling(provider)
    queries = load_queries("tradewright.payments.reconciliation")
    connection.execute(queries["lock_provider"], {"provider": provider})
    matches = compare(connection, provider, since=since)
    _keep_breaks(connection, provider, [m for m in matches if m.bucket is not Bucket.MATCHED])
    counts = Counter(each.bucket for each in matches)
    return {bucket: counts[bucket] for bucket in Bucket}


def compare(connection: Session, provider: Provider, *, since: date) -> list[Match]:
    """Compare all that happened since a UTC day, and whatever differs still; write nothing."""
    recorded = _read_recorded(connection, provider, since)
    parameters = {
        "provider": provider,
        "since": since,
        "kinds": [each.kind for each in recorded],
        "references": [each.reference for each in recorded],
    }
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["lines"], parameters
    )
    return match(recorded, [_statement_line(row) for row in rows])


def read_breaks(connection: Session, provider: Provider | None = None) -> list[Break]:
    """Return the open differences, the oldest first."""
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["breaks"], {"provider": provider}
    )
    return [Break(row[0], row[1], Bucket(row[2]), *row[3:]) for row in rows]


def require_settling(provider: Provider) -> None:
    """Refuse the provider that has no statements.

    Raises:
        InputError: PAYMENT_PROVIDER_UNKNOWN.

    """
    if provider is Provider.DIRECT:
        raise InputError(
            ErrorCode.PAYMENT_PROVIDER_UNKNOWN,
            f'provider "{provider}" has no statements',
            why="Direct payments are booked by the house itself.",
            hint="Name cards or chain.",
        )


def _keep_lines(connection: Session, statement_id: str, lines: list[StatementLine]) -> None:
    parameters = {
        "statement_id": statement_id,
        "kinds": [each.kind for each in lines],
        "references": [each.reference for each in lines],
        "currencies": [each.currency for each in lines],
        "amounts": [each.amount for each in lines],
        "fees": [each.fee for each in lines],
        "days": [each.booked_on for each in lines],
    }
    connection.execute(
        load_queries("tradewright.payments.reconciliation")["keep_lines"], parameters
    )


def _read_recorded(connection: Session, provider: Provider, since: date) -> list[Recorded]:
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["recorded"],
        {"provider": provider, "since": since, "clearing": CLEARING[provider]},
    )
    return [
        Recorded(
            kind=row[0],
            reference=row[1],
            currency=row[2],
            amount=row[3],
            status=row[4],
            is_done=row[5],
            is_booked=row[6],
            ledger_amount=row[7],
            age=row[8],
        )
        for row in rows
    ]


def _statement_line(row: tuple[object, ...]) -> StatementLine:
    names = ("kind", "reference", "currency", "amount", "fee", "booked_on")
    return StatementLine(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]


def _keep_breaks(connection: Session, provider: Provider, found: list[Match]) -> None:
    queries = load_queries("tradewright.payments.reconciliation")
    arrays = {
        "kinds": [each.key.kind for each in found],
        "references": [each.key.reference for each in found],
        "buckets": [str(each.bucket) for each in found],
    }
    details = [json.dumps(each.details) for each in found]
    connection.execute(queries["close_breaks"], {"provider": provider, **arrays})
    connection.execute(queries["open_breaks"], {"provider": provider, **arrays, "details": details})
