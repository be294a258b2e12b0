"""Market, limit and stop orders with every time in force, from submission to the rows."""

from decimal import Decimal
from typing import Any

import pytest

from tests.floor import Floor, ask, buy, deal, order, refusal, replacing, row_counts, sell
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    NothingDone,
    OrderReport,
    OrderStatus,
    OrderType,
    Origin,
    RefusedBy,
    SubmitOrder,
    TimeInForce,
)


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def order_row(floor: Floor, order_id: str) -> tuple[object, ...]:
    return floor.rows(
        "SELECT status, filled_quantity, remaining_quantity, average_price, refusal_code"
        " FROM orders WHERE id = %s",
        order_id,
    )[0]


def events(floor: Floor, order_id: str) -> list[tuple[str, str]]:
    return floor.rows(
        "SELECT event_type, to_status FROM order_events WHERE order_id = %s ORDER BY seq", order_id
    )


def test_a_market_buy_pays_the_ask_and_a_sell_gets_the_bid(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        bought = deal(engine, buy(rich))
        sold = deal(engine, sell(rich, 30_000))
    assert (bought.status, bought.average_price) == (OrderStatus.FILLED, Decimal("1.10010"))
    assert (sold.status, sold.average_price) == (OrderStatus.FILLED, Decimal("1.10000"))
    assert floor.position(rich) == 70_000
    assert floor.balance(rich) == Decimal("999997.00")  # 30,000 * (1.10000 - 1.10010)
    assert floor.broken_laws() == {}


def test_one_lot_of_eurusd_up_ten_pips_earns_a_hundred_dollars(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.09999", "1.10000")) as engine:
        deal(engine, buy(rich))
        floor.quote(engine, "EURUSD", "1.10100", "1.10101")
        deal(engine, sell(rich))
    assert floor.balance(rich) == Decimal("1000100.00")
    assert floor.one("SELECT realised_pnl FROM positions") == Decimal("100.00")


def test_one_lot_of_usdjpy_up_half_a_yen_is_converted_at_the_worse_side(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "USDJPY", "149.999", "150.000")
        deal(engine, buy(rich, symbol="USDJPY"))
        floor.quote(engine, "USDJPY", "150.500", "150.501")
        deal(engine, sell(rich, symbol="USDJPY"))
    # 50,000 JPY at the worse side for the client, 1/150.501; the example's 332.23 is at 150.500.
    assert floor.balance(rich) == Decimal("1000332.22")


def test_best_price_is_taken_first_and_the_rest_from_the_next_provider(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(engine, buy(rich, 1_500_000))
    fills = floor.rows(
        "SELECT p.code, f.quantity, f.price FROM order_fills AS f"
        " JOIN liquidity_providers AS p ON p.id = f.provider_id ORDER BY f.id"
    )
    # LP-TWO stands a basis point of the middle wider, rounded outwards to the tick.
    assert fills == [
        ("LP-ONE", Decimal(1_000_000), Decimal("1.10010")),
        ("LP-TWO", Decimal(500_000), Decimal("1.10022")),
    ]
    assert report.average_price == Decimal("1.10014")
    assert floor.broken_laws() == {}


def test_an_immediate_order_deals_what_there_is_and_cancels_the_rest(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        report = deal(engine, buy(rich, 7_000_000))
    assert report.status is OrderStatus.CANCELED
    assert report.refusal_code is ErrorCode.ORDER_LIQUIDITY_EXHAUSTED
    assert order_row(floor, report.order_id)[:3] == ("canceled", 6_000_000, 0)
    assert [kind for kind, _ in events(floor, report.order_id)] == [
        "new",
        "trade",
        "trade",
        "canceled",
    ]
    assert floor.position(rich) == 6_000_000
    assert floor.broken_laws() == {}


def test_fill_or_kill_deals_all_or_writes_no_fill(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        killed = deal(engine, buy(rich, 7_000_000, time_in_force=TimeInForce.FOK))
        filled = deal(engine, buy(rich, 6_000_000, time_in_force=TimeInForce.FOK))
    assert (killed.status, killed.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert (filled.status, filled.filled_quantity) == (OrderStatus.FILLED, Decimal(6_000_000))
    assert floor.one("SELECT count(*) FROM order_fills WHERE order_id = %s", killed.order_id) == 0
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("time_in_force", "filled"), [(TimeInForce.IOC, 1_000_000), (TimeInForce.FOK, 0)]
)
def test_an_immediate_limit_never_deals_beyond_its_price(
    floor: Floor, rich: str, time_in_force: TimeInForce, filled: int
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(
            engine, buy(rich, 2_000_000, limit_price="1.10015", time_in_force=time_in_force)
        )
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELED, Decimal(filled))
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("side", "limit", "before", "reached", "price"),
    [
        (Side.BUY, "1.09900", ("1.09891", "1.09901"), ("1.09885", "1.09895"), "1.09895"),
        (Side.SELL, "1.10100", ("1.10099", "1.10109"), ("1.10102", "1.10112"), "1.10102"),
    ],
)
def test_a_resting_limit_deals_at_its_price_or_better_once_reached(
    floor: Floor,
    rich: str,
    *,
    side: Side,
    limit: str,
    before: tuple[str, str],
    reached: tuple[str, str],
    price: str,
) -> None:
    with floor.engine() as engine:
        make = buy if side is Side.BUY else sell
        rested = deal(engine, make(rich, limit_price=limit))
        assert (rested.status, rested.filled_quantity) == (OrderStatus.NEW, Decimal(0))
        floor.quote(engine, "EURUSD", *before)
        assert order_row(floor, rested.order_id)[0] == "new"
        floor.quote(engine, "EURUSD", *reached)
    assert order_row(floor, rested.order_id)[:4] == ("filled", 100_000, 0, Decimal(price))
    assert floor.broken_laws() == {}


def test_a_limit_that_is_met_on_arrival_deals_at_once_and_rests_with_the_remainder(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(engine, buy(rich, 1_500_000, limit_price="1.10010"))
        assert (report.status, report.filled_quantity) == (
            OrderStatus.PARTIALLY_FILLED,
            Decimal(1_000_000),
        )
        floor.quote(engine, "EURUSD", "1.09990", "1.10000")
    assert order_row(floor, report.order_id) == (
        "filled",
        1_500_000,
        0,
        Decimal("1.10006667"),
        None,
    )
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("side", "stop", "before", "reached", "price"),
    [
        (Side.BUY, "1.10100", ("1.10089", "1.10099"), ("1.10110", "1.10120"), "1.10120"),
        (Side.SELL, "1.09900", ("1.09901", "1.09911"), ("1.09880", "1.09890"), "1.09880"),
    ],
)
def test_a_stop_waits_for_its_price_then_deals_at_the_market_even_if_worse(
    floor: Floor,
    rich: str,
    *,
    side: Side,
    stop: str,
    before: tuple[str, str],
    reached: tuple[str, str],
    price: str,
) -> None:
    with floor.engine() as engine:
        make = buy if side is Side.BUY else sell
        rested = deal(engine, make(rich, stop_price=stop))
        floor.quote(engine, "EURUSD", *before)
        assert order_row(floor, rested.order_id)[0] == "new"
        floor.quote(engine, "EURUSD", *reached)
    assert order_row(floor, rested.order_id)[:4] == ("filled", 100_000, 0, Decimal(price))
    assert [kind for kind, _ in events(floor, rested.order_id)] == ["new", "triggered", "trade"]


def test_a_stop_beyond_the_price_triggers_on_arrival(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(engine, buy(rich, stop_price="1.10010"))
    assert (report.status, report.average_price) == (OrderStatus.FILLED, Decimal("1.10010"))


def test_stops_that_one_quote_sets_off_deal_in_the_order_of_their_distance(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        for stop in ("1.10200", "1.10300", "1.10250"):
            deal(engine, buy(rich, stop_price=stop))
        floor.quote(engine, "EURUSD", "1.10400", "1.10410")
    dealt = floor.rows(
        "SELECT o.stop_price FROM order_fills AS f JOIN orders AS o ON o.id = f.order_id"
        " ORDER BY f.id"
    )
    assert dealt == [(Decimal("1.10300"),), (Decimal("1.10250"),), (Decimal("1.10200"),)]


def test_what_one_quote_sets_off_is_dealt_in_one_order_however_it_was_submitted(
    floor: Floor, rich: str
) -> None:
    """Nearest trigger first, then the older order: ids are made in the order of their creation."""
    kinds: dict[str, dict[str, Any]] = {
        "near-stop": {"stop_price": "1.10410"},
        "again": {"stop_price": "1.10410"},
        "trailing": {"trailing_distance": "0.00400"},
        "far": {"stop_price": "1.10100"},
    }
    with floor.engine() as engine:
        for key in ("far", "trailing", "again", "near-stop"):
            deal(engine, buy(rich, client_order_id=key, **kinds[key]))
        floor.quote(engine, "EURUSD", "1.10400", "1.10410")
    dealt = floor.rows(
        "SELECT o.client_order_id FROM order_fills AS f JOIN orders AS o ON o.id = f.order_id"
        " ORDER BY f.id"
    )
    # The trailing stop stood at 1.10410 too, and is older than the others that do.
    assert [key for (key,) in dealt] == ["trailing", "again", "near-stop", "far"]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("side", "prices", "origin", "price", "balance"),
    [
        (Side.BUY, ("1.09800", "1.09810"), "stop_loss", "1.09800", "999790.00"),
        (Side.BUY, ("1.10200", "1.10210"), "take_profit", "1.10200", "1000190.00"),
        (Side.SELL, ("1.10200", "1.10210"), "stop_loss", "1.10210", "999790.00"),
        (Side.SELL, ("1.09800", "1.09810"), "take_profit", "1.09810", "1000190.00"),
    ],
)
def test_stop_loss_and_take_profit_close_the_position_on_either_side(
    floor: Floor,
    rich: str,
    *,
    side: Side,
    prices: tuple[str, str],
    origin: str,
    price: str,
    balance: str,
) -> None:
    low, high = "1.09850", "1.10150"
    stop_loss, take_profit = (low, high) if side is Side.BUY else (high, low)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        make = buy if side is Side.BUY else sell
        deal(engine, make(rich, stop_loss=stop_loss, take_profit=take_profit))
        floor.quote(engine, "EURUSD", "1.10001", "1.10011")
        assert floor.position(rich) != 0
        floor.quote(engine, "EURUSD", *prices)
    assert floor.position(rich) == 0
    assert floor.rows("SELECT origin, average_price FROM orders WHERE origin <> 'client'") == [
        (origin, Decimal(price))
    ]
    assert floor.balance(rich) == Decimal(balance)
    assert floor.broken_laws() == {}


def test_a_flip_closes_one_position_and_opens_another(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(rich))
        deal(engine, sell(rich, 250_000))
    assert floor.rows(
        "SELECT quantity, average_price, realised_pnl, is_open FROM positions ORDER BY is_open"
    ) == [
        (Decimal(0), Decimal("1.10010"), Decimal("-10.00"), False),
        (Decimal(-150_000), Decimal("1.10000"), Decimal(0), True),
    ]
    assert floor.broken_laws() == {}


def test_commission_is_charged_per_side_and_rounded_once(floor: Floor, rich: str) -> None:
    floor.session.execute("UPDATE instruments SET commission_per_million = 35")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(rich, 1000))
        deal(engine, buy(rich, 1_000_000))
    # 1,000 EUR are 1,100.05 USD of notional: 0.03850175; a million: 38.50175.
    assert floor.rows("SELECT commission FROM trades ORDER BY id") == [
        (Decimal("0.04"),),
        (Decimal("38.50"),),
    ]
    assert floor.balance(rich) == Decimal("999961.46")
    assert floor.broken_laws() == {}


def test_the_same_key_again_answers_with_the_first_order(floor: Floor, rich: str) -> None:
    command = buy(rich, client_order_id="mine")
    with floor.engine() as engine:
        first = deal(engine, command)
        counts = row_counts(floor.session)
        second = deal(engine, command)
        both = [f.result(timeout=30) for f in engine.submit_together([command, command])]
    assert not first.is_replay
    assert second.is_replay
    assert {report.order_id for report in both if isinstance(report, OrderReport)} == {
        first.order_id
    }
    assert row_counts(floor.session) == counts


def test_the_same_key_twice_in_one_batch_is_one_order(floor: Floor, rich: str) -> None:
    command = buy(rich, client_order_id="mine")
    with floor.engine() as engine:
        futures = engine.submit_together([command, command])
        reports = [future.result(timeout=30) for future in futures]
    assert [isinstance(r, OrderReport) and r.is_replay for r in reports] == [False, True]
    assert floor.position(rich) == 100_000


def test_the_same_key_with_another_body_is_refused(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, client_order_id="mine"))
        counts = row_counts(floor.session)
        error = refusal(lambda: deal(engine, buy(rich, 200_000, client_order_id="mine")))
    assert error.code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert error.hint == "Use a new client order id for a new order."
    assert row_counts(floor.session) == counts


def test_the_key_of_an_alternative_with_another_quantity_is_refused(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        resting = {"limit_price": "1.05000", "client_order_id": "mine", "oco_group": "g"}
        deal(engine, buy(rich, 1_000, **resting))
        again = deal(engine, buy(rich, 1_000, **resting))
        error = refusal(lambda: deal(engine, buy(rich, 77_000, **resting)))
    assert again.is_replay
    assert error.code is ErrorCode.ORDER_DUPLICATE_DIFFERS


def test_an_alternative_that_another_has_taken_from_is_replaced_but_never_by_more(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, 7_000_000, limit_price="1.09900", oco_group="g"))
        other = buy(rich, 7_000_000, limit_price="1.09000", oco_group="g", client_order_id="mine")
        deal(engine, other)
        floor.quote(engine, "EURUSD", "1.09880", "1.09890")
        left = floor.one("SELECT quantity FROM orders WHERE client_order_id = 'mine'")
        again = deal(engine, other)
        more = replacing(rich, "mine", "more", quantity=left + 1_000)
        error = refusal(lambda: deal(engine, more))
        deal(engine, replacing(rich, "mine", "new", limit_price=Decimal("1.09100")))
        less = deal(engine, replacing(rich, "new", "less", quantity=left - 1_000))
        floor.quote(engine, "EURUSD", "1.09080", "1.09090")
    assert 0 < left < other.quantity
    assert again.is_replay
    assert error.code is ErrorCode.ORDER_GROUP_DECIDED
    assert less.status is OrderStatus.NEW
    assert floor.position(rich) <= 7_000_000
    assert floor.broken_laws() == {}


def test_two_accounts_may_use_the_same_key(floor: Floor, rich: str) -> None:
    other = floor.account("100000")
    with floor.engine() as engine:
        first = deal(engine, buy(rich, client_order_id="mine"))
        second = deal(engine, buy(other, client_order_id="mine"))
    assert first.order_id != second.order_id
    assert not second.is_replay


def test_a_resting_order_is_canceled_once_and_never_deals(floor: Floor, rich: str) -> None:
    cancel = CancelOrder(account_id=rich, client_order_id="mine")
    with floor.engine() as engine:
        deal(engine, buy(rich, limit_price="1.09900", client_order_id="mine"))
        canceled = deal(engine, cancel)
        late = refusal(lambda: deal(engine, cancel))
        floor.quote(engine, "EURUSD", "1.09800", "1.09810")
    assert (canceled.status, canceled.refused_by) == (OrderStatus.CANCELED, None)
    assert late.code is ErrorCode.ORDER_ENDED
    assert late.hint == "Read the order; to undo a fill, trade the other way."
    assert floor.position(rich) == 0
    assert floor.broken_laws() == {}


def test_a_filled_order_is_canceled_too_late_and_an_unknown_one_not_at_all(
    floor: Floor, rich: str
) -> None:
    other = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(rich, client_order_id="mine"))
        counts = row_counts(floor.session)
        late = refusal(lambda: deal(engine, CancelOrder(account_id=rich, client_order_id="mine")))
        stranger = refusal(
            lambda: deal(engine, CancelOrder(account_id=other, client_order_id="mine"))
        )
    assert late.code is ErrorCode.ORDER_ENDED
    assert stranger.code is ErrorCode.ORDER_UNKNOWN
    assert stranger.hint == "Check the client order id and the account."
    assert row_counts(floor.session) == counts


def test_an_order_and_its_cancel_in_one_batch_are_decided_in_their_order(
    floor: Floor, rich: str
) -> None:
    submit = buy(rich, limit_price="1.09900", client_order_id="mine")
    cancel = CancelOrder(account_id=rich, client_order_id="mine")
    with floor.engine() as engine:
        early, _, done = engine.submit_together([cancel, submit, cancel])
        assert refusal(lambda: early.result(timeout=30)).code is ErrorCode.ORDER_UNKNOWN
        report = done.result(timeout=30)
    assert isinstance(report, OrderReport)
    assert report.status is OrderStatus.CANCELED


def test_a_client_closes_a_position_once(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich))
        position_id = floor.one("SELECT id::text FROM positions")
        close = ClosePosition(account_id=rich, position_id=position_id, symbol="EURUSD")
        closed = ask(engine, close)
        again = refusal(lambda: ask(engine, close))
    assert isinstance(closed, OrderReport)
    assert closed.filled_quantity == 100_000
    assert floor.position(rich) == 0
    assert again.code is ErrorCode.POSITION_UNKNOWN
    assert again.hint == "Read the account's open positions."


def test_a_protection_that_is_no_longer_reached_does_nothing(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, stop_loss="1.09900"))
        counts = row_counts(floor.session)
        report = ask(
            engine,
            ClosePosition(
                account_id=rich,
                position_id=floor.one("SELECT id::text FROM positions"),
                symbol="EURUSD",
                origin=Origin.STOP_LOSS,
            ),
        )
    assert isinstance(report, NothingDone)
    assert row_counts(floor.session) == counts


def denied(floor: Floor, command: SubmitOrder) -> str:
    """Submit an order at 1.10000/1.10010; return the code under which it is denied."""
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(engine, command)
    assert (report.status, report.refused_by) == (OrderStatus.REJECTED, RefusedBy.HOUSE)
    code, details = floor.rows(
        "SELECT o.refusal_code, e.details FROM orders AS o"
        " JOIN order_events AS e ON e.order_id = o.id WHERE o.id = %s",
        report.order_id,
    )[0]
    assert details["code"] == code == report.refusal_code
    assert details["why"].endswith(".")
    assert floor.one("SELECT count(*) FROM order_fills") == 0
    assert floor.broken_laws() == {}
    return str(code)


def test_an_order_beyond_the_margin_is_denied(floor: Floor) -> None:
    # 30:1 of 3,667 USD carries 100,000 EUR at 1.10005 and its spread of 10 USD; 3,676 do not.
    poor, able = floor.account("3676"), floor.account("3677")
    assert denied(floor, buy(poor)) == "ORDER_MARGIN_INSUFFICIENT"
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        assert deal(engine, buy(able)).status is OrderStatus.FILLED


def test_an_order_above_the_largest_quantity_is_denied(floor: Floor, rich: str) -> None:
    assert denied(floor, buy(rich, 20_001_000)) == "ORDER_QUANTITY_OUT_OF_RANGE"


def test_an_order_in_a_halted_instrument_is_denied(floor: Floor, rich: str) -> None:
    floor.session.execute("UPDATE instruments SET is_tradable = false")
    assert denied(floor, buy(rich)) == "INSTRUMENT_NOT_TRADABLE"


def test_an_order_without_a_quote_is_denied(floor: Floor, rich: str) -> None:
    assert denied(floor, buy(rich, symbol="USDJPY")) == "ORDER_PRICE_STALE"


def test_an_order_on_a_quote_that_has_grown_old_is_denied(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        for _ in range(61):
            floor.quote(engine, "USDJPY", "150.000", f"150.{100 + floor.now.second:03}")
        report = deal(engine, buy(rich))
    assert report.refusal_code is ErrorCode.ORDER_PRICE_STALE


def test_an_order_whose_rate_is_missing_is_denied(floor: Floor) -> None:
    sterling = floor.account("100000", currency="GBP")
    assert denied(floor, buy(sterling)) == "ORDER_RATE_MISSING"


@pytest.mark.parametrize(
    ("side", "protection", "code"),
    [
        (Side.BUY, {"stop_loss": "1.09999"}, None),
        (Side.BUY, {"stop_loss": "1.10000"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
        (Side.BUY, {"stop_loss": "1.10005"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
        (Side.BUY, {"take_profit": "1.10011"}, None),
        (Side.BUY, {"take_profit": "1.10010"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
        (Side.SELL, {"stop_loss": "1.10011"}, None),
        (Side.SELL, {"stop_loss": "1.10010"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
        (Side.SELL, {"stop_loss": "1.10005"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
        (Side.SELL, {"take_profit": "1.09999"}, None),
        (Side.SELL, {"take_profit": "1.10000"}, "ORDER_PROTECTION_ON_WRONG_SIDE"),
    ],
)
def test_a_protection_stands_on_its_own_side_of_bid_and_ask(
    floor: Floor, rich: str, side: Side, protection: dict[str, str], code: str | None
) -> None:
    """At 1.10000/1.10010 a long position is closed at the bid, a short one at the ask."""
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        report = deal(engine, order(rich, side, 1_000, **protection))
    assert report.refusal_code == code
    assert floor.position(rich) == (0 if code else 1_000 * side.sign)


def test_a_suspended_account_may_only_reduce(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich))
        floor.session.execute("UPDATE accounts SET status = 'suspended'")
        more = deal(engine, buy(rich))
        flip = deal(engine, sell(rich, 150_000))
        less = deal(engine, sell(rich))
    assert more.refusal_code is ErrorCode.ACCOUNT_NOT_ACTIVE
    assert flip.refusal_code is ErrorCode.ACCOUNT_NOT_ACTIVE
    assert less.status is OrderStatus.FILLED
    assert floor.position(rich) == 0


def test_a_resting_order_that_can_no_longer_be_carried_is_denied_when_it_triggers(
    floor: Floor,
) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        rested = deal(engine, buy(account, 500_000, stop_price="1.10100"))
        assert rested.status is OrderStatus.NEW
        floor.quote(engine, "EURUSD", "1.10200", "1.10210")
    assert order_row(floor, rested.order_id)[0] == "rejected"
    assert order_row(floor, rested.order_id)[4] == "ORDER_MARGIN_INSUFFICIENT"
    assert floor.broken_laws() == {}


def test_the_type_of_an_order_is_kept_with_its_metadata(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, limit_price="1.09900", metadata={"strategy": "a\tb\\n"}))
    assert floor.rows("SELECT order_type, time_in_force, metadata FROM orders") == [
        (str(OrderType.LIMIT), str(TimeInForce.GTC), {"strategy": "a\tb\\n"})
    ]
