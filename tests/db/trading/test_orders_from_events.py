"""An order is what its events say: state, quantities, prices and stop, exactly."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.floor import Floor, buy, deal, replacing, sell
from tradewright.core.errors import TradewrightError
from tradewright.risk.model import ClientClass
from tradewright.soak.trading.replay.orders import replay_orders
from tradewright.soak.trading.service import read_record
from tradewright.trading.engine import Engine
from tradewright.trading.model import CancelOrder, ReplaceOrder, SubmitOrder


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("10000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def test_a_trailing_stop_that_wakes_at_a_tighter_price_than_was_written_says_so(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(rich, trailing_distance="0.00400"))
        floor.quote(engine, "EURUSD", "1.10020", "1.10030")
        floor.quote(engine, "EURUSD", "1.09610", "1.09620")
    assert floor.one("SELECT stop_price FROM orders") == Decimal("1.09620")
    assert floor.rows("SELECT event_type, details ->> 'stop_price' FROM order_events") == [
        ("new", None),
        ("restated", "1.09620"),
        ("triggered", None),
        ("trade", None),
    ]


def test_what_a_replacement_made_of_an_order_stands_in_its_event(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, stop_price="1.20000", client_order_id="a"))
        deal(engine, replacing(rich, "a", "b", stop_price=Decimal("1.19000")))
        deal(engine, buy(rich, limit_price="1.00000", client_order_id="c"))
        deal(engine, replacing(rich, "c", "d", limit_price=Decimal("1.01000")))
    told = "SELECT details ->> 'stop_price', details ->> 'limit_price' FROM order_events"
    assert floor.rows(f"{told} WHERE event_type = 'replaced' ORDER BY order_id") == [
        ("1.19000", None),
        (None, "1.01000"),
    ]


PRICES = st.integers(-60, 60).map(lambda ticks: Decimal("1.10000") + ticks * Decimal("0.00005"))
QUANTITIES = st.sampled_from([1_000, 400_000, 1_500_000, 2_500_000])
TERMS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"limit_price": PRICES}),
    st.fixed_dictionaries({"stop_price": PRICES}),
    st.fixed_dictionaries({"trailing_distance": st.sampled_from(["0.00050", "0.00200"])}),
    st.fixed_dictionaries({"limit_price": PRICES, "oco_group": st.just("g")}),
    st.fixed_dictionaries({"stop_price": PRICES, "oco_group": st.just("g")}),
    st.fixed_dictionaries({"limit_price": PRICES, "is_reduce_only": st.just(True)}),
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "quantity": QUANTITIES.map(Decimal),
        "limit_price": PRICES,
        "stop_price": PRICES,
    },
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.booleans(), QUANTITIES, TERMS),
        st.tuples(st.just("replace"), st.integers(0, 9), CHANGES),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("quote"), PRICES),
    ),
    min_size=8,
    max_size=25,
)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ACTIONS)
def test_every_order_is_exactly_what_its_events_make_it(
    floor: Floor, actions: list[tuple[Any, ...]]
) -> None:
    account = floor.account("10000000", leverage=500, client_class=ClientClass.PROFESSIONAL)
    keys: list[str] = []
    with floor.engine() as engine:
        for action in actions:
            act(floor, engine, account, keys, action)
    assert list(replay_orders(read_record(floor.session))) == []


def act(
    floor: Floor, engine: Engine, account: str, keys: list[str], action: tuple[Any, ...]
) -> None:
    """Do something; what is refused is refused."""
    if action[0] == "quote":
        floor.quote(engine, "EURUSD", str(action[1]), str(action[1] + Decimal("0.00010")))
        return
    command: SubmitOrder | ReplaceOrder | CancelOrder
    key = f"{account}-{len(keys)}"
    if action[0] == "submit":
        command = (buy if action[1] else sell)(account, action[2], client_order_id=key, **action[3])
    elif not keys:
        return
    elif action[0] == "replace":
        command = replacing(account, keys[action[1] % len(keys)], key, **action[2])
    else:
        command = CancelOrder(account_id=account, client_order_id=keys[action[1] % len(keys)])
    try:
        deal(engine, command)
    except TradewrightError:
        return
    keys.append(key if action[0] != "cancel" else keys[-1])
