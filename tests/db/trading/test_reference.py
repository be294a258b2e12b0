"""What engines keep in memory is as new as the batch: sessions, halts, groups, all the same way."""

import threading
from datetime import timedelta

import pytest

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, refusal, sell
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.trading.groups import AccountGroup, set_group
from tradewright.trading.instruments import change_instrument
from tradewright.trading.model import ClosePosition, OrderStatus
from tradewright.trading.registry import open_sessions


def halt(floor: Floor, symbol: str = "EURUSD") -> None:
    floor.session.execute("UPDATE instruments SET is_tradable = false WHERE symbol = %s", (symbol,))


def test_a_halt_holds_for_the_next_order_of_a_running_engine(floor: Floor) -> None:
    account = floor.account()
    with floor.engine(writers=2) as engine:
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
        halt(floor)
        denied = deal(engine, buy(account))
        assert (denied.status, denied.refusal_code) == (
            OrderStatus.REJECTED,
            ErrorCode.INSTRUMENT_NOT_TRADABLE,
        )
        assert deal(engine, sell(account)).status is OrderStatus.FILLED
    assert floor.broken_laws() == {}


def test_a_group_that_is_opened_while_the_engine_runs_is_known_to_it(floor: Floor) -> None:
    with floor.engine() as engine:
        set_group(floor.session, AccountGroup(code="late"))
        assert deal(engine, buy(floor.account(group="late"))).status is OrderStatus.FILLED


def test_a_change_waits_for_the_batches_that_are_being_booked(
    floor: Floor, open_session: OpenSession
) -> None:
    batch, other = open_session(), open_session()
    changed = threading.Event()

    def change() -> None:
        other.execute("UPDATE instruments SET is_tradable = false WHERE symbol = 'EURUSD'")
        changed.set()

    with batch.transaction():
        before = batch.execute("SELECT hold_reference_version()").fetchone()
        thread = threading.Thread(target=change)
        thread.start()
        assert not changed.wait(0.2)
        assert batch.execute("SELECT version FROM reference_version").fetchone() == before
    assert changed.wait(10)
    thread.join()


def test_batches_that_begin_later_wait_for_a_change_that_waits(
    floor: Floor, open_session: OpenSession
) -> None:
    """Otherwise batches that overlap without end would keep a halt out."""
    batch, other, later = open_session(), open_session(), open_session()
    held: list[object] = []

    def change() -> None:
        other.execute("UPDATE instruments SET is_tradable = false WHERE symbol = 'EURUSD'")

    def hold() -> None:
        held.append(later.execute("SELECT hold_reference_version()").fetchone())

    def await_waiting(count: int) -> None:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
        while floor.one(waiting) < count:
            pass

    threads = [threading.Thread(target=change), threading.Thread(target=hold)]
    with batch.transaction():
        before = batch.execute("SELECT hold_reference_version()").fetchone()
        assert before is not None
        for number, thread in enumerate(threads):
            thread.start()
            await_waiting(number + 1)
    for thread in threads:
        thread.join()
    assert held == [(before[0] + 1,)]


def test_outside_the_session_nothing_is_dealt_and_nothing_is_closed(floor: Floor) -> None:
    account = floor.account()
    floor.now = floor.now.replace(day=16, hour=21)  # a Friday, an hour before New York closes
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD")
        held = deal(engine, buy(account, stop_loss="1.09000"))
        assert held.status is OrderStatus.FILLED
        resting = deal(engine, buy(account, 1000, limit_price="1.09500"))
        floor.now = floor.now.replace(hour=22)
        floor.quote(engine, "EURUSD", "1.08000", "1.08010")
        denied = deal(engine, sell(account, 1000))
        assert (denied.status, denied.refusal_code) == (
            OrderStatus.REJECTED,
            ErrorCode.INSTRUMENT_SESSION_CLOSED,
        )
        assert deal(engine, buy(account, 1000, limit_price="1.0")).status is OrderStatus.NEW
        position_id = str(floor.one("SELECT id FROM positions WHERE is_open"))
        close = ClosePosition(account_id=account, position_id=position_id, symbol="EURUSD")
        error = refusal(lambda: engine.submit(close).result(timeout=30))
        assert error.code is ErrorCode.INSTRUMENT_SESSION_CLOSED
        assert floor.position(account) == 100_000
        floor.now = floor.now.replace(day=18, hour=22)  # Sunday, New York opens
        floor.quote(engine, "EURUSD", "1.08000", "1.08010")
        assert floor.position(account) == 1_000  # the stop-loss and the limit order were dealt
    assert floor.one("SELECT status FROM orders WHERE id = %s", resting.order_id) == "filled"
    assert floor.broken_laws() == {}


def test_a_session_in_a_place_that_nobody_knows_is_refused(floor: Floor) -> None:
    nowhere = type(FOREX_WEEK)(
        opens_weekday=1,
        opens_at=FOREX_WEEK.opens_at,
        closes_weekday=2,
        closes_at=FOREX_WEEK.closes_at,
        timezone="America/Atlantis",
    )
    error = refusal(lambda: open_sessions(floor.session, "EURUSD", [nowhere]))
    assert error.code is ErrorCode.INPUT_TIMEZONE_UNKNOWN


@pytest.mark.parametrize("writers", [1, 2])
def test_reference_data_is_read_once_however_many_batches(floor: Floor, writers: int) -> None:
    account = floor.account()
    with floor.engine(writers=writers) as engine:
        deal(engine, buy(account, 1000))
        first = engine.reference
        deal(engine, buy(account, 1000))
        assert engine.reference is first
        halt(floor, "USDJPY")
        deal(engine, buy(account, 1000))
        assert engine.reference.version == first.version + 1


def test_an_engine_that_books_nothing_learns_a_change_and_how_old_quotes_may_be(
    floor: Floor,
) -> None:
    with floor.engine() as running:
        running.take_time(floor.now + timedelta(seconds=30))
        assert running.market.top("EURUSD") is not None
        before = running.reference.version
        change_instrument(floor.session, "EURUSD", {"quote_age_ms_max": 20_000})
        pause(1.5)
        assert running.reference.version > before
        assert running.market.top("EURUSD") is None


def test_an_engine_books_for_the_first_account_of_a_currency_that_it_did_not_know(
    floor: Floor,
) -> None:
    with floor.engine() as running:
        assert deal(running, buy(floor.account(), 1000)).status is OrderStatus.FILLED
        euros = floor.account(currency="EUR")
        assert deal(running, buy(euros, 1000)).status is OrderStatus.FILLED
        assert deal(running, sell(euros, 1000)).status is OrderStatus.FILLED
        known = running.reference
        assert deal(running, buy(euros, 1000)).status is OrderStatus.FILLED
        assert running.reference is known
    assert floor.position(euros) == 1_000
    assert floor.broken_laws() == {}
