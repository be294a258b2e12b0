"""Limits under the account's lock: a worked example of each, and many orders at once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from uuid_utils import uuid7

from tests.db.trading.test_replacing import other
from tests.floor import Floor, buy, deal, refusal, sell
from tradewright.core import ids
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.model import Quote
from tradewright.postgres.queries import load_queries
from tradewright.risk.limits import Limit, LimitKind, Scope, Target
from tradewright.risk.model import ClientClass
from tradewright.risk.store import clear_limit, read_breaches, read_limits, set_limit
from tradewright.trading import history
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, SubmitOrder


def limit(
    floor: Floor, kind: LimitKind, value: str, currency: str | None = None, **target: str
) -> None:
    """Set a limit for all, or for account=, group= or instrument=."""
    held = [Target(Scope(scope), name) for scope, name in target.items()]
    one = Limit(
        id="",
        kind=kind,
        target=held[0] if held else Target(),
        value=Decimal(value),
        currency=currency,
    )
    set_limit(floor.session, one, actor="anna")


def rich(floor: Floor, **changes: Any) -> str:
    return floor.account("1000000", client_class=ClientClass.PROFESSIONAL, leverage=500, **changes)


def code(engine: Engine, order: SubmitOrder) -> ErrorCode | None:
    return deal(engine, order).refusal_code


def test_the_value_of_an_order_is_limited_in_the_limits_currency(floor: Floor) -> None:
    limit(floor, LimitKind.ORDER_VALUE, "100000", "EUR")
    account = rich(floor)
    with floor.engine(eurusd=("1.09990", "1.10010")) as engine:
        # 100,000 EUR at the middle are 110,000 USD; 100,000 at 1.10010 are 110,010.
        assert code(engine, buy(account, 99_000)) is None
        assert code(engine, buy(account, 100_000)) is ErrorCode.ORDER_VALUE_EXCEEDED
        assert code(engine, buy(account, 100_000, limit_price="1.05000")) is None
    (breach,) = read_breaches(floor.session, count_max=9)
    assert breach.kind == "order_value"
    assert (breach.limit_value, breach.measured) == (Decimal(110_000), Decimal(110_010))
    assert floor.broken_laws() == {}


def test_a_price_far_from_the_middle_is_denied(floor: Floor) -> None:
    limit(floor, LimitKind.PRICE_COLLAR, "100")
    account = rich(floor)
    with floor.engine(eurusd=("1.09990", "1.10010")) as engine:
        assert code(engine, buy(account, 1000, limit_price="1.08900")) is None
        outside = buy(account, 1000, limit_price="1.08899")
        assert code(engine, outside) is ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR


def test_what_is_above_a_limit_by_less_than_is_kept_is_denied_and_kept_above_it(
    floor: Floor,
) -> None:
    """0.002 of 1.10005 are 18.18099177310... basis points."""
    limit(floor, LimitKind.PRICE_COLLAR, "18.18099177")
    account = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        outside = buy(account, 1000, limit_price="1.09805")
        assert code(engine, outside) is ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR
    (breach,) = read_breaches(floor.session, count_max=9)
    assert (f"{breach.limit_value:f}", f"{breach.measured:f}") == ("18.18099177", "18.18099178")


def test_an_unusual_size_is_denied_once_ten_orders_say_what_is_usual(floor: Floor) -> None:
    limit(floor, LimitKind.ORDER_SIZE, "10")
    account = rich(floor)
    with floor.engine() as engine:
        assert code(engine, buy(account, 900_000)) is None
        for _ in range(9):
            assert code(engine, buy(account, 1000)) is None
        assert code(engine, buy(account, 11_000)) is ErrorCode.ORDER_SIZE_UNUSUAL
        assert code(engine, buy(account, 10_000)) is None
        assert code(engine, sell(account, 11_000)) is None  # it reduces


def test_resting_orders_and_open_positions_are_counted(floor: Floor) -> None:
    limit(floor, LimitKind.OPEN_ORDERS, "2")
    limit(floor, LimitKind.OPEN_POSITIONS, "1")
    account = rich(floor)
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        for expected in (None, None, ErrorCode.ORDER_COUNT_EXCEEDED):
            assert code(engine, buy(account, 1000, limit_price="1.05000")) is expected
        assert code(engine, buy(account, 1000)) is None
        assert code(engine, buy(account, 1000)) is None
        other = buy(account, 1000, symbol="GBPUSD")
        assert code(engine, other) is ErrorCode.POSITION_COUNT_EXCEEDED


def test_exposure_is_limited_by_symbol_and_in_all_and_reducing_passes(floor: Floor) -> None:
    limit(floor, LimitKind.SYMBOL_EXPOSURE, "220000", "USD", instrument="EURUSD")
    limit(floor, LimitKind.TOTAL_EXPOSURE, "300000", "USD")
    account = rich(floor)
    with floor.engine(eurusd=("1.09990", "1.10010")) as engine:
        floor.quote(engine, "GBPUSD", "1.24990", "1.25010")
        assert code(engine, buy(account, 200_000)) is None  # 220,000 USD
        assert code(engine, buy(account, 1000)) is ErrorCode.ORDER_SYMBOL_EXPOSURE_EXCEEDED
        assert code(engine, sell(account, 64_000, symbol="GBPUSD")) is None  # 80,000 more
        more = sell(account, 1000, symbol="GBPUSD")
        assert code(engine, more) is ErrorCode.ORDER_TOTAL_EXPOSURE_EXCEEDED
        assert code(engine, sell(account, 100_000)) is None
    assert floor.broken_laws() == {}


def test_leverage_over_all_positions_is_capped(floor: Floor) -> None:
    limit(floor, LimitKind.LEVERAGE, "2")
    account = floor.account("110000", client_class=ClientClass.PROFESSIONAL, leverage=500)
    with floor.engine(eurusd=("1.09999", "1.10001")) as engine:
        assert code(engine, buy(account, 201_000)) is ErrorCode.ORDER_LEVERAGE_EXCEEDED
        assert code(engine, buy(account, 200_000)) is None
        assert code(engine, buy(account, 1000)) is ErrorCode.ORDER_LEVERAGE_EXCEEDED


def test_after_the_days_loss_nothing_is_opened_and_everything_may_be_closed(floor: Floor) -> None:
    limit(floor, LimitKind.DAILY_LOSS, "1000", "USD")
    account = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.09410", "1.09420")
        deal(engine, sell(account, 50_000))  # realises a loss of 300
        floor.quote(engine, "EURUSD", "1.08610", "1.08620")  # 700 more, on paper
        assert code(engine, buy(account, 1000)) is None
        floor.quote(engine, "EURUSD", "1.08600", "1.08610")
        assert code(engine, buy(account, 1000)) is ErrorCode.ORDER_DAILY_LOSS_REACHED
        assert code(engine, sell(account, 51_000)) is None
    assert floor.broken_laws() == {}


def test_a_drawdown_is_measured_from_the_best_moment(floor: Floor) -> None:
    limit(floor, LimitKind.DRAWDOWN, "1500", "USD")
    account = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.11010", "1.11020")
        deal(engine, sell(account, 100_000))  # wins 1,000: the best moment
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.09520", "1.09530")  # 1,500 below it
        assert code(engine, buy(account, 1000)) is None
        floor.quote(engine, "EURUSD", "1.09510", "1.09520")
        assert code(engine, buy(account, 1000)) is ErrorCode.ORDER_DRAWDOWN_REACHED


def test_the_net_open_position_is_the_larger_of_long_and_short_currencies(floor: Floor) -> None:
    """EUR +100,000 and GBP -100,000 against USD: 110,000 long and 125,000 short."""
    limit(floor, LimitKind.NET_OPEN_POSITION, "125000", "USD")
    account = rich(floor)
    with floor.engine(eurusd=("1.09999", "1.10001")) as engine:
        floor.quote(engine, "GBPUSD", "1.24999", "1.25001")
        assert code(engine, buy(account, 100_000)) is None
        assert code(engine, sell(account, 100_000, symbol="GBPUSD")) is None
        more = sell(account, 1000, symbol="GBPUSD")
        assert code(engine, more) is ErrorCode.ORDER_CREDIT_EXCEEDED
        assert code(engine, buy(account, 13_000)) is None


def test_orders_of_a_second_are_counted_in_the_batch_and_before_it(floor: Floor) -> None:
    limit(floor, LimitKind.MESSAGE_RATE, "3")
    account = rich(floor)
    with floor.engine() as engine:
        assert code(engine, buy(account, 1000)) is None
        futures = engine.submit_together([buy(account, 1000) for _ in range(4)])
        reports = [future.result(timeout=30) for future in futures]
    codes = [report.refusal_code for report in reports if isinstance(report, OrderReport)]
    assert codes == [None, None, *[ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED] * 2]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_orders_of_a_second_are_counted_whatever_the_engines_clock_says(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Keys are made by the engine's clock; when an order came is the server's word."""
    limit(floor, LimitKind.MESSAGE_RATE, "3")
    account, ahead = rich(floor), timedelta(seconds=seconds)
    shift = (seconds * 1000) << 80  # an id begins with 48 bits of milliseconds
    monkeypatch.setattr(ids, "_uuid7", lambda: UUID(int=uuid7().int + shift))
    monkeypatch.setattr(history, "utc_now", lambda: utc_now() + ahead)
    with floor.engine() as engine:
        codes = [code(engine, buy(account, 1000)) for _ in range(4)]
        assert codes == [None, None, None, ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED]
        pause(1.1)
        assert code(engine, buy(account, 1000)) is None


def test_a_replacement_goes_around_no_limit(floor: Floor) -> None:
    limit(floor, LimitKind.PRICE_COLLAR, "200")
    limit(floor, LimitKind.ORDER_SIZE, "5")
    limit(floor, LimitKind.OPEN_ORDERS, "1")
    account = rich(floor)
    with floor.engine(eurusd=("1.09990", "1.10010")) as engine:
        for _ in range(10):
            assert code(engine, buy(account, 1000)) is None
        deal(engine, buy(account, 1000, limit_price="1.09900", client_order_id="a"))
        far = other(account, "a", "b", limit_price="1.07000")
        assert refusal(lambda: deal(engine, far)).code is ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR
        large = other(account, "a", "b", quantity="6000")
        assert refusal(lambda: deal(engine, large)).code is ErrorCode.ORDER_SIZE_UNUSUAL
        assert deal(engine, other(account, "a", "b", limit_price="1.09800")).status == "new"
    assert floor.broken_laws() == {}


def test_replacements_of_a_second_are_counted_in_the_batch_and_before_it(floor: Floor) -> None:
    limit(floor, LimitKind.MESSAGE_RATE, "4")
    account = rich(floor)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000, limit_price="1.09900", client_order_id="a"))
        deal(engine, other(account, "a", "b", limit_price="1.09800"))
        more = [other(account, "a", f"c{n}", limit_price=f"1.097{n}0") for n in range(4)]
        futures = engine.submit_together(more)
        errors = [future.exception(timeout=30) for future in futures]
    assert errors[:2] == [None, None]
    for error in errors[2:]:
        assert isinstance(error, StateError)
        assert error.code is ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED


def test_the_smallest_of_the_limits_that_apply_holds_until_it_is_cleared(floor: Floor) -> None:
    account, other = rich(floor), rich(floor)
    limit(floor, LimitKind.ORDER_QUANTITY, "5000")
    limit(floor, LimitKind.ORDER_QUANTITY, "9000", account=account)
    limit(floor, LimitKind.ORDER_QUANTITY, "2000", account=other)
    with floor.engine() as engine:
        assert code(engine, buy(account, 6000)) is ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE
        assert code(engine, buy(other, 3000)) is ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE
        clear_limit(floor.session, LimitKind.ORDER_QUANTITY, Target(), actor="anna")
        assert code(engine, buy(account, 6000)) is None
    assert len(read_limits(floor.session)) == 2
    actors = floor.rows("SELECT DISTINCT actor FROM audit_log WHERE table_name = 'risk_limits'")
    assert actors == [("anna",)]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("kind", "value", "currency"),
    [
        (LimitKind.TOTAL_EXPOSURE, "11100", "USD"),
        (LimitKind.ORDER_QUANTITY, "10000", None),
        (LimitKind.MESSAGE_RATE, "10", None),
    ],
)
def test_orders_of_several_engines_at_once_never_exceed_a_limit(
    floor: Floor, kind: LimitKind, value: str, currency: str | None
) -> None:
    """Four engines, each with its own memory and sessions, send sixty orders for one account."""
    limit(floor, kind, value, currency)
    account = rich(floor)
    engines = [floor.build(writers=2) for _ in range(4)]
    floor.now = datetime.now(UTC)
    for engine in engines:
        engine.start()
        engine.on_quote(Quote("EURUSD", Decimal("1.10990"), Decimal("1.11010"), floor.now))
    start = threading.Barrier(len(engines))

    def trade(engine: Engine) -> None:
        start.wait(timeout=30)
        for future in [engine.submit(buy(account, 1000)) for _ in range(15)]:
            future.result(timeout=60)

    threads = [threading.Thread(target=trade, args=[engine]) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.stop()
    filled = floor.rows("SELECT created_at FROM orders WHERE status = 'filled' ORDER BY 1")
    if kind is LimitKind.TOTAL_EXPOSURE:
        assert len(filled) == 10  # 10,000 EUR at 1.11 are 11,100 USD, and not one more
    elif kind is LimitKind.MESSAGE_RATE:
        times = [row[0] for row in filled]
        assert len(times) >= 10
        assert all(b - a > timedelta(seconds=0.9) for a, b in zip(times, times[10:], strict=False))
    else:
        assert len(filled) == 60
    assert floor.broken_laws() == {}


def test_the_message_rate_reads_a_second_of_orders_and_not_what_an_account_has_ever_sent(
    floor: Floor,
) -> None:
    """The keys are in order of time, and a bound by them has to be one that an index can take."""
    account = rich(floor)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    session = floor.session
    copied = floor.one(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attnum > 0"
        " AND attrelid = 'orders'::regclass AND attname NOT IN ('id', 'client_order_id')"
    )
    session.execute("SET session_replication_role = replica")
    session.execute(
        f"INSERT INTO orders (id, client_order_id, {copied})"
        f" SELECT uuidv7(n * interval '-1 minute'), 'old-' || n, {copied} FROM orders,"
        " generate_series(1, 20000) AS n".encode()
    )
    session.execute("ANALYZE orders")
    query = load_queries("tradewright.trading")["orders_of_last_second"]
    explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()
    asked = {"ids": [account], "now": [utc_now()]}
    ((plan,),) = session.execute(explained, asked).fetchall()
    (read,) = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "orders"]
    assert read["Index Name"] == "orders_pkey"
    assert read["Actual Rows"] + read.get("Rows Removed by Filter", 0) <= 1


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every step of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
