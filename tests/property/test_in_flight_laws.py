"""Whatever providers deal of what is in flight, no more comes to be open than was counted."""

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import PAIRS
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.routing.model import Book
from tradewright.trading.groups import STANDARD, AccountGroup
from tradewright.trading.in_flight import in_flight
from tradewright.trading.model import OrderType, Origin, TimeInForce
from tradewright.trading.rules import split_fill
from tradewright.trading.state import AccountState, OrderState, PositionState

SYMBOL = PAIRS[1]

quantities = st.integers(-20, 20).filter(bool).map(lambda steps: Decimal(steps * 1_000))


def account_with(held: Decimal, flying: list[Decimal]) -> AccountState:
    """Return a netting account that holds a quantity and has orders with a provider."""
    account_id = new_id_text()
    holder = Holder.locked(
        HolderKind.ACCOUNT,
        holder_id=account_id,
        user_id=new_id_text(),
        currency="USD",
        available=Decimal(1000),
        version=1,
    )
    position = PositionState(
        id=new_id_text(),
        account_id=account_id,
        instrument=SYMBOL,
        quantity=held,
        average_price=Decimal(1),
        realised_pnl=Decimal(0),
        stop_loss=None,
        take_profit=None,
        version=1,
        version_read=1,
    )
    orders = [order_of(account_id, signed) for signed in flying]
    return AccountState(
        id=account_id,
        group=AccountGroup(code=STANDARD),
        is_active=True,
        book=Book.A,
        profile=RiskProfile(ClientClass.RETAIL, "USD", 30, Decimal(100), Decimal(50)),
        holder=holder,
        margin_call_id=None,
        positions={SYMBOL.symbol: [position]} if held else {},
        live_orders={one.id: one for one in orders},
    )


def order_of(account_id: str, signed: Decimal) -> OrderState:
    """Return a market order that is with a provider."""
    return OrderState(
        id=new_id_text(),
        account_id=account_id,
        client_order_id=new_id_text(),
        instrument=SYMBOL,
        side=Side.BUY if signed > 0 else Side.SELL,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        origin=Origin.CLIENT,
        book=Book.A,
        quantity=abs(signed),
        remaining_quantity=abs(signed),
        is_routed=True,
    )


@given(
    st.just(Decimal(0)) | quantities,
    st.lists(st.tuples(quantities, st.integers(0, 4)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_no_more_is_ever_open_than_was_counted(
    held: Decimal, flying: list[tuple[Decimal, int]], chance: Random
) -> None:
    account = account_with(held, [signed for signed, _ in flying])
    flight = in_flight(account)
    bound = abs(held) + max(
        abs(flight.opens.get((SYMBOL.symbol, side), Decimal(0))) for side in Side
    )
    dealt = [signed * quarters / 4 for signed, quarters in flying]
    chance.shuffle(dealt)
    now = held
    for signed in dealt:
        split = split_fill(now, signed)
        now += split.closes + split.opens
        assert abs(now) <= abs(flight.quantity_open(account, SYMBOL.symbol)) <= bound


@given(st.just(Decimal(0)) | quantities, st.lists(quantities, max_size=8))
def test_what_is_in_flight_closes_a_position_once(held: Decimal, flying: list[Decimal]) -> None:
    account = account_with(held, flying)
    flight = in_flight(account)
    for positions in account.positions.values():
        for position in positions:
            closes = flight.closes.get(position.id, Decimal(0))
            assert closes * position.quantity <= 0
            assert abs(closes) <= abs(position.quantity)
    for side in Side:
        total = sum((one for one in flying if one * side.sign > 0), Decimal(0))
        assert flight.quantity(account, SYMBOL.symbol, side) == total
