"""The demo's traders: who they are and what each of them wants at each of its turns.

A wish is a pure function of the seed, the trader and its turn, and of the prices it sees. It does
not depend on what became of earlier wishes, so an interrupted day can be resumed at any turn and
asks for the same things under the same keys.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.model import (
    CancelOrder,
    Command,
    OrderType,
    SubmitOrder,
    TimeInForce,
)


class Strategy(StrEnum):
    """How a trader trades; kept with each order as its metadata."""

    SCALPER = "scalper"
    SWING = "swing"
    RESTING = "resting"
    GAMBLER = "gambler"


@dataclass(frozen=True, slots=True)
class Trader:
    """One trader: its place, class, leverage, book, first deposit and strategy."""

    number: int
    client_class: ClientClass
    leverage: int
    book: Book
    kyc_level: int
    deposit: int
    strategy: Strategy


class Wish(NamedTuple):
    """A turn's orders and, sometimes, the cancel of an earlier one.

    Two orders are alternatives, or an order with what is to take the trader out of it again.
    """

    orders: tuple[SubmitOrder, ...]
    cancel: CancelOrder | None = None

    @property
    def commands(self) -> list[Command]:
        """Return the commands in the order in which they are sent."""
        return [*self.orders] if self.cancel is None else [self.cancel, *self.orders]


_STRATEGIES = (
    (Strategy.SCALPER, ClientClass.RETAIL, 30, 2, 5_000),
    (Strategy.SWING, ClientClass.RETAIL, 30, 2, 8_000),
    (Strategy.RESTING, ClientClass.PROFESSIONAL, 100, 3, 40_000),
    (Strategy.GAMBLER, ClientClass.PROFESSIONAL, 500, 3, 10_000),
    (Strategy.GAMBLER, ClientClass.RETAIL, 30, 2, 4_000),
)


_BOOKS = (Book.B, Book.B, Book.HYBRID, Book.A)


def make_traders(count: int) -> list[Trader]:
    """Return `count` traders: strategies in turn, of each four one in book A and one hybrid."""
    traders = []
    for number in range(count):
        strategy, client_class, leverage, kyc_level, deposit = _STRATEGIES[
            number % len(_STRATEGIES)
        ]
        book = _BOOKS[number % len(_BOOKS)]
        traders.append(Trader(number, client_class, leverage, book, kyc_level, deposit, strategy))
    return traders


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trader looks at: an instrument and its best prices."""

    instrument: Instrument
    top: Top


def wish_of(trader: Trader, account_id: str, turn: int, seed: int, seen: Seen) -> Wish:
    """Return what a trader wants at its turn, at the prices that it sees."""
    random = _random(seed, trader, turn)
    quantity = _quantity(trader, seen, random)
    kind = random.random()
    market = SubmitOrder(
        account_id=account_id,
        client_order_id=_key(trader, turn),
        symbol=seen.instrument.symbol,
        side=_side(seed, trader, turn),
        quantity=quantity,
        time_in_force=TimeInForce.FOK if kind < 0.1 else TimeInForce.IOC,
        metadata={"strategy": str(trader.strategy)},
    )
    if trader.strategy is Strategy.RESTING and kind < 0.7:
        return Wish(_resting(market, seen, random), _cancel(trader, market, turn, random))
    if trader.strategy is Strategy.SWING and _may_bracket(trader, turn) and kind > 0.4:
        return Wish((market, *_exits(market, seen, random)))
    if trader.strategy is Strategy.SWING or kind > 0.8:
        return Wish((_protected(market, seen, random),))
    return Wish((market,))


def _key(trader: Trader, turn: int) -> str:
    return f"t{trader.number}-{turn}"


def _random(seed: int, trader: Trader, turn: int) -> Random:
    return Random(f"{seed}/{trader.number}/{turn}")  # noqa: S311 (a simulation)


def _side(seed: int, trader: Trader, turn: int) -> Side:
    """Every second turn mostly undoes the one before; gamblers mostly go on in one direction."""
    pair = _random(seed, trader, -1 - turn // 2)
    first = Side.BUY if pair.random() < 0.5 else Side.SELL
    undoes = 0.35 if trader.strategy is Strategy.GAMBLER else 0.9
    return first.opposite if turn % 2 and pair.random() < undoes else first


def _quantity(trader: Trader, seen: Seen, random: Random) -> Decimal:
    """Return a quantity that binds a share of the first deposit as margin, on the step."""
    instrument, top = seen.instrument, seen.top
    share = Decimal(random.randint(2, 12)) / 100
    if trader.strategy is Strategy.GAMBLER:
        share = Decimal(random.randint(25, 60)) / 100
    leverage = min(trader.leverage, instrument.leverage_max)
    price = Decimal(1) if instrument.base_currency == "USD" else top.ask
    units = trader.deposit * leverage * share / price
    steps = (units / instrument.quantity_step).to_integral_value(rounding=ROUND_HALF_EVEN)
    return max(instrument.quantity_min, steps * instrument.quantity_step)


def _may_bracket(trader: Trader, turn: int) -> bool:
    """Return whether a turn opens something, which is there at once to be taken out of again."""
    return trader.book is Book.B and not turn % 2


def _resting(order: SubmitOrder, seen: Seen, random: Random) -> tuple[SubmitOrder, ...]:
    """Turn a market order into a limit behind the price, or stops beyond it."""
    distance = _on_tick(seen.top.ask * Decimal(random.randint(3, 40)) / 100_000, seen.instrument)
    stop = _stop(order, distance, seen)
    limit_price = _on_tick(_price(order.side, seen) - distance * order.side.sign, seen.instrument)
    kind = random.random()
    if kind < 0.5:
        limit = replace(stop, order_type=OrderType.LIMIT, stop_price=None, limit_price=limit_price)
        return (limit,)
    if kind < 0.65:
        return (stop,)
    if kind < 0.8:
        worst = _on_tick(_price(order.side, seen) + 2 * distance * order.side.sign, seen.instrument)
        return (replace(stop, order_type=OrderType.STOP_LIMIT, limit_price=worst),)
    return _either_way(stop, distance, seen)


def _either_way(stop: SubmitOrder, distance: Decimal, seen: Seen) -> tuple[SubmitOrder, ...]:
    """Follow the price whichever way it goes: two stops, of which one cancels the other."""
    group = stop.client_order_id
    other = replace(stop, side=stop.side.opposite, client_order_id=f"{group}-other")
    return replace(stop, oco_group=group), replace(_stop(other, distance, seen), oco_group=group)


def _stop(order: SubmitOrder, distance: Decimal, seen: Seen) -> SubmitOrder:
    """Turn a market order into one that waits until the price has gone that way by a distance."""
    return replace(
        order,
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=_on_tick(_price(order.side, seen) + distance * order.side.sign, seen.instrument),
    )


def _exits(order: SubmitOrder, seen: Seen, random: Random) -> tuple[SubmitOrder, ...]:
    """Return the two ways out of what an order opens: a trailing stop and a take profit."""
    distance = _on_tick(seen.top.ask * Decimal(random.randint(15, 90)) / 100_000, seen.instrument)
    gain = _on_tick(_price(order.side, seen) + 2 * distance * order.side.sign, seen.instrument)
    key = order.client_order_id
    leaving = replace(
        order,
        client_order_id=f"{key}-trail",
        side=order.side.opposite,
        order_type=OrderType.TRAILING_STOP,
        time_in_force=TimeInForce.GTC,
        trailing_distance=distance,
        is_reduce_only=True,
        oco_group=key,
    )
    taking = replace(
        leaving,
        client_order_id=f"{key}-profit",
        order_type=OrderType.TAKE_PROFIT,
        trailing_distance=None,
        stop_price=gain,
    )
    return leaving, taking


def _protected(order: SubmitOrder, seen: Seen, random: Random) -> SubmitOrder:
    """Give an order a stop-loss and a take-profit around the price."""
    distance = _on_tick(seen.top.ask * Decimal(random.randint(15, 90)) / 100_000, seen.instrument)
    away, price = distance * order.side.sign, _price(order.side, seen)
    return replace(
        order,
        stop_loss=_on_tick(price - away, seen.instrument),
        take_profit=_on_tick(price + 2 * away, seen.instrument),
    )


def _price(side: Side, seen: Seen) -> Decimal:
    """Return at which of the two prices a side deals."""
    return seen.top.ask if side is Side.BUY else seen.top.bid


def _cancel(trader: Trader, order: SubmitOrder, turn: int, random: Random) -> CancelOrder | None:
    """Sometimes take back the order of the turn before."""
    if turn == 0 or random.random() > 0.2:
        return None
    return CancelOrder(account_id=order.account_id, client_order_id=_key(trader, turn - 1))


def _on_tick(price: Decimal, instrument: Instrument) -> Decimal:
    ticks = (price / instrument.price_tick).to_integral_value(rounding=ROUND_HALF_EVEN)
    return max(ticks, Decimal(1)) * instrument.price_tick
