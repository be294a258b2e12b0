"""An order that only reduces passes every check of what opens, however much it asks for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from tests.db.trading.test_answers import run, stage
from tests.db.trading.test_breakers import BY_HAND
from tests.floor import Floor, buy, deal, sell
from tests.positions import account_of
from tradewright.postgres.connect import Session
from tradewright.risk.breaker_store import add_breaker, move_by_hand
from tradewright.risk.breakers import BreakerState
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Target
from tradewright.risk.store import set_halt
from tradewright.trading.groups import PositionMode
from tradewright.trading.model import OrderStatus


def _halt(session: Session) -> None:
    set_halt(session, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")


def _trigger(session: Session) -> None:
    add_breaker(session, BY_HAND, actor="anna", reason="drill")
    move_by_hand(session, "all", BreakerState.TRIGGERED, actor="anna", reason="drill")


def _suspend(session: Session) -> None:
    session.execute("UPDATE accounts SET status = 'suspended'")


WHAT_STOPS_OPENING: Mapping[str, Callable[[Session], None]] = MappingProxyType(
    {"halt": _halt, "breaker": _trigger, "suspension": _suspend}
)


@pytest.mark.parametrize("how", WHAT_STOPS_OPENING)
@pytest.mark.parametrize("mode", PositionMode)
def test_what_stops_opening_lets_an_order_pass_that_only_reduces_and_asks_for_more_than_is_open(
    floor: Floor, mode: PositionMode, how: str
) -> None:
    account = account_of(floor, mode)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        WHAT_STOPS_OPENING[how](floor.session)
        report = deal(engine, sell(account, 25_000, is_reduce_only=True))
        opening = deal(engine, sell(account, 25_000))
    assert report.filled_quantity == 10_000
    assert opening.status is OrderStatus.REJECTED
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_stop_that_only_reduces_needs_no_margin_for_what_has_been_closed_before(
    floor: Floor,
) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        deal(engine, sell(account, 100_000, stop_price="1.07500", is_reduce_only=True))
        floor.quote(engine, "EURUSD", "1.08100", "1.08110")
        deal(engine, sell(account, 80_000))
        floor.quote(engine, "EURUSD", "1.07500", "1.07510")
    assert floor.position(account) == 0
    assert floor.rows("SELECT filled_quantity, refusal_code FROM orders WHERE is_reduce_only") == [
        (20_000, "ORDER_NOTHING_TO_REDUCE")
    ]
    assert floor.broken_laws() == {}


def test_beside_an_order_in_flight_only_what_is_left_is_reduced_and_passes_a_halt(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account, 60_000))
        _halt(engine)
        deal(running, sell(account, 100_000, is_reduce_only=True))
        assert [request.quantity for request in late.asked] == [100_000, 60_000, 40_000]
        late.tell(late.asked[2], 40_000)
        late.tell(late.asked[1], 60_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}
