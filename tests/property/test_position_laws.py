"""Laws of positions in every mode: quantities are sums of fills, and money is conserved.

A history of fills is booked by the real code on rows in memory; only the database is left out.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.floor import DAY, PAIRS, market_of
from tradewright.core.ids import new_id_text
from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.ledger.model import Holder, HolderKind, HouseCode
from tradewright.liquidity.model import ProviderAnswer, Side
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.routing.model import Book
from tradewright.trading.decide import decide
from tradewright.trading.groups import AccountGroup, PositionMode
from tradewright.trading.model import ClosePosition, OrderType, Origin, TimeInForce
from tradewright.trading.pairings import CloseBy
from tradewright.trading.positions import apply_fill
from tradewright.trading.reference import Reference
from tradewright.trading.rollovers import roll_over_late
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState
from tradewright.trading.swap_store import Rolling
from tradewright.trading.swaps import (
    RollOver,
    SwapBook,
    SwapForm,
    SwapTerms,
    days_over,
    swap_amount,
)

INSTRUMENTS = {one.symbol: one for one in PAIRS}
EURUSD = INSTRUMENTS["EURUSD"]
START = Decimal(1_000_000)
HOUSE = {"USD": {code: new_id_text() for code in HouseCode}}
REFERENCE = Reference(
    version=1,
    instruments=INSTRUMENTS,
    groups={},
    provider_ids={"LP-ONE": new_id_text()},
    provider_priorities={},
    disabled_providers=frozenset(),
    house=HOUSE,
)

TERMS = SwapTerms(
    symbol="EURUSD",
    effective_on=DAY.date() - timedelta(days=1),
    form=SwapForm.POINTS,
    long_rate=Decimal("-7.5"),
    short_rate=Decimal("2.5"),
    currency="USD",
)
DEALT_BEFORE = ProviderAnswer(
    request_id="r",
    provider="LP-ONE",
    accepted=True,
    price=Decimal("1.1"),
    quantity=Decimal(1_000),
    hold_ms=0,
    decided_at=DAY,
    reason=None,
    execution_id="x",
)

quantities = st.integers(-50, 50).filter(bool).map(lambda steps: Decimal(steps * 1_000))
prices = st.integers(90_000, 130_000).map(lambda ticks: Decimal(ticks) / 100_000)
histories = st.lists(st.tuples(quantities, prices), min_size=1, max_size=15)
modes = st.sampled_from(PositionMode)


@dataclass(slots=True)
class Trader:
    """One account of a mode with its desk, in a market that quotes no spread worth a cent."""

    mode: PositionMode
    account: AccountState = field(init=False)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        account_id = new_id_text()
        self.account = AccountState(
            id=account_id,
            group=AccountGroup(code="some", position_mode=self.mode),
            is_active=True,
            book=Book.B,
            profile=RiskProfile(ClientClass.PROFESSIONAL, "USD", 500, Decimal(100), Decimal(50)),
            holder=Holder.locked(
                HolderKind.ACCOUNT,
                holder_id=account_id,
                user_id=new_id_text(),
                currency="USD",
                available=START,
                version=1,
            ),
            margin_call_id=None,
        )
        self.desk = Desk(
            market=market_of({"EURUSD": ("1.10000", "1.10001")}),
            reference=REFERENCE,
            accounts={account_id: self.account},
            orders={},
            orders_by_key={},
            wallets={},
            entries_before={},
        )

    def fill(self, signed: Decimal, price: Decimal) -> None:
        """Book one fill of an order of its own."""
        made = OrderState(
            id=new_id_text(),
            account_id=self.account.id,
            client_order_id=new_id_text(),
            instrument=EURUSD,
            side=Side.BUY if signed > 0 else Side.SELL,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            origin=Origin.CLIENT,
            book=Book.B,
            quantity=abs(signed),
            remaining_quantity=abs(signed),
        )
        with localcontext(prec=60):
            apply_fill(self.desk, self.account, made, new_id_text(), (abs(signed), price))

    @property
    def open(self) -> list[PositionState]:
        """Return what is open, the oldest first."""
        return self.account.open_positions

    @property
    def realised(self) -> Decimal:
        """Return what all trades have brought the account."""
        return self.account.holder.available - START

    def worth(self, price: Decimal) -> Decimal:
        """Return what was realised and what closing everything at a price would realise."""
        unrealised = sum(
            ((price - one.average_price) * one.quantity for one in self.open), Decimal(0)
        )
        return self.realised + unrealised


def traded(mode: PositionMode, history: list[tuple[Decimal, Decimal]]) -> Trader:
    trader = Trader(mode)
    for signed, price in history:
        trader.fill(signed, price)
    return trader


def days_in(first: date, last: date) -> int:
    """Return for how many days the rollovers of some days pay together."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return sum(days_over(day, TERMS, frozenset()) for day in days)


def slack(count: int) -> Decimal:
    """Return what rounding may lose: half a cent for each trade, and the average's last digit."""
    return Decimal("0.02") * (count + 1)


@given(histories, modes, prices)
def test_what_is_open_is_the_sum_of_fills_and_what_it_is_worth_is_what_was_paid(
    history: list[tuple[Decimal, Decimal]], mode: PositionMode, now: Decimal
) -> None:
    trader = traded(mode, history)
    net = sum((signed for signed, _ in history), Decimal(0))
    assert trader.account.held("EURUSD") == net
    paid = sum((-signed * price for signed, price in history), Decimal(0))
    assert abs(trader.worth(now) - (paid + net * now)) <= slack(len(history) * 2)


@given(histories, prices)
def test_the_modes_agree_on_quantity_and_on_the_total_result(
    history: list[tuple[Decimal, Decimal]], now: Decimal
) -> None:
    traders = [traded(mode, history) for mode in PositionMode]
    assert len({trader.account.held("EURUSD") for trader in traders}) == 1
    worths = [trader.worth(now) for trader in traders]
    assert max(worths) - min(worths) <= slack(len(history) * 4)


@given(histories, modes)
def test_each_mode_keeps_its_shape(
    history: list[tuple[Decimal, Decimal]], mode: PositionMode
) -> None:
    held = [one.quantity for one in traded(mode, history).open]
    if mode is PositionMode.NETTING:
        assert len(held) <= 1
    elif mode is PositionMode.FIFO:
        assert all(one * held[0] > 0 for one in held)
    else:
        assert held == [signed for signed, _ in history]


@given(st.integers(1, 50), st.integers(1, 50), prices, prices)
def test_a_flip_is_a_close_and_an_opening(
    held: int, more: int, one: Decimal, other: Decimal
) -> None:
    first, rest = Decimal(held * 1_000), Decimal(more * 1_000)
    for mode in (PositionMode.NETTING, PositionMode.FIFO):
        at_once, in_two = Trader(mode), Trader(mode)
        for trader in (at_once, in_two):
            trader.fill(first, one)
        at_once.fill(-first - rest, other)
        in_two.fill(-first, other)
        in_two.fill(-rest, other)
        shapes = [[(p.quantity, p.average_price) for p in t.open] for t in (at_once, in_two)]
        assert shapes[0] == shapes[1] == [(-rest, other)]
        assert at_once.realised == in_two.realised


@given(histories, prices, st.lists(st.integers(1, 60), max_size=8))
def test_partial_closes_conserve_realised_and_unrealised(
    history: list[tuple[Decimal, Decimal]], now: Decimal, parts: list[int]
) -> None:
    trader = traded(PositionMode.HEDGING, history)
    bid, ask = Decimal("1.10000"), Decimal("1.10001")
    for part in parts:
        if not trader.open:
            break
        position = trader.open[part % len(trader.open)]
        quantity = min(abs(position.quantity), Decimal(part * 1_000))
        before, is_long = trader.worth(now), position.quantity > 0
        command = ClosePosition(
            account_id=trader.account.id,
            position_id=position.id,
            symbol="EURUSD",
            quantity=quantity,
            client_order_id=new_id_text(),
        )
        (answer,) = decide(trader.desk, [command])
        assert not isinstance(answer, Exception), answer
        # Closing at the market instead of at `now` is the only difference that it makes.
        moved = (bid - now) * quantity if is_long else (now - ask) * quantity
        assert abs(trader.worth(now) - before - moved) <= Decimal("0.01")


@given(st.integers(1, 50), st.integers(1, 50), prices, prices, prices)
def test_a_pairing_changes_nothing_but_what_is_realised(
    long: int, short: int, bought: Decimal, sold: Decimal, now: Decimal
) -> None:
    trader = traded(
        PositionMode.HEDGING, [(Decimal(long * 1_000), bought), (Decimal(short * -1_000), sold)]
    )
    before, net = trader.worth(now), trader.account.held("EURUSD")
    command = CloseBy(
        account_id=trader.account.id,
        close_by_id=new_id_text(),
        position_id=trader.open[0].id,
        by_position_id=trader.open[1].id,
        symbol="EURUSD",
    )
    (answer,) = decide(trader.desk, [command])
    assert not isinstance(answer, Exception), answer
    assert trader.account.held("EURUSD") == net
    assert len(trader.open) == (0 if long == short else 1)
    assert trader.realised == min(long, short) * 1_000 * (sold - bought)
    assert abs(trader.worth(now) - before) <= Decimal("0.01")


@settings(max_examples=50)
@given(histories, st.integers(0, 40), st.integers(1, 4))
def test_rolling_over_again_changes_nothing(
    history: list[tuple[Decimal, Decimal]], days: int, times: int
) -> None:
    once, often = traded(PositionMode.HEDGING, history), traded(PositionMode.HEDGING, history)
    through = last_ended_day(DAY) + timedelta(days=min(days, 31))
    for trader, count in ((once, 1), (often, times)):
        first = {position.id: DAY.date() for position in trader.open}
        trader.desk.rolling = Rolling(first, {}, SwapBook({"EURUSD": [TERMS]}, {}))
        command = RollOver(account_id=trader.account.id, through=through)
        decide(trader.desk, [command] * count)
    assert once.realised == often.realised
    rows = [trader.desk.changes.rollovers for trader in (once, often)]
    assert len(rows[0]) == len(rows[1])
    booked = sum((Decimal(str(row[6])) for row in rows[0]), Decimal(0))
    assert once.realised - traded(PositionMode.HEDGING, history).realised == booked


deals = st.lists(st.tuples(quantities, st.booleans()), max_size=8)


@settings(max_examples=100)
@given(histories, deals, modes, st.integers(1, 3))
def test_swap_is_that_of_what_was_open_at_the_end_whenever_a_deal_is_told(
    before: list[tuple[Decimal, Decimal]],
    after: list[tuple[Decimal, bool]],
    mode: PositionMode,
    days: int,
) -> None:
    """Deals after the end are of then, or were dealt before it and are told of late."""
    trader, price = traded(mode, before), Decimal("1.1")
    desk, ended_on = trader.desk, DAY.date() + timedelta(days=days - 1)
    desk.reference = replace(REFERENCE, ended_on=ended_on)
    desk.market.advance(end_of_day(ended_on))
    first = {position.id: DAY.date() for position in trader.open}
    desk.rolling = Rolling(first, {}, SwapBook({"EURUSD": [TERMS]}, {}), {})
    held = {position.id: position.quantity for position in trader.open}
    decide(desk, [RollOver(account_id=trader.account.id, through=ended_on)])
    for signed, is_late in after:
        count = len(desk.changes.trades)
        trader.fill(signed, price)
        if is_late:
            trades = desk.changes.trades[count:]
            with localcontext(prec=60):
                roll_over_late(desk, trader.account, DEALT_BEFORE, trades)
            for trade in trades:
                place, quantity = str(trade[0]), Decimal(str(trade[6]))
                held[place] = held.get(place, Decimal(0)) + quantity
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for row in desk.changes.rollovers:
        charged[str(row[1])] += Decimal(str(row[6]))
    count = len(desk.changes.rollovers)
    for position_id, quantity in held.items():
        paid = days_in(DAY.date(), ended_on)
        owed = swap_amount(TERMS, EURUSD, quantity, price, paid) if quantity else Decimal(0)
        assert abs(charged[position_id] - owed) <= slack(count)
