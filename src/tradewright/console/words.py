"""How facts are written on a page: exact amounts, times in UTC, identifiers that are short.

Pure; `templates` uses these as filters.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.core.money import MINOR_UNITS, round_to_minor_unit

DASH = "–"  # noqa: RUF001 (what a table shows where nothing is)


def amount(value: Decimal | None, currency: str | None = None) -> str:
    """Write an exact number with commas; of a currency, with at least its usual decimals."""
    if value is None:
        return DASH
    least = MINOR_UNITS.get(currency or "", 0)
    number = value.normalize()
    exponent = number.as_tuple().exponent
    places = max(least, -exponent) if isinstance(exponent, int) else least
    return f"{number:,.{places}f}".replace("-", "−")  # noqa: RUF001 (a minus as wide as a digit)


def money(value: Decimal | None, currency: str) -> str:
    """Write an exact amount with its currency, which a break never parts."""
    return DASH if value is None else f"{amount(value, currency)}\u00a0{currency}"


def rounded(value: Decimal, currency: str) -> str:
    """Write a computed amount as it would be booked, with its currency."""
    return money(round_to_minor_unit(value, currency), currency)


def share(value: Decimal | None) -> str:
    """Write a percentage with two decimals; what is cut off is no money."""
    return DASH if value is None else f"{value:,.2f}\u00a0%".replace("-", "−")  # noqa: RUF001


def instant(value: datetime | None) -> str:
    """Write a time of UTC to the second."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def span(value: timedelta | float | None) -> str:
    """Write how long something took or has lasted: the two largest units."""
    if value is None:
        return DASH
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def short(identifier: str) -> str:
    """Shorten a UUID to its time and its end, which tell rows apart."""
    return f"{identifier[:8]}…{identifier[-6:]}" if len(identifier) > 20 else identifier


def values(facts: object) -> str:
    """Write the values of a record as JSON on a line, amounts as texts."""
    return json.dumps(facts, default=_plain, ensure_ascii=False, separators=(", ", ": "))


def spoken(name: str) -> str:
    """Write a code as words: `margin_call` is `margin call`."""
    return name.replace("_", " ")


def _plain(fact: object) -> str:
    return f"{fact:f}" if isinstance(fact, Decimal) else str(fact)
