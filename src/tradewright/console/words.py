"""How facts are written on a page: exact amounts, times in UTC, identifiers that are short.

Pure; `templates` uses these as filters. What is marked as HTML was escaped here, part by part.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from tradewright.core.money import MINOR_UNITS, round_to_minor_unit

_NAME_MAX = 60
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

DASH = "–"  # noqa: RUF001 (what a table shows where nothing is)


def amount(value: Decimal | int | None, currency: str | None = None) -> str:
    """Write an exact number with commas; of a currency, with at least its usual decimals."""
    if value is None:
        return DASH
    least = MINOR_UNITS.get(currency or "", 0)
    number = Decimal(value).normalize()
    exponent = number.as_tuple().exponent
    places = max(least, -exponent) if isinstance(exponent, int) else least
    return f"{number:,.{places}f}".replace("-", "−")  # noqa: RUF001 (a minus as wide as a digit)


def money(value: Decimal | None, currency: str) -> str:
    """Write an exact amount with its currency, which a break never parts."""
    return DASH if value is None else f"{amount(value, currency)}\u00a0{currency}"


def quantity(value: Decimal | None, unit: str) -> str:
    """Write how much is traded with its unit: a quantity of dollars has no cents of its own."""
    return DASH if value is None else f"{amount(value)}\u00a0{unit}"


def price(value: Decimal | None, tick: Decimal | None) -> str:
    """Write an exact price with the decimals of its instrument's tick at least."""
    if value is None:
        return DASH
    number, least = value.normalize(), Decimal(0) if tick is None else tick.normalize()
    places = max(0, *(-int(one.as_tuple().exponent) for one in (number, least)))
    return f"{number:,.{places}f}".replace("-", "−")  # noqa: RUF001 (a minus as wide as a digit)


def rounded(value: Decimal, currency: str) -> str:
    """Write a computed amount as it would be booked, with its currency."""
    return money(round_to_minor_unit(value, currency), currency)


def cents(value: Decimal, currency: str) -> str:
    """Write a computed amount as it would be booked, where a column says the currency."""
    return amount(round_to_minor_unit(value, currency), currency)


def percent(value: Decimal | None) -> str:
    """Write a percentage with two decimals, where a column says that it is one."""
    return DASH if value is None else f"{value:,.2f}".replace("-", "−")  # noqa: RUF001


def share(value: Decimal | None) -> str:
    """Write a percentage with two decimals; what is cut off is no money."""
    return DASH if value is None else f"{percent(value)}\u00a0%"


def instant(value: datetime | None) -> str:
    """Write a time of UTC to the second."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def moment(value: datetime | None) -> str:
    """Write a time of UTC to the millisecond, which tells the steps of an order apart."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"


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


def lapse(value: timedelta) -> str:
    """Write how long steps took: in milliseconds below ten seconds, else as a span."""
    milliseconds = value / timedelta(milliseconds=1)
    return span(value) if milliseconds >= 10_000 else f"{milliseconds:,.1f} ms"


def figure(value: float) -> str:
    """Write a measured number, which is no money, with two decimals where it has any."""
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return text.replace("-", "−")  # noqa: RUF001


def short(identifier: str) -> str:
    """Shorten a UUID to its time and its end, which tell rows apart; other names at their end."""
    if _UUID.fullmatch(identifier):
        return f"{identifier[:8]}…{identifier[-6:]}"
    return identifier if len(identifier) <= _NAME_MAX else f"{identifier[:_NAME_MAX]}…"


def values(facts: object) -> str:
    """Write the values of a record as JSON on a line, amounts as texts."""
    return json.dumps(facts, default=_plain, ensure_ascii=False, separators=(", ", ": "))


def step(event: Mapping[str, Any], tick: Decimal | None) -> str:
    """Tell a step of an order in a sentence."""
    kind, told = event["event_type"], _STEPS.get(event["event_type"])
    if kind == "trade":
        dealt = f"{amount(event['quantity'])} dealt at {price(event['price'], tick)}"
        is_rest = event["to_status"] == "partially_filled"
        return dealt + ("; the rest still works." if is_rest else "; with that it is filled.")
    if kind == "rejected" and event["code"]:
        return f"Refused: {reason(event['code'])}."
    if kind == "restated" and event["stop_price"] is not None:
        return f"Its stop was moved to {price(event['stop_price'], tick)}."
    return told or f"{spoken(kind).capitalize()}."


_STEPS: Mapping[str, str] = {
    "pending_new": "Taken, and passed on: it waits for its provider's word.",
    "new": "Accepted: it works from here on.",
    "triggered": "The market reached its stop: it works as what it becomes then.",
    "restated": "Stated anew, as the house now holds it.",
    "replaced": "Replaced as was asked.",
    "pending_cancel": "Asked to be canceled; that waits for its provider's word.",
    "pending_replace": "Asked to be replaced; that waits for its provider's word.",
    "canceled": "Canceled: what was left of it is dealt no more.",
    "rejected": "Refused.",
    "expired": "Its time was over.",
}


def gist(facts: Mapping[str, object]) -> str:
    """Write what matters most of a record: what an update changed, or a row's first known facts."""
    changed = {name: each for name, each in facts.items() if isinstance(each, list)}
    if changed and len(changed) == len(facts):
        told = [name for name in changed if name not in _KEPT_BY_ITSELF][:_GIST_MAX]
        pairs = (f"{name}: {_word(changed[name][0])} → {_word(changed[name][-1])}" for name in told)
        return ", ".join(pairs) or f"{len(facts)} values"
    known = [name for name in _TOLD_FIRST if facts.get(name) is not None][:_GIST_MAX]
    words = ", ".join(f"{spoken(name)} {_word(facts[name])}" for name in known)
    return words or f"{len(facts)} values"


_GIST_MAX = 3
_KEPT_BY_ITSELF = frozenset({"revision", "updated_at", "version"})
_TOLD_FIRST = (
    *("status", "to_status", "amount", "currency", "quantity", "price", "realised_pnl"),
    *("risk_score", "role", "mode", "kind", "email", "code", "symbol", "reason"),
)


def _word(fact: object) -> str:
    if isinstance(fact, Decimal):
        return amount(fact)
    text = "nothing" if fact is None else str(fact)
    return amount(Decimal(text)) if _AMOUNT.fullmatch(text) else short(text)


_AMOUNT = re.compile(r"-?[0-9]{1,30}\.[0-9]{1,12}")
"""How the database writes a numeric as JSON text."""


def plain(fact: object) -> str:
    """Write a fact of a setting: an exact number, yes or no, or a word."""
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    if isinstance(fact, (int, Decimal)):
        return amount(Decimal(fact))
    return DASH if fact is None else short(str(fact))


def linked(text: str, root: str) -> Markup:
    """Write a text of the house with the ids in it as short links to what they are of."""
    parts, ends = [], 0
    for found in _UUID.finditer(text):
        place = f"{root}/find?text={found[0]}"
        parts += [
            escape(text[ends : found.start()]),
            _LINK.format(place, found[0], short(found[0])),
        ]
        ends = found.end()
    return Markup("").join([*parts, escape(text[ends:])])


_LINK = Markup('<a class="id" href="{}" title="{}">{}</a>')


def reason(code: str) -> str:
    """Write a code of refusal as words: `ORDER_MARGIN_INSUFFICIENT` is `margin insufficient`."""
    return spoken(code.removeprefix("ORDER_").lower())


def spoken(name: str) -> str:
    """Write a code as words: `margin_call` is `margin call`."""
    return name.replace("_", " ")


def _plain(fact: object) -> str:
    return f"{fact:f}" if isinstance(fact, Decimal) else str(fact)
