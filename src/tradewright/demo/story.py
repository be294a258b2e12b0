"""What happened on the day that is worth telling: a short list of the notable things, each named.

Of each kind of thing the largest, longest or first is taken, so that a stranger reads what the
house did and with what figures; the summary counts them all. Times are the market's own.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, assert_never

from tradewright.core.trading_day import end_of_day
from tradewright.demo.model import Happening
from tradewright.risk.breakers import BreakerKind

Rows = Callable[[str], Sequence[tuple[Any, ...]]]
"""Answers a named query about the day's accounts."""

HOUSE = "the house"

EVERYTHING = "all symbols"
"""What a breaker stops that is set up for no one instrument."""


def notable(rows: Rows) -> tuple[Happening, ...]:
    """Return what is worth telling, in the order in which it happened."""
    told = [
        *_breakers(rows),
        *_orders(rows),
        *_pairs(rows),
        *_calls(rows),
        *_stop_outs(rows),
        *_hedges(rows),
        *_swaps(rows),
    ]
    return tuple(sorted(told, key=lambda one: one.at))


def _orders(rows: Rows) -> list[Happening]:
    told = []
    for at, place, kind, side, quantity, symbol, price, awaited in rows("notable_orders"):
        word = "limit" if kind == "limit" else "stop"
        dealt = f"{_dealt(side)} {_number(quantity)} {symbol} at {_price(price)}"
        what = "limit order filled" if kind == "limit" else f"{_words(kind)} triggered"
        told.append(Happening(at, _trader(place), what, f"{dealt}, {word} {_price(awaited)}"))
    return told


def _pairs(rows: Rows) -> list[Happening]:
    return [
        Happening(
            at,
            _trader(place),
            "one cancels other",
            f"{symbol}: {_words(kind)} dealt, {_words(other)} canceled",
        )
        for at, place, kind, symbol, other in rows("decided_pairs")
    ]


def _calls(rows: Rows) -> list[Happening]:
    told = []
    for at, resolved_at, place, level, equity, used, currency in rows("weathered_calls"):
        figures = f"level {level:.1f} %: equity {equity:,.2f}, bound {used:,.2f} {currency}"
        told.append(Happening(at, _trader(place), "margin call", figures))
        after = f"after {_duration(resolved_at - at)}"
        told.append(Happening(resolved_at, _trader(place), "margin call resolved", after))
    return told


def _stop_outs(rows: Rows) -> list[Happening]:
    told = []
    for at, place, level, equity, closed, canceled, forgiven, currency in rows("notable_stop_outs"):
        if level is not None:
            done = f"{closed} closed" + (f", {canceled} canceled" if canceled else "")
            figures = f"level {level:.1f} %, equity {equity:,.2f} {currency}, {done}"
            told.append(Happening(at, _trader(place), "stop-out", figures))
        if forgiven:
            owed = f"{forgiven:,.2f} {currency}, a retail client's debt"
            told.append(Happening(at, _trader(place), "negative balance forgiven", owed))
    return told


def _breakers(rows: Rows) -> list[Happening]:
    told = []
    for at, symbol, kind, state, measured, currency, window in rows("breaker_moves"):
        figures = _measured(BreakerKind(kind), measured, currency, window)
        if state == "triggered":
            figures += ", nothing is opened"
        words = {"armed": "armed again"}.get(state, _words(state))
        told.append(Happening(at, symbol or EVERYTHING, f"breaker {words}", figures))
    return told


def _measured(kind: BreakerKind, measured: Decimal, currency: str | None, window: int) -> str:
    """Return in words what a breaker of a kind has measured."""
    percent, within = f"{measured:.2f} %", f"within {window} s"
    match kind:
        case BreakerKind.PRICE_MOVEMENT:
            return f"moved by {percent} {within}"
        case BreakerKind.VOLATILITY:
            return f"volatility of {percent} a year {within}"
        case BreakerKind.VOLUME:
            return f"clients dealt {measured:,.2f} {currency} {within}"
        case BreakerKind.LOSS:
            return f"the house lost {measured:,.2f} {currency} {within}"
        case BreakerKind.ERROR_RATE:
            return f"providers rejected {percent} {within}"
        case BreakerKind.LP_HEALTH:
            return f"{percent} of the providers gave no price {within}"
        case BreakerKind.MANUAL:
            raise AssertionError("the market moves no breaker that measures nothing")
        case _:
            assert_never(kind)


def _hedges(rows: Rows) -> list[Happening]:
    return [
        Happening(
            at,
            HOUSE,
            "hedge",
            f"{_dealt(side)} {_number(quantity)} {symbol}, exposed by {_number(exposure)}",
        )
        for at, side, quantity, symbol, exposure in rows("notable_hedge")
    ]


def _swaps(rows: Rows) -> list[Happening]:
    told = []
    for on, place, symbol, quantity, days, amount, currency in rows("notable_swaps"):
        held = f"{'long' if quantity > 0 else 'short'} {_number(abs(quantity))} {symbol}"
        what = "swap earned" if amount > 0 else "swap paid"
        figures = f"{abs(amount):,.2f} {currency} for {held} over {_count(days, 'day')}"
        told.append(Happening(end_of_day(on), _trader(place), what, figures))
    return told


def _trader(place: int) -> str:
    return f"trader {place - 1}"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _dealt(side: str) -> str:
    return "bought" if side == "buy" else "sold"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _number(quantity: Decimal) -> str:
    return f"{quantity.normalize():,f}"


def _price(price: Decimal) -> str:
    return f"{price.normalize():f}"


def _duration(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
