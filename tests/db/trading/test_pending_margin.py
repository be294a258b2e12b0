"""Orders that have not dealt bind margin in groups that want it: the larger side of each symbol.

A professional's lot of EURUSD at 1:100 binds 100,000 * 1.10005 / 100 = 1,100.05 at the first price,
so 10,000 carry nine of them and not ten.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_in_flight import Recorder, refusals, withdraw
from tests.db.trading.test_replacing import other
from tests.floor import ONE, Floor, ask, buy, deal, market_of, order, refusal, sell
from tests.positions import close, ids
from tradewright import ledger
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger import transfer_to_wallet
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass, HedgedMargin, MarginPrice, PendingMargin
from tradewright.routing.model import Book
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import (
    CancelOrder,
    CheckMargin,
    OrderReport,
    OrderStatus,
    OrderType,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.reference import read_reference
from tradewright.trading.store import lock_desk

DENIED = ErrorCode.ORDER_MARGIN_INSUFFICIENT
LOT = 100_000


def account_of(floor: Floor, deposit: str = "10000", book: Book = Book.B, **conditions: Any) -> str:
    """Open a professional's account at 1:100 in a group whose orders bind margin at rest."""
    binding = {"code": "binding", "pending_margin": PendingMargin.MAX_SIDE}
    set_group(floor.session, AccountGroup(**binding | conditions))
    return floor.account(
        deposit, client_class=ClientClass.PROFESSIONAL, leverage=100, book=book, group="binding"
    )


def bid(account: str, lots: int, **fields: Any) -> SubmitOrder:
    """Return an order that waits for a fall to buy."""
    return buy(account, lots * LOT, **{"limit_price": "1.05000"} | fields)


def offer(account: str, lots: int, **fields: Any) -> SubmitOrder:
    """Return an order that waits for a rise to sell."""
    return sell(account, lots * LOT, **{"limit_price": "1.15000"} | fields)


def test_what_rests_binds_and_what_would_bind_too_much_is_denied(floor: Floor) -> None:
    account, free = account_of(floor), floor.account("10000", leverage=30)
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 5), bid(account, 4)) == [None, None]
        assert refusals(engine, bid(account, 1)) == [DENIED]
        assert refusals(engine, buy(account, LOT)) == [DENIED]
        assert refusals(engine, bid(free, 100)) == [None]
    why = floor.rows("SELECT details ->> 'why' FROM order_events WHERE event_type = 'rejected'")
    assert why[0] == ("The free margin after the trade would be -1000.50.",)
    assert floor.broken_laws() == {}


def test_only_the_larger_side_binds(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 9), offer(account, 9)) == [None, None]
        assert refusals(engine, offer(account, 1)) == [DENIED]


def test_a_position_counts_on_its_side_and_is_taken_from_the_other(floor: Floor) -> None:
    """Long three: six more to buy, but twelve to sell, as the first three only close."""
    account = account_of(floor, "10100")
    with floor.engine() as engine:
        deal(engine, buy(account, 3 * LOT))
        assert refusals(engine, bid(account, 6), bid(account, 1)) == [None, DENIED]
        assert refusals(engine, offer(account, 12), offer(account, 1)) == [None, DENIED]


def test_where_positions_hedge_both_sides_bind(floor: Floor) -> None:
    account = account_of(floor, position_mode=PositionMode.HEDGING)
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 5), offer(account, 4)) == [None, None]
        assert refusals(engine, bid(account, 1), offer(account, 1)) == [DENIED, DENIED]


@pytest.mark.parametrize("rule", [HedgedMargin.LARGER_LEG, HedgedMargin.NET])
def test_and_as_much_of_them_as_the_group_takes_of_a_pair(floor: Floor, rule: HedgedMargin) -> None:
    account = account_of(floor, position_mode=PositionMode.HEDGING, hedged_margin=rule)
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 9), offer(account, 9)) == [None, None]
        assert refusals(engine, bid(account, 1), offer(account, 1)) == [DENIED, DENIED]


def test_each_symbol_binds_for_itself(floor: Floor) -> None:
    account = account_of(floor)
    pounds = order(account, Side.SELL, LOT, symbol="GBPUSD", limit_price="1.40000")
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")  # a lot binds 1,300.05
        assert refusals(engine, bid(account, 8), pounds) == [None, DENIED]
        assert refusals(engine, bid(account, 1)) == [None]


@pytest.mark.parametrize("position_mode", PositionMode)
def test_of_alternatives_the_largest_binds(floor: Floor, position_mode: PositionMode) -> None:
    account = account_of(floor, position_mode=position_mode)
    above = buy(account, 7 * LOT, stop_price="1.20000", oco_group="one")
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 6, oco_group="one"), above) == [None, None]
        assert refusals(engine, offer(account, 7, oco_group="one")) == [None]
        assert refusals(engine, bid(account, 2), bid(account, 1)) == [None, DENIED]


def test_a_group_named_like_an_order_makes_it_no_alternative(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        first = deal(engine, bid(account, 9))
        assert refusals(engine, bid(account, 9, oco_group=first.order_id)) == [DENIED]


def test_what_only_reduces_binds_nothing_and_passes_without_free_margin(floor: Floor) -> None:
    """Long nine and thirty dollars of equity left: what closes may still come to rest."""
    account = account_of(floor)
    with floor.engine() as engine:
        floor.session.execute("UPDATE accounts SET stop_out_level = 0.0001")
        deal(engine, buy(account, 9 * LOT))
        floor.quote(engine, "EURUSD", "1.08900", "1.08910")
        assert refusals(engine, offer(account, 5), offer(account, 4)) == [None, None]
        assert refusals(engine, offer(account, 1), bid(account, 1)) == [DENIED, DENIED]
        assert refusals(engine, offer(account, 20, is_reduce_only=True)) == [None]
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        assert withdraw(engine, account, "9.55") == Decimal("9990.45")
    assert floor.broken_laws() == {}


def test_what_is_bound_deals_when_its_price_comes(floor: Floor) -> None:
    """Though what else rests leaves no room for the spread; asked is what is open then."""
    account = account_of(floor, "9901")
    with floor.engine() as engine:
        refused = refusals(engine, bid(account, 1, limit_price="1.09990"), bid(account, 8))
        assert refused == [None, None]
        floor.quote(engine, "EURUSD", "1.09900", "1.09990")
        assert floor.position(account) == LOT
        assert refusals(engine, bid(account, 1)) == [DENIED]
    assert floor.broken_laws() == {}


def test_what_is_canceled_or_has_dealt_binds_no_more(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, bid(account, 9, client_order_id="a"))
        deal(engine, CancelOrder(account_id=account, client_order_id="a"))
        assert refusals(engine, buy(account, 8 * LOT), sell(account, 8 * LOT)) == [None, None]
        assert refusals(engine, bid(account, 8)) == [None]


def test_a_replacement_is_asked_for_what_it_adds(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        floor.session.execute("UPDATE accounts SET stop_out_level = 0.0001")
        deal(engine, bid(account, 5, client_order_id="a"))
        ask(engine, other(account, "a", "b", quantity="900000"))
        more = refusal(lambda: ask(engine, other(account, "b", "c", quantity="1000000")))
        assert more.code is DENIED
        deal(engine, CancelOrder(account_id=account, client_order_id="b"))
        deal(engine, bid(account, 1, client_order_id="d"))
        deal(engine, buy(account, 8 * LOT))
        floor.quote(engine, "EURUSD", "1.08900", "1.08910")  # the free margin is below zero
        ask(engine, other(account, "d", "e", limit_price="1.06000"))
        ask(engine, other(account, "e", "f", quantity="50000"))
        again = refusal(lambda: ask(engine, other(account, "f", "g", quantity="60000")))
        assert again.code is DENIED
    assert floor.broken_laws() == {}


def test_a_replacement_that_deals_takes_the_place_of_what_it_bound(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, bid(account, 9, client_order_id="a"))
        ask(engine, other(account, "a", "b", limit_price="1.11000"))
        assert floor.position(account) == 9 * LOT


def test_an_order_that_deals_takes_the_place_of_its_alternatives(floor: Floor) -> None:
    account = account_of(floor)
    at_once = buy(account, 9 * LOT, limit_price="1.11000", oco_group="one")
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 9, oco_group="one"), at_once) == [None, None]
        assert floor.position(account) == 9 * LOT


def test_an_order_whose_price_comes_is_not_asked_for_the_price_of_others(floor: Floor) -> None:
    account = account_of(floor)
    pounds = order(account, Side.BUY, LOT, symbol="GBPUSD", limit_price="1.20000")
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        assert refusals(engine, pounds, bid(account, 1)) == [None, None]
    with floor.engine(eurusd=("1.04990", "1.05000")):
        assert floor.position(account) == LOT


def test_money_that_is_bound_does_not_leave(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, bid(account, 5))
        assert refusal(lambda: withdraw(engine, account, "4499.76")).code is (
            ErrorCode.MONEY_INSUFFICIENT_FUNDS
        )
        assert withdraw(engine, account, "4499.75") == Decimal("5500.25")
    assert floor.broken_laws() == {}


def test_without_a_price_nothing_of_it_leaves(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, bid(account, 1))
    with floor.engine(eurusd=None) as engine:
        refused = refusal(lambda: withdraw(engine, account, "1"))
        assert refused.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS


def test_in_what_is_open_and_has_had_no_price_nothing_comes_to_rest_but_what_reduces(
    floor: Floor,
) -> None:
    """In other groups it may: there an order is asked for its margin when its price comes."""
    account, free = account_of(floor), floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        stale = ErrorCode.ORDER_PRICE_STALE
        assert refusals(engine, bid(account, 1), bid(free, 1)) == [stale, None]
        assert refusals(engine, offer(account, 1)) == [None]


def test_an_order_elsewhere_whose_price_is_missing_stops_what_opens_only(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        deal(engine, bid(account, 1))
        deal(engine, order(account, Side.BUY, LOT, symbol="GBPUSD"))
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        again = order(account, Side.BUY, LOT, symbol="GBPUSD")
        back = order(account, Side.SELL, LOT, symbol="GBPUSD")
        assert refusals(engine, again, back) == [ErrorCode.ORDER_RATE_MISSING, None]


def test_orders_of_one_batch_see_each_other_rest(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        futures = engine.submit_together([bid(account, 3) for _ in range(5)])
        reports = [future.result(timeout=30) for future in futures]
        codes = [one.refusal_code for one in reports if isinstance(one, OrderReport)]
    assert codes == [None, None, None, DENIED, DENIED]


def test_however_many_writers_no_more_is_bound_than_there_is(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine(writers=2) as engine:
        futures = [engine.submit(bid(account, 1)) for _ in range(40)]
        for future in futures:
            future.result(timeout=30)
    assert floor.one("SELECT count(*) FROM orders WHERE status = 'new'") == 9


def test_levels_see_positions_only(floor: Floor) -> None:
    """Nothing is open, so there is no level; with a lot open it is that of the lot."""
    account = account_of(floor)
    with floor.engine() as engine:
        floor.session.execute("UPDATE accounts SET margin_call_level = 200, stop_out_level = 150")
        deal(engine, bid(account, 7))
        ask(engine, CheckMargin(account_id=account))
        deal(engine, buy(account))
        ask(engine, CheckMargin(account_id=account))
    assert floor.one("SELECT count(*) FROM margin_calls") == 0
    assert floor.one("SELECT count(*) FROM stop_outs") == 0


def test_a_group_that_begins_to_want_it_counts_what_rests_already(floor: Floor) -> None:
    account = account_of(floor, pending_margin=PendingMargin.NONE)
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 20)) == [None]
        set_group(
            floor.session, AccountGroup(code="binding", pending_margin=PendingMargin.MAX_SIDE)
        )
        assert refusals(engine, buy(account)) == [DENIED]
        assert floor.one("SELECT status FROM orders ORDER BY id LIMIT 1") == "new"


def test_at_opening_prices_an_order_binds_what_it_would_deal_at(floor: Floor) -> None:
    """The ask 1.10010: one lot binds 1,100.10, and not the middle's 1,100.05."""
    account = account_of(floor, "1100.10", margin_price=MarginPrice.OPEN)
    short = floor.account(
        "1100.09", client_class=ClientClass.PROFESSIONAL, leverage=100, group="binding"
    )
    with floor.engine() as engine:
        assert refusals(engine, bid(account, 1), bid(short, 1)) == [None, DENIED]


def test_a_stop_limit_that_wakes_and_rests_on_is_not_asked_again(floor: Floor) -> None:
    account = account_of(floor)
    waking = buy(
        account,
        order_type=OrderType.STOP_LIMIT,
        time_in_force=TimeInForce.GTC,
        stop_price="1.10500",
        limit_price="1.10400",
        client_order_id="w",
    )
    with floor.engine() as engine:
        assert refusals(engine, waking, bid(account, 8)) == [None, None]
        floor.quote(engine, "EURUSD", "1.12500", "1.12510")  # nine lots bind 10,125.45 now
        assert floor.one(
            "SELECT status FROM orders WHERE client_order_id = 'w' AND triggered_at IS NOT NULL"
        ) == str(OrderStatus.NEW)


def test_orders_with_providers_and_orders_at_rest_bind_together(
    engine_database: str, engine: Session
) -> None:
    floor, late = Floor.opened(engine_database, engine, (ONE,)), Later(ONE)
    account = account_of(floor, book=Book.A)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert refusals(running, buy(account, 5 * LOT), bid(account, 4)) == [None, None]
        assert refusals(running, bid(account, 1), offer(account, 9)) == [DENIED, None]
        late.tell(late.asked[0], 5 * LOT, is_final=True)
        running.wait_until_idle()
        assert floor.position(account) == 5 * LOT
        # The spread of five lots, 50, is paid by now: 9,950 less nine lots is 49.55.
        assert refusals(running, bid(account, 1)) == [DENIED]
        assert refusal(lambda: withdraw(running, account, "49.56")).code is (
            ErrorCode.MONEY_INSUFFICIENT_FUNDS
        )
        withdraw(running, account, "49.55")
    assert floor.broken_laws() == {}


def test_an_order_comes_to_rest_beside_the_costs_of_what_is_in_flight(
    engine_database: str, engine: Session
) -> None:
    """Nine lots in flight bind 9,900.45 and cost 90 of spread; 9.01 to sell bind 9,911.45."""
    floor, late = Floor.opened(engine_database, engine, (ONE,)), Later(ONE)
    account = account_of(floor, "9995", book=Book.A)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        more = sell(account, 901_000, limit_price="1.15000")
        assert refusals(running, buy(account, 9 * LOT), offer(account, 9)) == [None, None]
        deal(running, CancelOrder(account_id=account, client_order_id=keys(floor)[-1]))
        assert refusals(running, more) == [DENIED]


def test_no_more_is_free_than_in_a_group_without_the_rule(
    engine_database: str, engine: Session
) -> None:
    """Long three and five to sell in flight: what may be closed frees nothing until it is."""
    floor, late = Floor.opened(engine_database, engine, (ONE,)), Later(ONE)
    account = account_of(floor, book=Book.A)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 3 * LOT))
        late.tell(late.asked[0], 3 * LOT, is_final=True)
        running.wait_until_idle()
        deal(running, sell(account, 5 * LOT))
        left = Decimal(10_000 - 30 - 20) - 5 * Decimal("1100.05")
        beyond = refusal(lambda: withdraw(running, account, str(left + Decimal("0.01"))))
        assert beyond.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        assert withdraw(running, account, str(left)) == 10_000 - left


def keys(floor: Floor) -> list[str]:
    return [key for (key,) in floor.rows("SELECT client_order_id FROM orders ORDER BY id")]


def test_the_sql_function_moves_nothing_beside_orders_that_bind(floor: Floor) -> None:
    account, free = account_of(floor), floor.account()
    with floor.engine() as engine:
        deal(engine, bid(account, 1, client_order_id="a"))
        deal(engine, bid(free, 1))
        key = new_id_text()
        refused = refusal(
            lambda: transfer_to_wallet(floor.session, account, Decimal(1), transaction_id=key)
        )
        assert refused.code is ErrorCode.MONEY_ACCOUNT_HAS_ORDERS
        assert account in refused.what
        ledger.transfer_to_wallet(floor.session, free, Decimal(1), transaction_id=new_id_text())
        deal(engine, CancelOrder(account_id=account, client_order_id="a"))
    transfer_to_wallet(floor.session, account, Decimal(1), transaction_id=key)
    assert floor.balance(account) == 9_999


def test_closing_is_never_asked(floor: Floor) -> None:
    """Long one and ten to sell bind nine; without the position the ten of them do."""
    account = account_of(floor, "10020")
    with floor.engine() as engine:
        deal(engine, buy(account))
        assert refusals(engine, offer(account, 10)) == [None]
        ask(engine, close(account, ids(floor, account)[0]))
        assert floor.position(account) == 0
        assert refusals(engine, offer(account, 1), sell(account)) == [DENIED, DENIED]


@pytest.mark.parametrize(
    ("rule", "book", "asked"),
    [
        (PendingMargin.NONE, Book.B, []),
        (PendingMargin.NONE, Book.A, ["routed"]),
        (PendingMargin.MAX_SIDE, Book.B, ["live"]),
        (PendingMargin.MAX_SIDE, Book.A, ["live"]),
    ],
)
def test_only_accounts_whose_orders_bind_cost_a_statement(
    floor: Floor, rule: PendingMargin, book: Book, asked: list[str]
) -> None:
    account = account_of(floor, book=book, pending_margin=rule)
    others = [floor.account(group="binding") for _ in range(2)]
    with floor.engine() as engine:
        for one in others:
            deal(engine, bid(one, 1))
    recorder = Recorder(floor.session)
    with floor.session.transaction():
        reference = read_reference(floor.session)
        desk = lock_desk(recorder, reference, market_of({}), [buy(account)], {})
    marks = {"routed": "AND o.is_routed\nORDER", "live": "remaining_quantity > 0\nORDER"}
    sent = "".join(recorder.sent)
    assert [name for name, mark in marks.items() if mark in sent] == asked
    assert desk.orders == {}
