"""Limits as settings: read and set, by verification level, kind and currency.

`limits` measures payments by them. A change holds for the next payment, and is audited by trigger.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import pairwise

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import AMOUNT_MAX, minor_unit, plain
from tradewright.core.ranges import Range, require_ranges, whole
from tradewright.payments.model import PaymentKind
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
    """Largest sum at once, in a UTC day and in 30 days, for a level, kind and currency."""

    kyc_level: int
    kind: PaymentKind
    currency: str
    amount_max: Decimal
    daily_max: Decimal
    rolling_max: Decimal


def list_limits(connection: Session) -> list[LimitTerms]:
    """Return all limits, by level, kind and currency."""
    rows = connection.execute(load_queries(_QUERIES)["limits"]).fetchall()
    return [
        LimitTerms(
            kyc_level=row[0],
            kind=PaymentKind(row[1]),
            currency=row[2],
            amount_max=row[3],
            daily_max=row[4],
            rolling_max=row[5],
        )
        for row in rows
    ]


def set_limit(
    connection: Session,
    kyc_level: int,
    kind: PaymentKind,
    currency: str,
    changes: Mapping[str, Decimal],
) -> LimitTerms:
    """Set the amounts of a limit that are named, and return all; the others stay.

    In the caller's transaction, which says who acts and why. A limit that is new takes all three.

    Raises:
        InputError: PAYMENT_LIMIT_MALFORMED, INPUT_CURRENCY_UNKNOWN.

    """
    unit = minor_unit(currency)
    require_ranges(ErrorCode.PAYMENT_LIMIT_MALFORMED, {"verification level": kyc_level}, _LEVEL)
    amounts = {_NAMES[name]: amount for name, amount in changes.items()}
    allowed = Range(Decimal(0), AMOUNT_MAX.quantize(unit, "ROUND_DOWN"), -int(unit.adjusted()))
    require_ranges(
        ErrorCode.PAYMENT_LIMIT_MALFORMED,
        amounts,
        dict.fromkeys(amounts, allowed),
        unit=f" {currency}",
    )
    terms = _changed(connection, (kyc_level, kind, currency), changes)
    _require_rising(terms)
    connection.execute(load_queries(_QUERIES)["set_limit"], asdict(terms))
    return terms


def _changed(
    connection: Session, key: tuple[int, PaymentKind, str], changes: Mapping[str, Decimal]
) -> LimitTerms:
    """Lock what holds now, and return it with the changes."""
    asked = dict(zip(("kyc_level", "kind", "currency"), key, strict=True))
    row = connection.execute(load_queries(_QUERIES)["lock_limit"], asked).fetchone()
    now = {} if row is None else dict(zip(_NAMES, row, strict=True))
    amounts = {**now, **changes}
    lacking = [_NAMES[name] for name in _NAMES if name not in amounts]
    if lacking:
        raise InputError(
            ErrorCode.PAYMENT_LIMIT_MALFORMED,
            f"{key[1]} limit of level {key[0]} in {key[2]} lacks: {', '.join(lacking)}",
            why="None is set yet, so there is nothing that could stay.",
            hint="Give all three: --at-once, --daily and --rolling.",
            facts=asked,
        )
    return LimitTerms(
        kyc_level=key[0],
        kind=key[1],
        currency=key[2],
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
                f"{_NAMES[upper]} {plain(amount)} {terms.currency} is below "
                f"{_NAMES[lower]} {plain(least)} {terms.currency}",
                why="What may be paid in a day is at least what may be paid at once, and in "
                "30 days at least that.",
                hint=f"Give a {_NAMES[upper]} of at least {plain(least)} {terms.currency}.",
                facts={lower: least, upper: amount, "currency": terms.currency},
            )
