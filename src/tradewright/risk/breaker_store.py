"""Where circuit breakers are kept: set up and moved by people or the market, one event each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.money import minor_unit
from tradewright.core.ranges import POSITIVE, Range, require_ranges, whole
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.risk.breakers import Breaker, BreakerKind, BreakerState, Move

_QUERIES = "tradewright.risk"
_QUANTUM = Decimal("0.00000001")
_CODE = re.compile("[a-z0-9_-]{2,32}")
_MEASURES = ("symbol", "threshold", "currency", "window_seconds")
_SHARE = Range(Decimal(0), Decimal(100), is_open=True)
_RANGES = {
    "window_seconds": whole(1, 86_400),
    "reset_seconds": whole(0, 604_800),
    "cooldown_seconds": whole(0, 604_800),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """A breaker to be set up; `threshold` in `currency` or percent, times in market seconds."""

    code: str
    kind: BreakerKind
    symbol: str | None = None
    threshold: Decimal | None = None
    currency: str | None = None
    window_seconds: int | None = None
    reset_seconds: int = 300
    cooldown_seconds: int = 60


def add_breaker(connection: Session, settings: BreakerSettings, *, actor: str, reason: str) -> None:
    """Set a circuit breaker up, armed, in a transaction of its own.

    Raises:
        InputError: BREAKER_MALFORMED, INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.

    """
    columns = {name: getattr(settings, name) for name in BreakerSettings.__slots__}
    is_share = settings.kind in {BreakerKind.ERROR_RATE, BreakerKind.LP_HEALTH}
    ranges = _RANGES | {"threshold": _SHARE if is_share else POSITIVE}
    require_ranges(ErrorCode.BREAKER_MALFORMED, columns, ranges)
    _require_named(settings)
    if settings.currency is not None:
        minor_unit(settings.currency)
    try:
        with connection.transaction():
            connection.execute(
                load_queries(_QUERIES)["add_breaker"],
                {**columns, "actor": actor, "reason": reason},
            )
    except psycopg.Error as error:
        raise translate(error) from error


def _require_named(settings: BreakerSettings) -> None:
    """Refuse a code that is none, and a breaker that cannot measure what it should."""
    if not _CODE.fullmatch(settings.code):
        raise _malformed(
            f'"{settings.code}" is no code of a circuit breaker',
            "A code is 2 to 32 of a-z, 0-9, _ and -.",
            "Choose such a code.",
        )
    told = f'circuit breaker "{settings.code}" of the kind {settings.kind}'
    required, optional = _needs(settings.kind), {"symbol"}
    given = {name for name in _MEASURES if getattr(settings, name) is not None}
    why = f"It needs {', '.join(_spoken(required)) or 'none of what others measure'}."
    if required - given:
        missing = _spoken(required - given)
        raise _malformed(f"{told} lacks {', '.join(missing)}", why, f"Give {', '.join(missing)}.")
    if given - required - optional:
        idle = _spoken(given - required - optional)
        raise _malformed(
            f"{told} has no use for {', '.join(idle)}", why, f"Leave {', '.join(idle)} away."
        )


def _needs(kind: BreakerKind) -> set[str]:
    """Return what a kind of breaker cannot do without."""
    if kind is BreakerKind.MANUAL:
        return set()
    needs = {"threshold", "window_seconds"}
    if kind.is_of_price:
        needs.add("symbol")
    if kind in {BreakerKind.VOLUME, BreakerKind.LOSS}:
        needs.add("currency")
    return needs


def _spoken(names: Iterable[str]) -> list[str]:
    """Return settings as they are given on the command line."""
    return sorted(f"--{name.removesuffix('_seconds')}" for name in names)


def _malformed(what: str, why: str, hint: str) -> InputError:
    return InputError(ErrorCode.BREAKER_MALFORMED, what, why=why, hint=hint)


def move_by_hand(
    connection: Session, code: str, to_state: BreakerState, *, actor: str, reason: str
) -> None:
    """Trigger, reset, disable or enable a breaker by a person's word.

    Raises:
        InputError: BREAKER_UNKNOWN, BREAKER_MALFORMED.
        StateError: BREAKER_MOVED.

    """
    try:
        with connection.transaction():
            breaker = next((b for b in read_breakers(connection) if b.code == code), None)
            if breaker is None:
                raise _unknown(code)
            step = (breaker.seq, breaker.state, to_state)
            is_moved = breaker.state is not to_state and _move(
                connection, breaker.id, step, actor, reason
            )
    except psycopg.Error as error:
        raise translate(error) from error
    if not is_moved:
        raise StateError(
            ErrorCode.BREAKER_MOVED,
            f'circuit breaker "{code}" is {breaker.state} and could not be moved to {to_state}',
            why="It stands there already, or has been moved by somebody else meanwhile.",
            hint="Read it with `tradewright risk breaker list`.",
        )


def _unknown(code: str) -> InputError:
    return InputError(
        ErrorCode.BREAKER_UNKNOWN,
        f'circuit breaker "{code}" does not exist',
        why="A breaker is found by its code.",
        hint="Read them with `tradewright risk breaker list`.",
    )


def move_by_market(connection: Session, move: Move) -> bool:
    """Write what the market has brought about; return whether nobody else has."""
    breaker = move.breaker
    step = (breaker.seq, breaker.state, move.to_state)
    seen = (move.measured.quantize(_QUANTUM), move.market_at)
    return _move(connection, breaker.id, step, "market", move.reason, seen)


def read_breakers(statements: Statements) -> tuple[Breaker, ...]:
    """Return every circuit breaker with its state."""
    rows = statements.execute(load_queries(_QUERIES)["breakers"], {}).fetchall()
    return tuple(
        Breaker(
            id=row[0],
            code=row[1],
            kind=BreakerKind(row[2]),
            symbol=row[3],
            threshold=row[4] or Decimal(0),
            currency=row[5],
            window=timedelta(seconds=row[6] or 0),
            reset=timedelta(seconds=row[7]),
            cooldown=timedelta(seconds=row[8]),
            seq=row[9],
            state=BreakerState(row[10]),
            state_at=row[11],
            reason=row[12],
        )
        for row in rows
    )


def _move(  # noqa: PLR0913, PLR0917 (the columns of an event)
    connection: Session,
    breaker_id: str,
    step: tuple[int, BreakerState, BreakerState],
    actor: str,
    reason: str,
    seen: tuple[Decimal | None, datetime | None] = (None, None),
) -> bool:
    columns = {
        "breaker_id": breaker_id,
        "seq": step[0],
        "from_state": step[1],
        "to_state": step[2],
        "actor": actor,
        "reason": reason,
        "measured": seen[0],
        "market_at": seen[1],
    }
    row = connection.execute(load_queries(_QUERIES)["move_breaker"], columns).fetchone()
    return row is not None
