"""Runs the examples of docs/reference/order-types.md: what is asked, what is quoted, what follows.

A block tagged `orders` is a small day of one rich account in EURUSD. Each line is one of:

    at 2026-01-13 21:59:59            the time of the next quote, in UTC
    quote 1.10000 1.10010             bid and ask, one second after the quote before
    a = buy 100000 limit limit_price=1.09900 gtc
    a = buy 100000 limit ... refused ORDER_CODE
    replace a b quantity=120000       names a by its new key b from then on, too
    cancel a                          may be followed by: refused ORDER_CODE
    a: filled 100000 at 1.09890       state, filled, average price
    a: rejected 0 ORDER_CODE          state, filled, why
    a: events new trade               the kinds of its events, in order
    a: stop 1.09500                   where its stop was last written down
    a: dealt taker maker              whose part it had in each of its fills
    amend stop_loss=1.095 take_profit=none  of what is open; may be followed by: refused ORDER_CODE
    position 100000                   what the account holds

An order rests until it is canceled unless a time in force is named; a market order deals at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.floor import Floor, deal, order
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.trading.amendments import AmendPosition, Level
from tradewright.trading.engine import Engine
from tradewright.trading.model import (
    CancelOrder,
    OrderType,
    ReplaceOrder,
    TimeInForce,
    TrailingUnit,
)

_BLOCK = re.compile(r"^```orders\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def examples(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Return the blocks of a page: the heading that each stands under, and its lines."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        heading = _HEADING.findall(text, 0, block.start())[-1]
        yield heading, block["body"].splitlines()


@dataclass(slots=True)
class Example:
    """One block under way."""

    floor: Floor
    engine: Engine
    account: str
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def run(cls, floor: Floor, lines: list[str]) -> None:
        """Run a block's lines, and hold every law at its end."""
        account = floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)
        with floor.engine(eurusd=None) as engine:
            example = cls(floor, engine, account)
            for line in lines:
                example.step(line)
        assert floor.broken_laws() == {}

    def step(self, line: str) -> None:
        """Do what one line says, or compare what it says with what is there."""
        words = line.split()
        match words:
            case ["at", *instant]:
                moment = datetime.fromisoformat(" ".join(instant)).replace(tzinfo=UTC)
                self.floor.now = moment - timedelta(seconds=1)
            case ["quote", bid, ask]:
                self.floor.quote(self.engine, "EURUSD", bid, ask)
            case [name, "stop", stop]:
                key = self.ids[name.removesuffix(":")]
                found = self.floor.one("SELECT stop_price FROM orders WHERE id = %s", key)
                assert found == Decimal(stop), (line, found)
            case ["position", quantity]:
                assert self.floor.position(self.account) == Decimal(quantity), line
            case [*asked, "refused", code]:
                assert self._refusal(asked) == code, line
            case [name, "dealt", *parts]:
                assert self._parts(name.removesuffix(":")) == parts, line
            case [name, "events", *kinds]:
                assert self._events(name.removesuffix(":")) == kinds, line
            case [name, *told] if name.endswith(":"):
                assert self._state(name.removesuffix(":"), told) == told, line
            case _:
                self._ask(words)

    def _ask(self, words: list[str]) -> None:
        match words:
            case [name, "=", side, quantity, order_type, *more]:
                fields = _fields(OrderType(order_type), more)
                submit = order(self.account, Side(side), quantity, client_order_id=name, **fields)
                self.ids[name] = deal(self.engine, submit).order_id
            case ["replace", name, key, *more]:
                changed = {field: Decimal(value) for field, value in _pairs(more)}
                replacement = ReplaceOrder(
                    account_id=self.account,
                    client_order_id=name,
                    new_client_order_id=key,
                    **changed,
                )
                deal(self.engine, replacement)
            case ["amend", *levels]:
                asked = {name: _level(value) for name, value in _pairs(levels)}
                self.engine.submit(self._amendment(**asked)).result(30)
            case ["cancel", name]:
                deal(self.engine, CancelOrder(account_id=self.account, client_order_id=name))
            case _:
                raise AssertionError(f"not a line of an example: {' '.join(words)}")

    def _amendment(self, **levels: Level) -> AmendPosition:
        """Return an amendment of the newest position."""
        position_id = self.floor.one(
            "SELECT id::text FROM positions WHERE account_id = %s ORDER BY id DESC LIMIT 1",
            self.account,
        )
        return AmendPosition(
            account_id=self.account,
            amendment_id=new_id_text(),
            position_id=position_id,
            symbol="EURUSD",
            **levels,
        )

    def _refusal(self, words: list[str]) -> str:
        try:
            self._ask(words)
        except TradewrightError as error:
            return str(error.code)
        return "accepted"

    def _state(self, name: str, told: list[str]) -> list[str]:
        """Return what became of an order, in as many words as the example has."""
        status, filled, price, code = self.floor.rows(
            "SELECT status, filled_quantity, average_price, refusal_code FROM orders WHERE id = %s",
            self.ids[name],
        )[0]
        at = [] if price is None else ["at", f"{price.normalize():f}".ljust(7, "0")]
        return [status, f"{filled:.0f}", *at, *([code] if code else [])][: max(1, len(told))]

    def _parts(self, name: str) -> list[str]:
        rows = self.floor.rows(
            "SELECT is_maker FROM order_fills WHERE order_id = %s ORDER BY id", self.ids[name]
        )
        return ["maker" if is_maker else "taker" for (is_maker,) in rows]

    def _events(self, name: str) -> list[str]:
        rows = self.floor.rows(
            "SELECT event_type FROM order_events WHERE order_id = %s ORDER BY seq", self.ids[name]
        )
        return [row[0] for row in rows]


def _level(said: str) -> Decimal | None:
    return None if said == "none" else Decimal(said)


def _pairs(words: list[str]) -> list[list[str]]:
    return [word.split("=") for word in words]


def _fields(order_type: OrderType, words: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "order_type": order_type,
        "time_in_force": TimeInForce.IOC if order_type is OrderType.MARKET else TimeInForce.GTC,
    }
    for word in words:
        name, _, value = word.partition("=")
        if name == "expires_at":
            fields[name] = datetime.fromisoformat(value)
        elif name == "trailing_unit":
            fields[name] = TrailingUnit(value)
        elif name in {"reduce_only", "post_only"}:
            fields[f"is_{name}"] = True
        elif value:
            fields[name] = value
        else:
            fields["time_in_force"] = TimeInForce(name)
    return fields
