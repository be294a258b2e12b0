"""Laws of amended levels: whatever is asked, what stands follows from what was done, in each mode.

The real decisions on rows in memory; the replay of `soak` says independently what must stand.
"""

from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.floor import order
from tests.property.test_position_laws import EURUSD, Trader
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.routing.model import Book
from tradewright.soak.trading.replay import record as rows
from tradewright.soak.trading.replay import replay_levels
from tradewright.trading.amendments import AmendPosition, AmendReport, Level
from tradewright.trading.decide import decide
from tradewright.trading.groups import PositionMode
from tradewright.trading.model import OrderType, Origin, TimeInForce
from tradewright.trading.positions import apply_fill
from tradewright.trading.state import OrderState, PositionState

BID, ASK = Decimal("1.10000"), Decimal("1.10001")

levels = st.one_of(
    st.just(UNSET), st.none(), st.integers(109_990, 110_010).map(lambda t: Decimal(t) / 100_000)
)


class Dealing(NamedTuple):
    """An order that deals at once; an old one was submitted before anything else."""

    side: Side
    quantity: int
    with_stop: bool
    with_take: bool
    is_old: bool


class Amending(NamedTuple):
    """An amendment of one of the open positions."""

    place: int
    stop_loss: Level
    take_profit: Level


Step = Dealing | Amending

steps = st.lists(
    st.one_of(
        st.builds(
            Dealing,
            st.sampled_from(Side),
            st.integers(1, 5).map(lambda steps: steps * 1_000),
            *[st.booleans()] * 3,
        ),
        st.builds(Amending, st.integers(0, 9), levels, levels),
    ),
    min_size=1,
    max_size=14,
)


@dataclass(slots=True)
class Story:
    """An account of a mode, and everything that was ever open in it."""

    trader: Trader
    seen: dict[str, PositionState] = field(default_factory=dict)
    orders: dict[str, OrderState] = field(default_factory=dict)
    old_fills: list[rows.Fill] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let an order of each side with levels be older than everything that is done."""
        for side in Side:
            order = _resting(self.trader, side)
            self.orders[order.id] = order

    def do(self, step: "Step") -> None:
        """Submit an order, let an old one deal, or amend one of the positions."""
        match step:
            case Amending(place, stop, take):
                if self.trader.open:
                    self._amend(self.trader.open[place % len(self.trader.open)], stop, take)
            case Dealing(is_old=True):
                self._fill_old(step)
            case Dealing():
                self._submit(step)
        self.seen.update({one.id: one for one in self.trader.open})

    def _submit(self, step: "Dealing") -> None:
        away = Decimal("-0.01") * step.side.sign
        given = {}
        if step.with_stop:
            given["stop_loss"] = BID + away
        if step.with_take:
            given["take_profit"] = BID - away
        command = order(self.trader.account.id, step.side, step.quantity, **given)
        (answer,) = decide(self.trader.desk, [command])
        assert not isinstance(answer, Exception), answer
        made = self.trader.desk.orders_by_key[command.account_id, command.client_order_id]
        self.orders[made.id] = made

    def _fill_old(self, step: "Dealing") -> None:
        old = next(one for one in self.orders.values() if one.side is step.side)
        fill_id = new_id_text()
        self.old_fills.append(rows.Fill(fill_id, old.id, Decimal(step.quantity), BID, "LP", None))
        dealt = (Decimal(step.quantity), BID)
        with localcontext(prec=60):
            apply_fill(self.trader.desk, self.trader.account, old, fill_id, dealt)

    def _amend(self, position: PositionState, stop: Level, take: Level) -> None:
        before = [(one.stop_loss, one.take_profit) for one in self.trader.open]
        command = AmendPosition(
            account_id=self.trader.account.id,
            amendment_id=new_id_text(),
            position_id=position.id,
            symbol="EURUSD",
            stop_loss=stop,
            take_profit=take,
        )
        (answer,) = decide(self.trader.desk, [command])
        (again,) = decide(self.trader.desk, [command])
        if isinstance(answer, TradewrightError):
            assert [(one.stop_loss, one.take_profit) for one in self.trader.open] == before
            assert _may_be_refused(position, command, answer.code)
            return
        assert isinstance(answer, AmendReport)
        assert isinstance(again, AmendReport)
        assert again.is_replay
        self._holds(position, command)

    def _holds(self, position: PositionState, command: AmendPosition) -> None:
        for asked, now in (
            (command.stop_loss, position.stop_loss),
            (command.take_profit, position.take_profit),
        ):
            assert asked is UNSET or asked == now
        price, sign = (BID, 1) if position.quantity > 0 else (ASK, -1)
        if isinstance(command.stop_loss, Decimal):
            assert (price - command.stop_loss) * sign > 0
        if isinstance(command.take_profit, Decimal):
            assert (command.take_profit - price) * sign > 0

    def record(self) -> rows.Record:
        """Return what would stand in the database."""
        changes, account = self.trader.desk.changes, self.trader.account
        return rows.Record(
            accounts=[rows.Account(account.id, "USD", 2, str(self.trader.mode))],
            orders=[_order(one) for one in self.orders.values()],
            fills=[
                *self.old_fills,
                *(
                    rows.Fill(str(row[0]), str(row[1]), Decimal(str(row[2])), BID, "LP", None)
                    for row in changes.fills
                ),
            ],
            trades=[_trade(row) for row in changes.trades],
            positions=[_position(one) for one in self.seen.values()],
            amendments=[rows.Amendment(*row[:12]) for row in changes.amendments],  # type: ignore[arg-type]
        )


def _may_be_refused(position: PositionState, command: AmendPosition, code: ErrorCode) -> bool:
    """Return whether a refusal is one of what was asked for."""
    if code is ErrorCode.POSITION_LEVELS_UNCHANGED:
        return all(
            asked is UNSET or asked == now
            for asked, now in (
                (command.stop_loss, position.stop_loss),
                (command.take_profit, position.take_profit),
            )
        )
    sign = 1 if position.quantity > 0 else -1
    price = BID if sign > 0 else ASK
    stop, take = command.stop_loss, command.take_profit
    return code is ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE and (
        (isinstance(stop, Decimal) and (price - stop) * sign <= 0)
        or (isinstance(take, Decimal) and (take - price) * sign <= 0)
    )


def _resting(trader: Trader, side: Side) -> OrderState:
    """Return an order with levels that rests."""
    return OrderState(
        id=new_id_text(),
        account_id=trader.account.id,
        client_order_id=new_id_text(),
        instrument=EURUSD,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        origin=Origin.CLIENT,
        book=Book.B,
        quantity=Decimal(1_000_000),
        remaining_quantity=Decimal(1_000_000),
        stop_loss=BID - side.sign * Decimal("0.02"),
        take_profit=BID + side.sign * Decimal("0.02"),
    )


def _order(one: OrderState) -> rows.Order:
    return rows.Order(
        id=one.id,
        account_id=one.account_id,
        client_order_id=one.client_order_id,
        symbol="EURUSD",
        side=str(one.side),
        origin="client",
        quantity=one.quantity,
        filled_quantity=one.filled_quantity,
        remaining_quantity=one.remaining_quantity,
        average_price=one.average_price,
        status=str(one.status),
        is_routed=False,
        version=one.version,
        is_reduce_only=False,
        position_id=None,
        stop_loss=one.stop_loss,
        take_profit=one.take_profit,
    )


def _trade(row: tuple[object, ...]) -> rows.Trade:
    position_id, trade_id, account_id, fill_id, version, effect, *figures, close_by_id = row
    told = (trade_id, account_id, fill_id, close_by_id, position_id, version, effect, *figures)
    return rows.Trade(*told)  # type: ignore[arg-type]


def _position(one: PositionState) -> rows.Position:
    return rows.Position(
        one.id,
        one.account_id,
        "EURUSD",
        str(one.mode),
        one.quantity,
        one.average_price,
        one.realised_pnl,
        bool(one.quantity),
        one.version,
        one.stop_loss,
        one.take_profit,
    )


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(PositionMode), steps)
def test_levels_follow_from_orders_and_amendments_in_every_mode(
    mode: PositionMode, story: list[Step]
) -> None:
    told = Story(Trader(mode))
    for step in story:
        told.do(step)
    assert [str(one) for one in replay_levels(told.record())] == []
    if mode is PositionMode.FIFO:
        assert len({(one.stop_loss, one.take_profit) for one in told.trader.open}) <= 1
