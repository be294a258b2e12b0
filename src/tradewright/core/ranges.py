"""Ranges: what a number of a setting may be, and the words for one that it may not.

Constraints of the database keep the same bounds; here they are told before anything is written,
with the value that was given. What is finer than a column keeps is refused, never rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import AMOUNT_MAX

_DIGITS_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high` with at most `decimals` decimals; above `low` when open."""

    low: Decimal
    high: Decimal
    decimals: int = 8
    is_open: bool = False

    def __str__(self) -> str:
        begin = f"above {self.low:f}" if self.is_open else f"{self.low:f}"
        return f"{begin} to {self.high:f}"

    def holds(self, number: Decimal) -> bool:
        """Return whether a number is neither too small nor too large."""
        if not number.is_finite():
            return False
        return self.low < number <= self.high if self.is_open else self.low <= number <= self.high

    def keeps(self, number: Decimal) -> bool:
        """Return whether a number of this range is kept as it is, without rounding."""
        return not number % Decimal(1).scaleb(-self.decimals)


def whole(low: int, high: int) -> Range:
    """Return the range of the whole numbers from one to another."""
    return Range(Decimal(low), Decimal(high), decimals=0)


NOT_NEGATIVE = Range(Decimal(0), AMOUNT_MAX)
POSITIVE = Range(Decimal(0), AMOUNT_MAX, is_open=True)
SIGNED = Range(-AMOUNT_MAX, AMOUNT_MAX)
PERCENT = whole(0, 100)


def require_ranges(
    code: ErrorCode,
    numbers: Mapping[str, Decimal | int | None],
    ranges: Mapping[str, Range],
    *,
    unit: str = "",
) -> None:
    """Refuse the first number that is not in the range of its name; None is not looked at.

    Raises:
        InputError: with `code`, the number, and what it may be.

    """
    for name, number in numbers.items():
        if number is not None and name in ranges:
            _require(code, name.replace("_", " "), Decimal(number), ranges[name], unit)


def _require(code: ErrorCode, name: str, number: Decimal, allowed: Range, unit: str) -> None:
    facts = {"name": name, "value": number, "allowed": allowed}
    if not allowed.holds(number):
        raise InputError(
            code,
            f"{name} {_shown(number)}{unit} is out of range",
            why=f"It may be {allowed}{unit}.",
            hint="Give a number in this range.",
            facts=facts,
        )
    if not allowed.keeps(number):
        raise InputError(
            code,
            f"{name} {_shown(number)}{unit} has too many decimals",
            why=f"At most {allowed.decimals} are kept, and nothing is rounded.",
            hint=f"Give it with at most {allowed.decimals} decimals.",
            facts=facts,
        )


def _shown(number: Decimal) -> str:
    """Write a number without an exponent, unless that would fill the screen."""
    if abs(number.adjusted()) >= _DIGITS_SHOWN_MAX:
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
