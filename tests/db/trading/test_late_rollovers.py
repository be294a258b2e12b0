"""Swap is owed for what was open at 17:00 in New York, however late anybody learns of it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_rollovers import AFTER, BEFORE, TUESDAY, quote_at, set_terms
from tests.floor import ONE, TWO, Floor, ask, buy, deal, order, refusal, sell
from tests.positions import account_of, close, ids
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.liquidity.model import Quote, Side
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.pipeline import Pipeline
from tradewright.risk.model import ClientClass
from tradewright.routing import Policy, set_policy
from tradewright.routing.model import Book
from tradewright.trading.batch import Trading, book_batch
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import OrderReport, SubmitOrder
from tradewright.trading.reference import read_reference
from tradewright.trading.swaps import RollOver, SwapForm

STEP = timedelta(seconds=1)


@pytest.fixture
def floor(engine_database: str, engine: Session) -> Floor:
    opened = Floor.opened(engine_database, engine, (ONE, TWO))
    set_terms(opened)
    return opened


def charged(floor: Floor) -> list[tuple[Any, ...]]:
    """Return (day, quantity, amount, whether it came late) of every row, in order."""
    return floor.rows(
        "SELECT rollover_on, quantity, amount, trade_id IS NOT NULL FROM position_rollovers"
        " ORDER BY id"
    )


@contextmanager
def provided(floor: Floor, mode: PositionMode) -> Iterator[tuple[Engine, Later, str]]:
    """Run an engine from a second before the cut; of what it deals its provider tells later."""
    late = Later(ONE)
    account = account_of(floor, mode, book=Book.A)
    with run(floor, {"LP-ONE": late}) as engine:
        quote_at(floor, engine, BEFORE)
        yield engine, late, account


def tell(engine: Engine, late: Later, quantity: int = 100_000, **fields: Any) -> None:
    """Let the provider tell what it has dealt of its last request, and book it."""
    late.tell(late.asked.pop(), quantity, **fields)
    engine.wait_until_idle()


def told_after_the_cut(
    floor: Floor, mode: PositionMode, first: Sequence[SubmitOrder], told: int
) -> tuple[str, list[tuple[Any, ...]]]:
    """Hold what `first` deals over the cut; of a last order a provider tells only after it.

    It is dealt a second before the cut: `told` is its signed quantity.
    """
    with provided(floor, mode) as (engine, late, account):
        for command in first:
            deal(engine, order(account, command.side, command.quantity))
            tell(engine, late, int(command.quantity))
        deal(engine, order(account, Side.BUY if told > 0 else Side.SELL, abs(told)))
        quote_at(floor, engine, AFTER)
        tell(engine, late, abs(told))
        rows = charged(floor)
        quote_at(floor, engine, AFTER + STEP)
    assert charged(floor) == rows
    return account, rows


def set_money_terms(floor: Floor) -> None:
    """Let EURUSD cost money in a currency that has no rate before `quote_pounds`."""
    money = {"form": SwapForm.MONEY, "long_rate": Decimal(-4), "currency": "GBP"}
    set_terms(floor, effective_on=date(2026, 1, 2), **money)


def quote_pounds(floor: Floor, engine: Engine, later: timedelta) -> None:
    floor.now += later
    engine.on_quote(Quote("GBPUSD", Decimal("1.25"), Decimal("1.2501"), floor.now))


def any_account(quantity: int, side: Side = Side.BUY) -> SubmitOrder:
    return order("", side, quantity)


def test_what_a_provider_has_dealt_before_and_tells_after_pays_at_once(floor: Floor) -> None:
    _, rows = told_after_the_cut(floor, PositionMode.NETTING, [], 100_000)
    assert rows == [(TUESDAY, 100_000, Decimal("-7.50"), True)]
    assert floor.broken_laws() == {}


def test_the_free_nights_of_what_is_told_late_begin_when_it_was_dealt(floor: Floor) -> None:
    """Dealt on Tuesday and told on Thursday: the first night is free, the triple one is not."""
    fee: dict[str, Any] = {"swap_free_fee": Decimal(2), "grace_nights": 1}
    set_terms(floor, effective_on=date(2026, 1, 2), **fee)
    wednesday = TUESDAY + timedelta(days=1)
    with provided(floor, PositionMode.NETTING) as (engine, late, account):
        set_group(floor.session, AccountGroup(code="netting", is_swap_free=True))
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
        quote_at(floor, engine, AFTER + timedelta(days=1))
        tell(engine, late)
        quote_at(floor, engine, AFTER + timedelta(days=2))
    assert charged(floor) == [
        (TUESDAY, 100_000, 0, True),
        (wednesday, 100_000, Decimal("-6.00"), True),
        (wednesday + timedelta(days=1), 100_000, Decimal("-2.00"), False),
    ]
    assert floor.broken_laws() == {}


def test_what_is_added_late_has_the_nights_of_its_position(floor: Floor) -> None:
    fee: dict[str, Any] = {"swap_free_fee": Decimal(2), "grace_nights": 1}
    set_terms(floor, effective_on=date(2026, 1, 2), **fee)
    wednesday = TUESDAY + timedelta(days=1)
    with provided(floor, PositionMode.NETTING) as (engine, late, account):
        set_group(floor.session, AccountGroup(code="netting", is_swap_free=True))
        deal(engine, buy(account))
        tell(engine, late)
        quote_at(floor, engine, AFTER)
        quote_at(floor, engine, BEFORE + timedelta(days=1))
        deal(engine, sell(account, 40_000))
        quote_at(floor, engine, AFTER + timedelta(days=1))
        tell(engine, late, 40_000)
    assert charged(floor) == [
        (TUESDAY, 100_000, 0, False),
        (wednesday, 100_000, Decimal("-6.00"), False),
        (wednesday, -40_000, Decimal("2.40"), True),
    ]
    assert floor.broken_laws() == {}


def test_a_hedge_of_the_house_that_is_told_late_is_booked_and_pays_nothing(floor: Floor) -> None:
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(50_000), hedge_target=Decimal(0))
    set_policy(floor.session, policy)
    late = Later(ONE)
    account = account_of(floor, PositionMode.NETTING)
    with run(floor, {"LP-ONE": late}) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, order(account, Side.BUY, 100_000))
        quote_at(floor, engine, AFTER)
        tell(engine, late)
        assert floor.rows("SELECT status, filled_quantity FROM hedges") == [("filled", 100_000)]
    assert charged(floor) == [(TUESDAY, 100_000, Decimal("-7.50"), False)]
    assert floor.broken_laws() == {}


def test_what_is_added_late_pays_for_what_it_adds(floor: Floor) -> None:
    held = [any_account(100_000)]
    account, rows = told_after_the_cut(floor, PositionMode.NETTING, held, 200_000)
    assert rows == [
        (TUESDAY, 100_000, Decimal("-7.50"), False),
        (TUESDAY, 200_000, Decimal("-15.00"), True),
    ]
    assert floor.balance(account) == Decimal("999977.50")
    assert floor.broken_laws() == {}


def test_what_was_closed_before_and_told_of_after_is_paid_back(floor: Floor) -> None:
    held = [any_account(100_000)]
    _, rows = told_after_the_cut(floor, PositionMode.NETTING, held, -60_000)
    assert rows == [
        (TUESDAY, 100_000, Decimal("-7.50"), False),
        (TUESDAY, -60_000, Decimal("4.50"), True),
    ]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("mode", [PositionMode.NETTING, PositionMode.FIFO])
def test_a_flip_that_is_told_late_pays_for_the_side_that_was_open(
    floor: Floor, mode: PositionMode
) -> None:
    held = [any_account(100_000)]
    _, rows = told_after_the_cut(floor, mode, held, -300_000)
    assert rows == [
        (TUESDAY, 100_000, Decimal("-7.50"), False),
        (TUESDAY, -100_000, Decimal("7.50"), True),
        (TUESDAY, -200_000, Decimal("5.00"), True),
    ]
    assert floor.broken_laws() == {}


def test_a_position_that_was_opened_late_and_is_closed_at_once_has_paid(floor: Floor) -> None:
    with provided(floor, PositionMode.HEDGING) as (engine, late, account):
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
        tell(engine, late)
        ask(engine, close(account, ids(floor, account)[0]))
        tell(engine, late, decided_at=AFTER)
    assert floor.position(account) == 0
    assert charged(floor) == [(TUESDAY, 100_000, Decimal("-7.50"), True)]
    assert floor.broken_laws() == {}


def test_what_a_provider_has_dealt_days_ago_pays_for_every_day(floor: Floor) -> None:
    with provided(floor, PositionMode.NETTING) as (engine, late, account):
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER + timedelta(days=2))
        tell(engine, late)
    assert [(on.day, amount) for on, _, amount, _ in charged(floor)] == [
        (13, Decimal("-7.50")),
        (14, Decimal("-22.50")),
        (15, Decimal("-7.50")),
    ]
    assert floor.broken_laws() == {}


def test_a_late_deal_whose_swap_has_no_rate_waits_until_it_has(floor: Floor) -> None:
    set_money_terms(floor)
    with provided(floor, PositionMode.NETTING) as (engine, late, account):
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
        tell(engine, late)
        assert charged(floor) == []
        assert floor.position(account) == 0
        quote_pounds(floor, engine, STEP)
        quote_at(floor, engine, floor.now + STEP)
    assert [row[2] for row in charged(floor)] == [Decimal("-5.00")]
    assert floor.position(account) == 100_000
    assert floor.broken_laws() == {}


def test_a_late_deal_of_a_position_beyond_its_free_nights_waits_for_the_rate_of_its_fee(
    floor: Floor,
) -> None:
    """What it adds to is charged already; the engine that is told of it knows no rate yet."""
    fee: dict[str, Any] = {"swap_free_fee": Decimal(2), "grace_nights": 1, "currency": "GBP"}
    set_terms(floor, effective_on=date(2026, 1, 2), **fee)
    with provided(floor, PositionMode.NETTING) as (engine, late, account):
        set_group(floor.session, AccountGroup(code="netting", is_swap_free=True))
        deal(engine, buy(account))
        tell(engine, late)
        quote_at(floor, engine, BEFORE + timedelta(days=1))
        quote_pounds(floor, engine, timedelta(0))
        deal(engine, sell(account, 40_000))
        quote_at(floor, engine, AFTER + timedelta(days=1))
        late.keep(late.asked[-1], 40_000)
    assert charged(floor)[1:] == [(TUESDAY + timedelta(days=1), 100_000, Decimal("-7.50"), False)]
    with run(floor, {"LP-ONE": late}) as engine:
        quote_at(floor, engine, floor.now + STEP)
        assert floor.position(account) == 100_000
        quote_pounds(floor, engine, STEP)
        quote_at(floor, engine, floor.now + timedelta(seconds=61))
    assert floor.position(account) == 60_000
    assert charged(floor)[2:] == [(TUESDAY + timedelta(days=1), -40_000, Decimal("3.00"), True)]
    assert floor.broken_laws() == {}


def test_an_engine_whose_market_is_behind_books_nothing_of_the_day_that_has_ended(
    floor: Floor,
) -> None:
    account = account_of(floor, PositionMode.NETTING)
    with floor.build() as ahead, floor.build() as behind:
        quote_at(floor, behind, BEFORE)
        deal(behind, buy(account))
        quote_at(floor, ahead, AFTER)
        ask(ahead, RollOver(account_id=account, through=TUESDAY))
        deal(behind, buy(account, 200_000))  # on its quote of before the end
        ask(ahead, close(account, ids(floor, account)[0]))
    assert charged(floor) == [(TUESDAY, 100_000, Decimal("-7.50"), False)]
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_an_account_that_held_nothing_at_the_end_owes_nothing_for_what_follows(
    floor: Floor,
) -> None:
    account = account_of(floor, PositionMode.HEDGING)
    with floor.build() as ahead, floor.build() as behind:
        quote_at(floor, behind, BEFORE)
        quote_at(floor, ahead, AFTER)
        ask(ahead, RollOver(account_id=account, through=TUESDAY))
        deal(behind, buy(account))
        ask(ahead, close(account, ids(floor, account)[0]))
        quote_at(floor, behind, AFTER + STEP)
    assert charged(floor) == []
    assert floor.broken_laws() == {}


class PassingLock:
    """A lock of the market that is 17:00 when it is first taken: the end comes upon the batch."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading
        self._count = 0

    def __enter__(self) -> None:
        self._count += 1
        self._trading.market.advance(AFTER)

    def __exit__(self, *_: object) -> None:
        pass


def test_a_batch_that_the_end_of_the_day_comes_upon_books_what_is_owed_first(
    floor: Floor,
) -> None:
    account = account_of(floor, PositionMode.HEDGING)
    with floor.build() as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        with connect(floor.conninfo, writer=True, autocommit=True) as session:
            market = engine.market
            trading = Trading(read_reference(session), market, PassingLock(engine._trading))
            command = close(account, ids(floor, account)[0])
            (answer,) = book_batch(Pipeline(session), trading, [command]).answers
    assert isinstance(answer, OrderReport), answer
    assert charged(floor) == [(TUESDAY, 100_000, Decimal("-7.50"), False)]
    assert floor.broken_laws() == {}


@pytest.fixture
def without_rate(floor: Floor) -> str:
    """Return an account that holds EURUSD, whose swap is in a currency that has no rate yet."""
    set_money_terms(floor)
    account = account_of(floor, PositionMode.NETTING, client_class=ClientClass.RETAIL, leverage=30)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account, 6_000_000))
    return account


def test_no_order_deals_in_what_owes_a_swap_that_has_no_rate(
    floor: Floor, without_rate: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, AFTER)
        report = deal(engine, sell(without_rate, 6_000_000))
        refused = refusal(lambda: ask(engine, close(without_rate, ids(floor, without_rate)[0])))
    assert (report.refusal_code, refused.code) == (
        ErrorCode.ORDER_RATE_MISSING,
        ErrorCode.ORDER_RATE_MISSING,
    )
    assert floor.position(without_rate) == 6_000_000
    assert floor.broken_laws() == {}


def test_a_stop_out_waits_for_the_swap_that_has_no_rate_and_then_takes_it(
    floor: Floor, without_rate: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, AFTER, "0.94000", "0.94010")
        assert floor.position(without_rate) == 6_000_000
        alerts = floor.rows("SELECT DISTINCT kind FROM alerts")
        quote_pounds(floor, engine, timedelta(seconds=61))
        quote_at(floor, engine, floor.now + STEP, "0.94000", "0.94010")
        quote_at(floor, engine, floor.now + STEP, "0.94000", "0.94010")
    assert alerts == [("account_stuck",)]
    assert floor.position(without_rate) == 0
    assert [row[1] for row in charged(floor)] == [6_000_000]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("seed", range(3))
def test_engines_that_pass_the_end_at_different_times_charge_what_was_open_when_it_was_said(
    floor: Floor, seed: int
) -> None:
    accounts = [account_of(floor, mode) for mode in PositionMode for _ in range(2)]
    start = datetime(2026, 1, 13, 21, 59, 50, tzinfo=UTC)
    with ExitStack() as stack, ThreadPoolExecutor(3) as threads:
        engines = [stack.enter_context(floor.build(writers=2)) for _ in range(3)]

        def trade(place: int) -> None:
            """Walk one engine's market over the end, some seconds behind the one before."""
            engine = engines[place]
            random = Random(seed * 10 + place)  # noqa: S311 (a load, not a secret)
            for second in range(25):
                now = start + (second - 3 * place) * STEP
                engine.on_quote(Quote("EURUSD", Decimal("1.1"), Decimal("1.1001"), now))
                side = random.choice([Side.BUY, Side.SELL])
                account, quantity = random.choice(accounts), random.randint(1, 40) * 1_000
                future = engine.submit(order(account, side, quantity))
                assert not isinstance(future.exception(timeout=30), TradewrightError)
                engine.wait_until_idle()

        list(threads.map(trade, range(3)))
    assert floor.one("SELECT count(*) FROM trading_days WHERE ended_on = %s", TUESDAY) == 1
    assert charged(floor)
    assert floor.broken_laws() == {}
