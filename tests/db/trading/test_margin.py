"""Margin calls, stop-outs and forgiven balances, from a quote to the rows."""

from decimal import Decimal
from typing import Any

from tests.floor import Floor, ask, buy, deal, row_counts, sell
from tradewright.core.errors import ErrorCode
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.model import (
    CheckMargin,
    MarginReport,
    OrderStatus,
    SubmitOrder,
)


def check(engine: Engine, account: str) -> MarginReport:
    report = ask(engine, CheckMargin(account_id=account))
    assert isinstance(report, MarginReport)
    return report


def calls(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT margin_level, equity, used_margin, resolved_at IS NOT NULL"
        " FROM margin_calls ORDER BY opened_at"
    )


def stop_outs(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT orders_canceled, positions_closed, forgiven FROM stop_outs ORDER BY occurred_at"
    )


def test_a_margin_call_is_opened_once_and_resolved_when_the_level_recovers(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09800", "1.09810")
        assert calls(floor) == []
        floor.quote(engine, "EURUSD", "1.09500", "1.09510")
        floor.quote(engine, "EURUSD", "1.09450", "1.09460")
        # Equity 4,000 - 510; used 100,000 * 1.09505 / 30: 95.6121 percent.
        assert calls(floor) == [
            (Decimal("95.6121"), Decimal(3490), Decimal("3650.16666667"), False)
        ]
        floor.quote(engine, "EURUSD", "1.09990", "1.10000")
        resolved_at = engine.market.now
    assert [row[3] for row in calls(floor)] == [True]
    times = floor.rows("SELECT market_at, resolved_market_at FROM margin_calls")
    assert times[0][0] < times[0][1] == resolved_at
    assert floor.position(account) == 100_000
    assert stop_outs(floor) == []
    assert floor.broken_laws() == {}


def test_a_level_of_exactly_the_margin_call_level_is_a_call(floor: Floor) -> None:
    # At 1.09500/1.09700 the margin is 100,000 * 1.096 / 20 = 5,480 and the loss is 500.
    account = floor.account("5980", leverage=20)
    with floor.engine(eurusd=("1.09990", "1.10000")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09500", "1.09700")
        assert calls(floor) == [(Decimal(100), Decimal(5480), Decimal(5480), False)]


def test_a_stop_out_closes_the_largest_loss_first_and_stops_when_restored(floor: Floor) -> None:
    account = floor.account("12000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account, 100_000))
        deal(engine, buy(account, 150_000, symbol="GBPUSD"))
        floor.quote(engine, "GBPUSD", "1.21000", "1.21010")  # loses 6,015
        floor.quote(engine, "EURUSD", "1.07500", "1.07510")  # loses 2,510: level 36
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account, "EURUSD") == 100_000
    assert stop_outs(floor) == [(0, 1, Decimal(0))]
    assert floor.balance(account) == Decimal("5985.00")
    assert [row[3] for row in calls(floor)] == [False]  # 97 percent: restored, still called
    assert floor.broken_laws() == {}


def test_a_stop_out_closes_everything_when_the_largest_is_not_enough(floor: Floor) -> None:
    account = floor.account("12000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account, 100_000))
        deal(engine, buy(account, 150_000, symbol="GBPUSD"))
        floor.quote(engine, "GBPUSD", "1.17300", "1.17310")  # loses 11,565 of 12,000 at once
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account, "EURUSD") == 0
    closed = floor.rows("SELECT symbol FROM orders WHERE origin = 'stop_out' ORDER BY id")
    assert closed == [("GBPUSD",), ("EURUSD",)]
    assert stop_outs(floor) == [(0, 2, Decimal(0))]
    assert floor.broken_laws() == {}


def test_pending_orders_are_canceled_before_positions_are_closed(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        resting = deal(engine, buy(account, 1000, limit_price="1.00000"))
        floor.quote(engine, "EURUSD", "1.07800", "1.07810")
    row = floor.rows("SELECT status, refusal_code FROM orders WHERE id = %s", resting.order_id)
    assert row == [("canceled", "ORDER_STOPPED_OUT")]
    assert stop_outs(floor) == [(1, 1, Decimal(0))]
    assert floor.broken_laws() == {}


def test_a_gap_below_zero_is_forgiven_to_a_retail_client_only(floor: Floor) -> None:
    retail = floor.account("4000")
    professional = floor.account("4000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(retail))
        deal(engine, buy(professional))
        floor.quote(engine, "EURUSD", "1.05000", "1.05010")  # loses 5,010 of 4,000
        assert floor.balance(retail) == 0
        assert floor.balance(professional) == Decimal("-1010.00")
        floor.quote(engine, "EURUSD", "1.05001", "1.05011")
    assert sorted(stop_outs(floor)) == [(0, 1, Decimal(0)), (0, 1, Decimal("1010.00"))]
    paid = floor.one(
        "SELECT sum(t.amount) FROM transfers AS t JOIN house_accounts AS h"
        " ON h.id = t.debit_holder_id WHERE h.code = 'negative_balance'"
    )
    assert paid == Decimal("1010.00")
    assert floor.broken_laws() == {}


def test_a_balance_below_zero_after_a_stop_loss_is_forgiven_without_a_stop_out(
    floor: Floor,
) -> None:
    account = floor.account("4000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, stop_loss="1.09500"))
        floor.quote(engine, "EURUSD", "1.05000", "1.05010")
        floor.quote(engine, "EURUSD", "1.05001", "1.05011")
    assert floor.balance(account) == 0
    assert [row[2] for row in stop_outs(floor)] == [Decimal("1010.00")]
    assert floor.broken_laws() == {}


def test_a_debt_that_is_found_at_the_start_is_forgiven_with_the_next_quote(floor: Floor) -> None:
    account = floor.account("4000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.05000", "1.05010")
    assert floor.balance(account) == Decimal("-1010.00")
    floor.session.execute("UPDATE users SET client_class = 'retail'")
    with floor.engine(eurusd=("1.05000", "1.05010")):
        assert floor.balance(account) == 0
    assert floor.broken_laws() == {}


def test_a_position_without_a_fresh_price_is_left_alone(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.now = floor.now.replace(minute=5)
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        counts = row_counts(floor.session)
        for _ in range(2):
            report = ask(engine, CheckMargin(account_id=account))
    assert isinstance(report, MarginReport)
    assert (report.called, report.orders_canceled, report.positions_closed) == (False, 0, 0)
    assert row_counts(floor.session) == counts
    assert floor.one("SELECT about FROM alerts WHERE kind = 'symbol_unpriced'") == "EURUSD"


def test_a_check_of_a_sound_account_changes_nothing(floor: Floor) -> None:
    account = floor.account("10000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        counts = row_counts(floor.session)
        report = check(engine, account)
    assert report.margin_level is not None
    assert not report.called
    assert row_counts(floor.session) == counts


def test_two_checks_in_one_batch_stop_out_once(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        proposals = [CheckMargin(account_id=account)] * 3
        floor.quote(engine, "EURUSD", "1.07800", "1.07810")
        for future in engine.submit_together(proposals):
            future.result(timeout=30)
    assert stop_outs(floor) == [(0, 1, Decimal(0))]


def test_a_stop_out_in_book_a_passes_one_position_on_and_waits_for_the_answer(
    floor: Floor,
) -> None:
    account = floor.account("12000", client_class=ClientClass.PROFESSIONAL, book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account, 100_000))
        deal(engine, buy(account, 150_000, symbol="GBPUSD"))
        floor.quote(engine, "GBPUSD", "1.17300", "1.17310")
        assert floor.position(account, "GBPUSD") == 0
        assert floor.position(account, "EURUSD") == 100_000
        floor.quote(engine, "EURUSD", "1.10001", "1.10011")
    assert floor.position(account, "EURUSD") == 0
    assert [row[1] for row in stop_outs(floor)] == [1, 1]
    assert floor.broken_laws() == {}


def test_margin_is_watched_although_a_price_was_missing_when_the_engine_started(
    floor: Floor,
) -> None:
    account = floor.account("12000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account, 100_000))
        deal(engine, buy(account, 150_000, symbol="GBPUSD"))
    with floor.engine(eurusd=("1.10000", "1.10010")) as restarted:  # sterling has no price yet
        floor.quote(restarted, "GBPUSD", "1.17300", "1.17310")
        floor.quote(restarted, "GBPUSD", "1.17200", "1.17210")
    assert len(stop_outs(floor)) == 1


def test_margin_in_a_third_currency_is_watched_through_its_rates(floor: Floor) -> None:
    account = floor.account("10000", client_class=ClientClass.PROFESSIONAL, leverage=100)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        floor.quote(engine, "EURGBP", "0.88000", "0.88010")
        deal(engine, buy(account, 500_000, symbol="EURGBP"))
        floor.quote(engine, "EURGBP", "0.87510", "0.87520")  # loses 2,500 GBP = 3,125 USD
        assert calls(floor) == []
        floor.quote(engine, "GBPUSD", "2.00000", "2.00010")  # the same loss is 5,000 USD
    assert len(calls(floor)) == 1


def test_a_low_leverage_account_is_called_on_the_quote_that_crosses_its_level(
    floor: Floor,
) -> None:
    # Sold at 1:1, margin grows with the price: at 1.15 equity 115,000 meets margin 115,000.
    account = floor.account("120000", leverage=1)
    with floor.engine(eurusd=("1.10000", "1.10001")) as engine:
        deal(engine, sell(account, 100_000))
        for price in range(110_000, 116_000, 400):
            floor.quote(engine, "EURUSD", f"1.{price - 100_000}", f"1.{price - 99_999}")
            assert len(calls(floor)) == (price >= 115_000)


def test_an_order_with_the_last_of_the_margin_is_denied_to_the_second(floor: Floor) -> None:
    account = floor.account("4000")
    commands: list[SubmitOrder] = [buy(account), buy(account)]
    with floor.engine() as engine:
        futures = engine.submit_together(commands)
        reports = [future.result(timeout=30) for future in futures]
    assert [getattr(report, "status", None) for report in reports] == [
        OrderStatus.FILLED,
        OrderStatus.REJECTED,
    ]
    assert floor.position(account) == 100_000


def test_an_order_is_measured_at_what_it_will_deal_at_not_at_the_best_price(floor: Floor) -> None:
    # One million at 1.10010 and two further away, 1.10018 in the mean of the three: margin
    # 3,000,000 * 1.10005 / 100 = 33,001.50, and a loss of 540 at once. At the best price the loss
    # would have been 300, and 33,400 enough.
    poor, rich = (
        floor.account(balance, client_class=ClientClass.PROFESSIONAL, leverage=100)
        for balance in ("33400", "33600")
    )
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        denied, dealt = (deal(engine, buy(account, 3_000_000)) for account in (poor, rich))
    assert (denied.status, denied.refusal_code) == (
        OrderStatus.REJECTED,
        ErrorCode.ORDER_MARGIN_INSUFFICIENT,
    )
    assert (dealt.status, dealt.average_price) == (OrderStatus.FILLED, Decimal("1.10018"))
    assert floor.broken_laws() == {}
