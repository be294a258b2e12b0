"""What clients let wait for a price: resting orders, trailing stops, and positions' protections.

Orders, stop-losses and take-profits stand in lists sorted by price, so a quote costs the same
whether ten or a hundred thousand rest. A trailing stop is moved here with each quote, and is
written down when it has moved by a tenth of its distance (decision 026). Belongs to `watch`.
"""

from decimal import Decimal

from msgspec.structs import replace

from tradewright.liquidity.board import Top
from tradewright.liquidity.model import Side
from tradewright.trading.model import ClosePosition, MoveStop, OrderType, Origin, TriggerOrder
from tradewright.trading.price_index import PriceIndex
from tradewright.trading.price_lists import Level
from tradewright.trading.rules import trailing_stop
from tradewright.trading.state import OrderState, PositionState

WRITTEN_SHARE = 10
"""A trailing stop is written down when it has moved by its distance divided by this."""

PriceProposal = TriggerOrder | MoveStop | ClosePosition


class OrderWatch:
    """The orders and protections that wait for prices; one thread at a time."""

    def __init__(self) -> None:
        self._index = PriceIndex()
        self._proposals: dict[str, TriggerOrder | ClosePosition] = {}
        self._trailing: dict[str, OrderState] = {}

    def on_price(self, symbol: str, top: Top | None) -> list[PriceProposal]:
        """Return what a price sets off, the nearest trigger first, then the older."""
        return [self._proposed(key) for key in self._index.fired(symbol, top)]

    def unwritten_stops(self) -> list[MoveStop]:
        """Return where the trailing stops stand that have moved since they were written down."""
        return [
            MoveStop(account_id=order.account_id, order_id=order.id, stop_price=stop_price)
            for order in self._trailing.values()
            if (stop_price := self._index.stop_of(order.id)) is not None
            and stop_price != order.stop_price
        ]

    def take_order(self, order: OrderState, *, rests: bool) -> None:
        """Watch an order from now on as it stands, or no longer."""
        trails = order.trailing_distance is not None and order.awaits_trigger
        if not rests or not trails:
            self._forget(order.id)
            self._index.forget(_moving(order.id))
            self._trailing.pop(order.id, None)
        if rests and trails:
            self._follow(order)
        elif rests:
            self._watch(order)

    def take_position(self, position: PositionState) -> None:
        """Watch a position's protections from now on as they stand."""
        is_open, is_long = bool(position.quantity), position.quantity > 0
        closing = Side.SELL if is_long else Side.BUY
        for origin, price, level in (
            (Origin.STOP_LOSS, position.stop_loss, Level.worse_for(closing)),
            (Origin.TAKE_PROFIT, position.take_profit, Level.better_for(closing)),
        ):
            key = f"{origin}:{position.id}"
            self._forget(key)
            if is_open and price is not None:
                self._proposals[key] = ClosePosition(
                    account_id=position.account_id,
                    position_id=position.id,
                    symbol=position.instrument.symbol,
                    origin=origin,
                )
                self._index.watch(key, [(position.instrument.symbol, level, price)])

    def _proposed(self, key: str) -> PriceProposal:
        proposal = self._proposals.get(key)
        if proposal is None:
            return self._moved(self._trailing[key.removeprefix(_moving(""))])
        stop_price = self._index.stop_of(key)
        if isinstance(proposal, TriggerOrder) and stop_price is not None:
            return replace(proposal, stop_price=stop_price)
        return proposal

    def _watch(self, order: OrderState) -> None:
        is_loss = order.awaits_trigger and order.order_type is not OrderType.TAKE_PROFIT
        price = order.stop_price if order.awaits_trigger else order.limit_price
        if price is None:
            return
        level = Level.worse_for(order.side) if is_loss else Level.better_for(order.side)
        self._proposals[order.id] = TriggerOrder(account_id=order.account_id, order_id=order.id)
        self._index.watch(order.id, [(order.instrument.symbol, level, price)])

    def _follow(self, order: OrderState) -> None:
        """Let a trailing stop follow the price from where it stands, or from where it is known."""
        if order.stop_price is None or order.trailing_distance is None:
            return
        place = (order.instrument.symbol, order.side)
        self._index.follow(order.id, place, order.stop_price, order.trailing_distance)
        self._trailing[order.id] = order
        self._proposals[order.id] = TriggerOrder(account_id=order.account_id, order_id=order.id)
        self._await_step(order, order.stop_price)

    def _moved(self, order: OrderState) -> MoveStop:
        """Return where a trailing stop stands, and wait until it has gone on by a step."""
        stop_price = self._index.stop_of(order.id) or Decimal(0)
        self._await_step(order, stop_price)
        return MoveStop(account_id=order.account_id, order_id=order.id, stop_price=stop_price)

    def _await_step(self, order: OrderState, written: Decimal) -> None:
        distance = order.trailing_distance or Decimal(0)
        step = max(order.instrument.price_tick, distance / WRITTEN_SHARE)
        price = trailing_stop(order.side, written, -distance - step)
        level = Level.better_for(order.side)
        self._index.watch(_moving(order.id), [(order.instrument.symbol, level, price)])

    def _forget(self, key: str) -> None:
        self._index.forget(key)
        self._proposals.pop(key, None)


def _moving(order_id: str) -> str:
    """Return the key under which a trailing stop waits to be written down."""
    return f"move:{order_id}"
