"""What clients let wait for a price: resting orders, trailing stops, and positions' protections.

Orders, stop-losses and take-profits stand in lists sorted by price, so a quote costs the same
whether ten or a hundred thousand rest. A trailing stop is moved here with each quote, and is
written down when it has moved by a tenth of its distance (decision 026). What a price has set off
waits for its answer before it is proposed again. Belongs to `watch`.
"""

from decimal import Decimal

from msgspec.structs import replace

from tradewright.liquidity.board import Top
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import Side
from tradewright.trading.batch import Answer
from tradewright.trading.model import ClosePosition, MoveStop, OrderType, Origin, TriggerOrder
from tradewright.trading.outstanding import Outstanding, is_put_off
from tradewright.trading.price_index import PriceIndex
from tradewright.trading.price_lists import Level
from tradewright.trading.rules import trailing_stop
from tradewright.trading.state import AccountState, OrderState, PositionState

WRITTEN_SHARE = 10
"""A trailing stop is written down when it has moved by its distance divided by this."""

_PROTECTIONS = (Origin.STOP_LOSS, Origin.TAKE_PROFIT)

_Levels = tuple[bool, Decimal | None, Decimal | None]
"""Whether a position is long, its stop-loss, and its take-profit."""

PriceProposal = TriggerOrder | MoveStop | ClosePosition


class OrderWatch:
    """The orders and protections that wait for prices; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._index = PriceIndex()
        self._outstanding = Outstanding(market)
        self._proposals: dict[str, TriggerOrder | ClosePosition] = {}
        self._trailing: dict[str, OrderState] = {}
        self._protected: dict[str, dict[str, _Levels]] = {}

    def on_price(self, symbol: str, top: Top | None) -> list[PriceProposal]:
        """Return what a price sets off, the nearest trigger first, then the older."""
        for key in self._outstanding.due():
            self._index.resume(key)
        proposals: list[PriceProposal] = []
        for key in self._index.fired(symbol, top):
            if key not in self._proposals:
                proposals.append(self._moved(self._trailing[key.removeprefix(_moving(""))]))
            elif self._outstanding.begin(key):
                proposals.append(self._proposed(key))
        return proposals

    def settle(self, proposal: TriggerOrder | ClosePosition, answer: Answer) -> None:
        """Let what was proposed be proposed again, if it still waits for a price."""
        key = _key(proposal)
        if self._outstanding.answered(key, put_off=is_put_off(answer)):
            self._index.resume(key)

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
        self._outstanding.changed(order.id)
        trails = order.trailing_distance is not None and order.awaits_trigger
        if not rests or not trails:
            self._forget(order.id)
            self._index.forget(_moving(order.id))
            self._trailing.pop(order.id, None)
        if rests and trails:
            self._follow(order)
        elif rests:
            self._watch(order)

    def take_positions(self, account: AccountState) -> None:
        """Watch the protections of an account's positions from now on as they stand."""
        protected = {
            one.id: one
            for one in account.open_positions
            if one.stop_loss is not None or one.take_profit is not None
        }
        known = self._protected.pop(account.id, {})
        levels = {key: _levels(one) for key, one in protected.items()}
        for position_id in known.keys() - protected.keys():
            for origin in _PROTECTIONS:
                self._forget(f"{origin}:{position_id}")
        for position in protected.values():
            if known.get(position.id) != levels[position.id]:
                self._protect(position)
        if levels:
            self._protected[account.id] = levels

    def _protect(self, position: PositionState) -> None:
        closing = Side.SELL if position.quantity > 0 else Side.BUY
        for origin, price, level in (
            (Origin.STOP_LOSS, position.stop_loss, Level.worse_for(closing)),
            (Origin.TAKE_PROFIT, position.take_profit, Level.better_for(closing)),
        ):
            proposal = ClosePosition(
                account_id=position.account_id,
                position_id=position.id,
                symbol=position.instrument.symbol,
                origin=origin,
            )
            key = _key(proposal)
            self._forget(key)
            if price is not None:
                self._proposals[key] = proposal
                self._index.watch(key, [(position.instrument.symbol, level, price)])

    def _proposed(self, key: str) -> PriceProposal:
        proposal = self._proposals[key]
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
        self._outstanding.changed(key)
        self._proposals.pop(key, None)


def _key(proposal: TriggerOrder | ClosePosition) -> str:
    """Return the key of what a proposal is about."""
    if isinstance(proposal, TriggerOrder):
        return proposal.order_id
    return f"{proposal.origin}:{proposal.position_id}"


def _levels(position: PositionState) -> _Levels:
    return position.quantity > 0, position.stop_loss, position.take_profit


def _moving(order_id: str) -> str:
    """Return the key under which a trailing stop waits to be written down."""
    return f"move:{order_id}"
