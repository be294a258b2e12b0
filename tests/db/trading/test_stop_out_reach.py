"""How far a stop-out reaches: what providers take, what is in flight, what hedges, who is told."""

from contextlib import suppress
from decimal import Decimal

from tests.db.trading.test_answers import Later, run
from tests.floor import ONE, TWO, Floor, buy, deal, sell
from tradewright.core.errors import TradewrightError
from tradewright.postgres.connect import Session
from tradewright.risk.model import HedgedMargin
from tradewright.risk.stop_out import StopOutMode
from tradewright.routing.model import Book
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import CancelOrder

STUCK = "SELECT count(*) FROM alerts WHERE kind = 'account_stuck'"


def smart(floor: Floor, hedged_margin: HedgedMargin) -> str:
    """List a group of hedgers whose stop-outs close no more than they must; return its code."""
    group = AccountGroup(
        code="smart",
        position_mode=PositionMode.HEDGING,
        hedged_margin=hedged_margin,
        stop_out_mode=StopOutMode.SMART,
    )
    set_group(floor.session, group)
    return "smart"


def steps_of(floor: Floor, key: str) -> list[tuple[str, str]]:
    """Return each step of an order with who took it."""
    return [
        (kind, actor)
        for kind, actor in floor.rows(
            "SELECT e.event_type, e.actor FROM order_events AS e JOIN orders AS o"
            " ON o.id = e.order_id WHERE o.client_order_id = %s ORDER BY e.seq",
            key,
        )
    ]


def take_no_less_than(session: Session, quantity: int) -> None:
    session.execute("UPDATE liquidity_providers SET quantity_min = %s", (quantity,))


def test_what_no_provider_takes_is_no_stop_out_and_people_are_told(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("5000")
    with floor.engine() as running:
        deal(running, buy(account, 100_000))
    take_no_less_than(engine, 150_000)
    with floor.engine() as running:
        for _ in range(3):
            floor.quote(running, "EURUSD", "1.06500", "1.06510")
    assert floor.position(account) == 100_000
    assert floor.one("SELECT count(*) FROM stop_outs") == 0
    assert floor.one("SELECT count(*) FROM orders WHERE origin = 'stop_out'") == 0
    assert floor.one(STUCK) == 1


def test_a_smart_stop_out_closes_the_least_that_a_provider_takes(
    engine_database: str, engine: Session
) -> None:
    """Of 100,000 closing 5,000 would do; no provider takes less than 49,500: 50,000 in steps."""
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("5000", group=smart(floor, HedgedMargin.SUM))
    with floor.engine() as running:
        deal(running, buy(account, 100_000))
    take_no_less_than(engine, 49_500)
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.06700", "1.06710")
    assert floor.position(account) == 50_000
    assert floor.broken_laws() == {}


def test_a_stop_out_closes_what_is_not_in_flight_and_tells_who_waits_too_long(
    engine_database: str, engine: Session
) -> None:
    """A hundredth is with a provider that is silent; 99,000 are passed on to it, and wait too."""
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("4000", book=Book.A)
    late = Later(ONE)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account, 1_000))
        floor.quote(running, "EURUSD", "1.06100", "1.06110")
        assert [one.quantity for one in late.asked[1:]] == [1_000, 99_000]
        floor.quote(running, "EURUSD", "1.06100", "1.06110")
        assert floor.one(STUCK) == 0
        for _ in range(5):
            floor.quote(running, "EURUSD", "1.06100", "1.06110")
        assert floor.one(STUCK) == 1
        assert len(late.asked) == 3
        for one in late.asked[1:]:
            late.tell(one, int(one.quantity))
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_smart_stop_out_closes_what_frees_margin_and_not_what_hedges(floor: Floor) -> None:
    """Three longs of 20,000 and a short of 40,000, net: 4,000 of the oldest long bring it to 51."""
    account = floor.account("1000", group=smart(floor, HedgedMargin.NET))
    with floor.engine() as engine:
        deal(engine, buy(account, 20_000))
        deal(engine, sell(account, 40_000))
        deal(engine, buy(account, 20_000))
        deal(engine, buy(account, 20_000))
        floor.quote(engine, "EURUSD", "1.06500", "1.06510")
    left = floor.rows("SELECT quantity FROM positions WHERE is_open ORDER BY id")
    assert [int(one[0]) for one in left] == [16_000, -40_000, 20_000, 20_000]
    assert floor.broken_laws() == {}


def test_a_smart_stop_out_of_even_legs_takes_as_much_of_both(floor: Floor) -> None:
    """Each leg binds the same; closing one alone frees nothing, so as much of the other follows."""
    account = floor.account("4000", group=smart(floor, HedgedMargin.LARGER_LEG))
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        deal(engine, sell(account, 100_000))
        floor.quote(engine, "EURUSD", "1.08750", "1.11250")
    left = [int(row[0]) for row in floor.rows("SELECT quantity FROM positions WHERE is_open")]
    assert sum(left) == 0
    assert 70_000 < max(left) < 100_000
    assert floor.broken_laws() == {}


def test_what_would_open_is_asked_back_from_its_provider(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("4600", book=Book.A)
    late, second = Later(ONE), Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, buy(account, 5_000, limit_price="1.20000", client_order_id="more"))
        opening = late.asked[-1]
        floor.quote(running, "EURUSD", "1.07000", "1.07010")
        status = "SELECT status FROM orders WHERE client_order_id = 'more'"
        assert floor.one(status) == "pending_cancel"
        late.tell(opening, 0, is_final=True)
        running.wait_until_idle()
        assert floor.one(status) == "canceled"
    assert [one for one in second.asked if one.quantity == 5_000] == []
    assert steps_of(floor, "more") == [
        ("new", "client"),
        ("pending_cancel", "stop_out"),
        ("canceled", "stop_out"),
    ]
    code = "SELECT refusal_code FROM orders WHERE client_order_id = 'more'"
    assert floor.one(code) == "ORDER_STOPPED_OUT"


def test_what_rests_is_canceled_by_the_stop_out_and_what_a_client_cancels_by_the_client(
    floor: Floor,
) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        for key in ("rests", "unwanted"):
            deal(engine, buy(account, 1_000, limit_price="1.00000", client_order_id=key))
        deal(engine, CancelOrder(account_id=account, client_order_id="unwanted"))
        floor.quote(engine, "EURUSD", "1.06000", "1.06010")
    assert steps_of(floor, "rests")[-1] == ("canceled", "stop_out")
    assert steps_of(floor, "unwanted")[-1] == ("canceled", "client")


def test_a_fill_that_comes_before_the_cancel_leaves_no_reason_to_end(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("4600", book=Book.A)
    late = Later(ONE)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, buy(account, 5_000, limit_price="1.20000", client_order_id="more"))
        opening = late.asked[-1]
        floor.quote(running, "EURUSD", "1.07000", "1.07010")
        late.tell(opening, 2_000)
        running.wait_until_idle()
        assert steps_of(floor, "more")[-1] == ("pending_cancel", "stop_out")
        late.tell(opening, 3_000)
        running.wait_until_idle()
    row = "SELECT status, refusal_code FROM orders WHERE client_order_id = 'more'"
    assert floor.rows(row) == [("filled", None)]
    assert floor.broken_laws() == {}


def test_a_check_that_fails_is_told(floor: Floor) -> None:
    """The server refuses what the stop-out writes; without an alert nobody would know of it."""
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        floor.session.execute(
            "ALTER TABLE stop_outs ADD CONSTRAINT stop_outs_refused CHECK (positions_closed = 0)"
        )
        for _ in range(4):
            with suppress(TradewrightError):
                floor.quote(engine, "EURUSD", "1.05000", "1.05010")
        floor.session.execute("ALTER TABLE stop_outs DROP CONSTRAINT stop_outs_refused")
        told = floor.rows("SELECT about, what FROM alerts WHERE kind = 'account_stuck'")
        assert [one[0] for one in told] == [account]
        assert "the check of its margin level fails with" in told[0][1]
        for _ in range(2):
            floor.quote(engine, "EURUSD", "1.05000", "1.05010")
    assert floor.position(account) == 0
    assert floor.balance(account) == Decimal(0)
