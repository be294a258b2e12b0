"""Limits as settings: read and set, by verification level and kind, in US dollars.

`limits` measures payments by them. A change holds for the next payment, and is audited by trigger.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import pairwise

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import AMOUNT_MAX, minor_unit, plain
from tradewright.core.ranges import Range, require_ranges, whole
from tradewright.payments.limits import LIMIT_CURRENCY, read_used
from tradewright.payments.model import Limit, PaymentKind
from tradewright.payments.store import read_limit
from tradewright.payments.users import find_user
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.payments"
_LEVEL = {"verification level": whole(0, 4)}
_NAMES = {
    "amount_max": "limit at once",
    "daily_max": "daily limit",
    "rolling_max": "limit of 30 days",
}
"""What the amounts are called, from the one that may be smallest upwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTerms:
    """Largest sum at once, in a UTC day and in 30 days, for a level and kind, in US dollars."""

    kyc_level: int
    kind: PaymentKind
    amount_max: Decimal
    daily_max: Decimal
    rolling_max: Decimal


def list_limits(connection: Session) -> list[LimitTerms]:
    """Return all limits, by level and kind."""
    rows = connection.execute(load_queries(_QUERIES)["limits"]).fetchall()
    return [
        LimitTerms(
            kyc_level=row[0],
            kind=PaymentKind(row[1]),
            amount_max=row[2],
            daily_max=row[3],
            rolling_max=row[4],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTaken:
    """What a user's payments of a kind take of their limit now, and `left` for the next."""

    kind: PaymentKind
    daily_max: Decimal
    daily_taken: Decimal
    rolling_max: Decimal
    rolling_taken: Decimal
    left: Decimal


def taken_by(connection: Session, user_id: str) -> list[LimitTaken]:
    """Return what a user has taken of the limit of each kind; without a limit nothing is left.

    Raises:
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE for coins not counted yet.

    """
    level = find_user(connection, user_id).kyc_level
    return [_taken(connection, user_id, level, kind) for kind in PaymentKind]


def set_limit(
    connection: Session,
    kyc_level: int,
    kind: PaymentKind,
    changes: Mapping[str, Decimal],
) -> LimitTerms:
    """Set the amounts of a limit that are named, and return all; the others stay.

    In the caller's transaction, which says who acts and why. A limit that is new takes all three.

    Raises:
        InputError: PAYMENT_LIMIT_MALFORMED.

    """
    unit = minor_unit(LIMIT_CURRENCY)
    require_ranges(ErrorCode.PAYMENT_LIMIT_MALFORMED, {"verification level": kyc_level}, _LEVEL)
    amounts = {_NAMES[name]: amount for name, amount in changes.items()}
    allowed = Range(Decimal(0), AMOUNT_MAX.quantize(unit, "ROUND_DOWN"), -int(unit.adjusted()))
    require_ranges(
        ErrorCode.PAYMENT_LIMIT_MALFORMED,
        amounts,
        dict.fromkeys(amounts, allowed),
        unit=f" {LIMIT_CURRENCY}",
    )
    terms = _changed(connection, kyc_level, kind, changes)
    _require_rising(terms)
    connection.execute(load_queries(_QUERIES)["set_limit"], asdict(terms))
    return terms


def _taken(connection: Session, user_id: str, level: int, kind: PaymentKind) -> LimitTaken:
    limit = read_limit(connection, level, kind) or Limit(Decimal(0), Decimal(0), Decimal(0))
    used = read_used(connection, user_id, kind)
    left = min(limit.amount_max, limit.daily_max - used.day, limit.rolling_max - used.rolling)
    return LimitTaken(
        kind=kind,
        daily_max=limit.daily_max,
        daily_taken=used.day,
        rolling_max=limit.rolling_max,
        rolling_taken=used.rolling,
        left=max(left, Decimal(0)),
    )


def _changed(
    connection: Session, kyc_level: int, kind: PaymentKind, changes: Mapping[str, Decimal]
) -> LimitTerms:
    """Lock what holds now, and return it with the changes."""
    asked = {"kyc_level": kyc_level, "kind": kind}
    row = connection.execute(load_queries(_QUERIES)["lock_limit"], asked).fetchone()
    now = {} if row is None else dict(zip(_NAMES, row, strict=True))
    amounts = {**now, **changes}
    lacking = [_NAMES[name] for name in _NAMES if name not in amounts]
    if lacking:
        raise InputError(
            ErrorCode.PAYMENT_LIMIT_MALFORMED,
            f"{kind} limit of level {kyc_level} lacks: {', '.join(lacking)}",
            why="None is set yet, so there is nothing that could stay.",
            hint="Give all three: --at-once, --daily and --rolling.",
            facts=asked,
        )
    return LimitTerms(
        kyc_level=kyc_level,
        kind=kind,
        amount_max=amounts["amount_max"],
        daily_max=amounts["daily_max"],
        rolling_max=amounts["rolling_max"],
    )


def _require_rising(terms: LimitTerms) -> None:
    for lower, upper in pairwise(_NAMES):
        least, amount = getattr(terms, lower).normalize(), getattr(terms, upper).normalize()
        if amount < least:
            raise InputError(
                ErrorCode.PAYMENT_LIMIT_MALFORMED,
                f"{_NAMES[upper]} {plain(amount)} {LIMIT_CURRENCY} is below "
                f"{_NAMES[lower]} {plain(least)} {LIMIT_CURRENCY}",
                why="What may be paid in a day is at least what may be paid at once, and in "
                "30 days at least that.",
                hint=f"Give a {_NAMES[upper]} of at least {plain(least)} {LIMIT_CURRENCY}.",
                facts={lower: least, upper: amount},
            )
