"""Where limits and halts are kept: set and lifted by a named actor, and read for the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import minor_unit
from tradewright.core.ranges import NOT_NEGATIVE, require_ranges
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.risk.halts import Halt, HaltBook, HaltMode
from tradewright.risk.limits import (
    MONEY_KINDS,
    Limit,
    LimitBook,
    LimitKind,
    Scope,
    Target,
)

_QUERIES = "tradewright.risk"


@dataclass(frozen=True, slots=True)
class KeptBreach:
    """An order that a limit denied, as it is listed."""

    occurred_at: datetime
    kind: str
    scope: str
    target: str | None
    account_id: str
    symbol: str
    client_order_id: str
    limit_value: Decimal
    measured: Decimal


def set_limit(connection: Session, limit: Limit, *, actor: str) -> str:
    """Set a limit, or change the one that is set for the same; return its id.

    Works in a transaction of its own; holds for every batch that begins afterwards.

    Raises:
        InputError: RISK_LIMIT_MALFORMED, ACCOUNT_UNKNOWN, ACCOUNT_GROUP_UNKNOWN,
            INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.

    """
    _require_measurable(limit)
    columns = {
        "kind": limit.kind,
        "scope": limit.target.scope,
        "target": limit.target.name,
        "value": limit.value,
        "currency": limit.currency,
    }
    try:
        with connection.transaction():
            acting_as(connection, actor)
            row = connection.execute(load_queries(_QUERIES)["set_limit"], columns).fetchone()
    except psycopg.Error as error:
        raise translate(error) from error
    if row is None:
        raise AssertionError("INSERT ... RETURNING gives a row")
    return str(row[0])


def _require_measurable(limit: Limit) -> None:
    """Refuse a limit without its currency, with one that it does not have, or out of range."""
    value = {f"limit {limit.kind}": limit.value}
    ranges = dict.fromkeys(value, NOT_NEGATIVE)
    require_ranges(ErrorCode.RISK_LIMIT_MALFORMED, value, ranges)
    is_money = limit.kind in MONEY_KINDS
    if is_money is (limit.currency is None):
        raise InputError(
            ErrorCode.RISK_LIMIT_MALFORMED,
            f"a limit {limit.kind} of {limit.value:f} cannot be "
            + ("without a currency" if is_money else f"in {limit.currency}"),
            why=f"In money are: {', '.join(sorted(MONEY_KINDS))}.",
            hint="Give --currency." if is_money else "Leave --currency away.",
            facts={"kind": limit.kind, "currency": limit.currency},
        )
    if limit.currency is not None:
        minor_unit(limit.currency)


def clear_limit(connection: Session, kind: LimitKind, target: Target, *, actor: str) -> None:
    """Let a limit hold no longer; its row stays for the breaches that name it.

    Raises:
        InputError: RISK_LIMIT_UNKNOWN.

    """
    columns = {"kind": kind, "scope": target.scope, "target": target.name}
    with connection.transaction():
        acting_as(connection, actor)
        row = connection.execute(load_queries(_QUERIES)["clear_limit"], columns).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.RISK_LIMIT_UNKNOWN,
            f"no limit {kind} is set for {target.scope} {target.name or ''}".rstrip(),
            why="A limit is found by its kind and by what it holds for.",
            hint="Read the limits with `tradewright risk limit list`.",
        )


def read_limits(statements: Statements) -> tuple[Limit, ...]:
    """Return every limit that is set."""
    rows = statements.execute(load_queries(_QUERIES)["limits"], {}).fetchall()
    return tuple(
        Limit(
            id=row[0],
            kind=LimitKind(row[1]),
            target=Target(Scope(row[2]), row[3]),
            value=row[4].normalize(),
            currency=row[5],
        )
        for row in rows
    )


def read_limit_book(statements: Statements) -> LimitBook:
    """Return every limit that is set, to be asked order by order."""
    return LimitBook(read_limits(statements))


def set_halt(
    connection: Session, mode: HaltMode, target: Target, *, actor: str, reason: str
) -> None:
    """Halt trading; when this returns, nothing is opened any more under the target.

    Works in a transaction of its own; a kill takes the place of a reduce-only for the same. Orders
    that rest are canceled by `trading.kill_switch`.

    Raises:
        InputError: TRADING_HALT_MALFORMED, ACCOUNT_UNKNOWN, ACCOUNT_GROUP_UNKNOWN,
            INSTRUMENT_UNKNOWN.
        StateError: TRADING_HALT_EXISTS.

    """
    columns = {
        "mode": mode,
        "scope": target.scope,
        "target": target.name,
        "actor": actor,
        "reason": reason,
    }
    _require_words(actor, reason)
    try:
        with connection.transaction():
            acting_as(connection, actor)
            if mode is HaltMode.HALTED:
                connection.execute(load_queries(_QUERIES)["end_reduce_only"], columns)
            connection.execute(load_queries(_QUERIES)["set_halt"], columns)
    except psycopg.Error as error:
        raise translate(error) from error


AUTO_BLOCK = "auto-block"
"""Who blocks an account of which limits have denied too many orders."""


def block_denied(connection: Session, account_ids: Sequence[str]) -> list[str]:
    """Let accounts only reduce of which limits have denied more orders than `denial_rate` allows.

    Works in a transaction of its own; returns those that it has blocked, each once, whoever asks.
    A person resumes them with `lift_halt`, and what was denied before counts no more.
    """
    with connection.transaction():
        acting_as(connection, AUTO_BLOCK)
        query = load_queries(_QUERIES)["block_denied_accounts"]
        rows = connection.execute(query, {"account_ids": list(account_ids)}).fetchall()
    return [row[0] for row in rows]


def lift_halt(connection: Session, target: Target, *, actor: str, reason: str) -> None:
    """Resume trading for what was halted.

    Raises:
        InputError: TRADING_HALT_UNKNOWN, TRADING_HALT_MALFORMED.

    """
    _require_words(actor, reason)
    columns = {"scope": target.scope, "target": target.name, "actor": actor, "reason": reason}
    with connection.transaction():
        acting_as(connection, actor)
        row = connection.execute(load_queries(_QUERIES)["lift_halt"], columns).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.TRADING_HALT_UNKNOWN,
            f"trading is not halted for {target.scope} {target.name or ''}".rstrip(),
            why="A halt is found by what it holds for; a wider one is resumed by itself.",
            hint="Read the halts with `tradewright risk halts`.",
        )


def read_halts(statements: Statements) -> tuple[Halt, ...]:
    """Return every halt in force, the oldest first."""
    rows = statements.execute(load_queries(_QUERIES)["halts"], {}).fetchall()
    return tuple(
        Halt(
            mode=HaltMode(row[0]),
            target=Target(Scope(row[1]), row[2]),
            set_by=row[3],
            reason=row[4],
            set_at=row[5],
        )
        for row in rows
    )


def read_halt_book(statements: Statements) -> HaltBook:
    """Return every halt in force, to be asked order by order."""
    return HaltBook(read_halts(statements))


def _require_words(actor: str, reason: str) -> None:
    if actor.strip() and reason.strip():
        return
    raise InputError(
        ErrorCode.TRADING_HALT_MALFORMED,
        f'a halt was to be set or lifted by "{actor}" for the reason "{reason}"',
        why="Who stops or resumes trading says who they are and why; it is kept.",
        hint="Give an actor and a reason.",
    )


def read_breaches(connection: Session, *, count_max: int) -> list[KeptBreach]:
    """Return the newest orders that a limit has denied."""
    rows = connection.execute(load_queries(_QUERIES)["breaches"], {"count_max": count_max})
    return [KeptBreach(*row) for row in rows]
