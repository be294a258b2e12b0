"""Money: exact decimals with their currency, never floats.

Amounts have at most eight decimals and twelve digits before the point, as `numeric(20, 8)` in
the database. An amount of a currency may not be finer than the currency's minor unit; what is
finer is refused, never rounded. Rounding happens in one place, `round_to_minor_unit`, half to
even, and only where a computed amount is booked.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from tradewright.core.errors import ErrorCode, InputError

AMOUNT_MAX = Decimal("999999999999.99999999")
"""Largest amount that numeric(20, 8) holds."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")

MINOR_UNITS = {
    "AUD": 2,
    "BTC": 8,
    "CAD": 2,
    "CHF": 2,
    "ETH": 8,
    "EUR": 2,
    "GBP": 2,
    "JPY": 0,
    "NZD": 2,
    "USD": 2,
    "XAU": 4,
}
"""Decimals of each currency's smallest unit (ISO 4217; for coins the usual ledger scale)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


@cache
def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of `currency`, such as Decimal("0.01") for USD.

    Raises:
        InputError: INPUT_CURRENCY_UNKNOWN.
    """
    try:
        return Decimal(1).scaleb(-MINOR_UNITS[currency])
    except KeyError:
        known = ", ".join(sorted(MINOR_UNITS))
        raise InputError(
            ErrorCode.INPUT_CURRENCY_UNKNOWN,
            f'unknown currency "{currency}"',
            why="A currency is written with its ISO 4217 code in capitals.",
            hint=f"Use one of {known}.",
            facts={"currency": currency},
        ) from None


def plain(amount: Decimal) -> str:
    """Return an amount as people write it, to its last digit: `100`, not `100.00` or `1E+2`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Round a computed amount half to even to the currency's minor unit, once, at booking."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_EVEN)


def parse_amount(text: str | Decimal, currency: str) -> Money:
    """Read a positive amount of `currency` from text.

    Raises:
        InputError: INPUT_AMOUNT_MALFORMED (no finite number), INPUT_AMOUNT_NOT_POSITIVE,
            INPUT_AMOUNT_OVER_SCALED (finer than the minor unit), INPUT_AMOUNT_TOO_LARGE,
            INPUT_CURRENCY_UNKNOWN.
    """
    unit = minor_unit(currency)
    amount = _finite(text, currency)
    if amount <= 0:
        raise _refusal(
            ErrorCode.INPUT_AMOUNT_NOT_POSITIVE,
            text,
            currency,
            "is not positive",
            "Give an amount greater than zero.",
        )
    if amount > AMOUNT_MAX:
        raise _refusal(
            ErrorCode.INPUT_AMOUNT_TOO_LARGE,
            text,
            currency,
            "is too large",
            f"Give at most {AMOUNT_MAX:f}.",
        )
    if amount % unit:
        raise _refusal(
            ErrorCode.INPUT_AMOUNT_OVER_SCALED,
            text,
            currency,
            f"is finer than the minor unit {unit:f}",
            f"Give a multiple of {unit:f} {currency}; nothing is rounded for you.",
        )
    return Money(amount.quantize(unit), currency)


def is_amount(amount: Decimal, currency: str) -> bool:
    """Tell whether `parse_amount` takes an amount as it is; it says what is wrong with another."""
    digits = MINOR_UNITS.get(currency)
    return (
        digits is not None
        and amount.is_finite()
        and 0 < amount <= AMOUNT_MAX
        and not amount % minor_unit(currency)
    )


def read_number(text: str) -> Decimal | None:
    """Read a number as it is written in digits, or return None.

    Decimal takes more than that: underscores, blanks around it, and the digits of every script.
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _finite(text: str | Decimal, currency: str) -> Decimal:
    amount = read_number(text) if isinstance(text, str) else text
    if amount is None or not amount.is_finite():
        raise _refusal(
            ErrorCode.INPUT_AMOUNT_MALFORMED,
            text,
            currency,
            "is not a finite number",
            "Write digits with a point, such as 125.50.",
        )
    return amount


def _refusal(
    code: ErrorCode, text: str | Decimal, currency: str, problem: str, hint: str
) -> InputError:
    return InputError(
        code,
        f'amount "{text}" {currency} {problem}',
        why="An amount is an exact decimal of its currency, from one minor unit upwards.",
        hint=hint,
        facts={"amount": text, "currency": currency},
    )
