"""Breakers on what is dealt, lost, rejected and not quoted: each stops opening, and comes back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.db.trading.test_breakers import MOVEMENT, code, events
from tests.fix_floor import until
from tests.floor import ONE, TWO, Floor, buy, deal, refusal, sell
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.liquidity.model import ProviderQuote, Quote
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.risk.breaker_store import BreakerSettings, add_breaker, move_by_hand, read_breakers
from tradewright.risk.breakers import BreakerKind, BreakerState, Move
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine

CIRCLE = ["triggered", "cooling_down", "armed"]


def settings(kind: BreakerKind, threshold: str, **changes: object) -> BreakerSettings:
    usual = BreakerSettings(
        code="one",
        kind=kind,
        threshold=Decimal(threshold),
        window_seconds=30,
        reset_seconds=10,
        cooldown_seconds=5,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def listed(floor: Floor, one: BreakerSettings) -> None:
    add_breaker(floor.session, one, actor="anna", reason="law")


def calm(floor: Floor, engine: Engine, seconds: int = 50) -> None:
    """Let the market's time go on without a move."""
    for _ in range(seconds):
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")


def moves(floor: Floor) -> list[str]:
    return [state for state, actor in events(floor) if actor == "market"]


def reason(floor: Floor) -> str:
    return str(floor.one("SELECT reason FROM circuit_breaker_events WHERE seq = 2"))


@pytest.mark.parametrize("symbol", ["EURUSD", None])
def test_a_volume_that_is_reached_stops_opening_until_it_has_left_the_window(
    floor: Floor, symbol: str | None
) -> None:
    listed(floor, settings(BreakerKind.VOLUME, "10000", currency="USD", symbol=symbol))
    account = floor.account("100000")
    with floor.engine() as engine:
        assert code(engine, buy(account, 5000)) is None
        assert code(engine, buy(account, 5000)) is None  # 10,000 EUR are 11,000.50 USD
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        assert code(engine, sell(account, 1000)) is None, "reducing passes"
        calm(floor, engine)
        assert code(engine, buy(account, 1000)) is None
    assert moves(floor) == CIRCLE
    assert reason(floor) == "volume of 11000.50 USD within 30 s"
    assert floor.broken_laws() == {}


def test_a_volume_counts_its_own_symbol_only(floor: Floor) -> None:
    listed(floor, settings(BreakerKind.VOLUME, "1000", currency="USD", symbol="USDJPY"))
    account = floor.account("100000")
    with floor.engine() as engine:
        assert code(engine, buy(account, 5000)) is None
    assert moves(floor) == []


@pytest.mark.parametrize("symbol", ["EURUSD", None])
def test_what_the_houses_position_loses_stops_opening(floor: Floor, symbol: str | None) -> None:
    """100,000 EUR sold to a client at a middle of 1.10005 lose 1,000 USD by 1.11005."""
    listed(floor, settings(BreakerKind.LOSS, "1000", currency="USD", symbol=symbol))
    account = floor.account("100000")
    with floor.engine() as engine:
        assert code(engine, buy(account)) is None
        floor.quote(engine, "EURUSD", "1.10999", "1.11009")
        assert code(engine, buy(account, 1000)) is None
        floor.quote(engine, "EURUSD", "1.11000", "1.11010")
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        assert code(engine, sell(account, 1000)) is None
    assert moves(floor) == ["triggered"]
    assert reason(floor) == "loss of 1000.01 USD within 30 s"  # with the second thousand


def test_what_the_house_wins_is_no_loss(floor: Floor) -> None:
    listed(floor, settings(BreakerKind.LOSS, "1000", currency="USD"))
    account = floor.account("100000")
    with floor.engine() as engine:
        assert code(engine, buy(account)) is None
        floor.quote(engine, "EURUSD", "1.05000", "1.05010")
    assert moves(floor) == []


def test_a_loss_is_known_after_a_restart_of_what_was_open_before(floor: Floor) -> None:
    listed(floor, settings(BreakerKind.LOSS, "1000", currency="USD"))
    account = floor.account("100000")
    with floor.engine() as engine:
        assert code(engine, buy(account)) is None
    with floor.engine() as engine:
        floor.quote(engine, "EURUSD", "1.12000", "1.12010")
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED


def test_every_engine_measures_the_loss_of_the_whole_house(floor: Floor) -> None:
    """One has dealt, the other has heard of it, and sees the price move."""
    listed(floor, settings(BreakerKind.LOSS, "1000", currency="USD"))
    account = floor.account("100000")
    with floor.engine() as first:
        assert code(first, buy(account)) is None
        with floor.engine() as second:
            floor.quote(second, "EURUSD", "1.12000", "1.12010")
            assert code(first, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
    assert moves(floor) == ["triggered"]


def test_a_rate_of_errors_stops_opening_once_ten_answers_have_come(
    engine_database: str, engine: Session
) -> None:
    deaf = replace(ONE, reject_probability=Decimal(1))
    floor = Floor.opened(engine_database, engine, (deaf,))
    listed(floor, settings(BreakerKind.ERROR_RATE, "50"))
    account = floor.account("1000000", book=Book.A)
    with floor.engine() as running:
        codes = [code(running, buy(account, 1000)) for _ in range(11)]
        assert codes[9] is not ErrorCode.BREAKER_TRIGGERED
        assert codes[10] is ErrorCode.BREAKER_TRIGGERED
        calm(floor, running)
        assert code(running, buy(account, 1000)) is not ErrorCode.BREAKER_TRIGGERED
    assert moves(floor) == CIRCLE
    assert reason(floor) == "error rate of 100.00 percent within 30 s"


def test_providers_that_give_no_price_stop_opening_until_they_do_again(
    engine_database: str, engine: Session
) -> None:
    floor, _, late = stage(engine_database, engine)
    listed(floor, settings(BreakerKind.LP_HEALTH, "50", symbol="EURUSD"))
    account, second = floor.account("100000"), Mute(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        calm(floor, running, 29)
        assert code(running, buy(account, 2000)) is None
        second.is_mute = True
        calm(floor, running, 29)
        assert code(running, buy(account, 1000)) is None
        calm(floor, running, 1)
        assert code(running, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        assert code(running, sell(account, 1000)) is None
        calm(floor, running, 40)
        assert moves(floor) == CIRCLE[:2], "it holds while the provider is silent"
        second.is_mute = False
        calm(floor, running, 7)
        assert code(running, buy(account, 1000)) is None
    assert moves(floor) == CIRCLE
    assert reason(floor) == "50.00 percent of the providers have given no price within 30 s"


class Mute(Later):
    """Gives no price while the test says so."""

    is_mute = False

    def on_quote(self, quote: Quote) -> ProviderQuote | None:
        """Quote, or be silent."""
        return None if self.is_mute else super().on_quote(quote)


def test_a_disabled_provider_is_not_missed(engine_database: str, engine: Session) -> None:
    floor, _, late = stage(engine_database, engine)
    listed(floor, settings(BreakerKind.LP_HEALTH, "50"))
    second = Mute(TWO)
    second.is_mute = True
    engine.execute("UPDATE liquidity_providers SET is_enabled = false WHERE code = 'LP-TWO'")
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        calm(floor, running, 40)
    assert moves(floor) == []


def test_the_time_alone_tells_that_all_providers_are_silent(
    engine_database: str, engine: Session
) -> None:
    floor, _, late = stage(engine_database, engine)
    listed(floor, settings(BreakerKind.LP_HEALTH, "100"))
    with run(floor, {"LP-ONE": late}) as running:
        calm(floor, running, 1)
        for second in range(31):
            running.take_time(floor.now + timedelta(seconds=second))
    assert moves(floor) == ["triggered"]


def test_a_server_that_is_away_does_not_end_the_thread_that_tells_the_time(
    engine_database: str, engine: Session
) -> None:
    floor, _, late = stage(engine_database, engine)
    listed(floor, settings(BreakerKind.LP_HEALTH, "100"))
    away = threading.Event()

    def open_session() -> Session:
        if away.is_set():
            raise psycopg.OperationalError("the server is away")
        return connect(floor.conninfo, writer=True, autocommit=True)

    with Engine(open_session, {"LP-ONE": late}) as running:
        calm(floor, running, 1)
        away.set()
        for second in range(31):
            running.take_time(floor.now + timedelta(seconds=second))
        assert isinstance(refusal(running.tell_failures), DatabaseError)
        assert moves(floor) == []
        away.clear()
        until(lambda: moves(floor))
    assert moves(floor) == ["triggered"]


@contextmanager
def without_sessions(floor: Floor, away: threading.Event) -> Iterator[Engine]:
    """Run an engine that gets no new session while it is away; its writer keeps its own."""

    def open_session() -> Session:
        if away.is_set():
            raise psycopg.OperationalError("the server is away")
        return connect(floor.conninfo, writer=True, autocommit=True)

    add_breaker(floor.session, MOVEMENT, actor="anna", reason="law")
    with Engine(open_session, {"LP-ONE": SimulatedProvider(ONE, seed=1)}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert code(running, buy(floor.account("100000"), 1000)) is None
        yield running


def fall(floor: Floor, running: Engine) -> None:
    """Move the price by two percent; that the event cannot be written is told as a failure."""
    assert isinstance(
        refusal(lambda: floor.quote(running, "EURUSD", "1.08000", "1.08010")), DatabaseError
    )


def stay(floor: Floor, running: Engine) -> None:
    """Leave the price where it fell to, for a second."""
    with suppress(DatabaseError):
        floor.quote(running, "EURUSD", "1.08000", "1.08010")


def test_a_breaker_that_cannot_be_written_stops_opening_at_once_and_is_written_later(
    floor: Floor,
) -> None:
    away, account = threading.Event(), floor.account("100000")
    with without_sessions(floor, away) as running:
        away.set()
        fall(floor, running)
        fell_at = floor.now
        assert code(running, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        for _ in range(20):
            stay(floor, running)
        assert code(running, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED, "it goes nowhere"
        assert moves(floor) == []
        away.clear()
        until(lambda: moves(floor))
        assert moves(floor) == ["triggered"]
        query = "SELECT market_at FROM circuit_breaker_events WHERE to_state = 'triggered'"
        assert floor.one(query) == fell_at
        for _ in range(40):
            stay(floor, running)
    assert moves(floor) == CIRCLE
    assert floor.broken_laws() == {}


def test_a_person_who_has_moved_the_breaker_meanwhile_has_the_last_word(floor: Floor) -> None:
    away, account = threading.Event(), floor.account("100000")
    with without_sessions(floor, away) as running:
        away.set()
        fall(floor, running)
        disabled = BreakerState.DISABLED
        move_by_hand(floor.session, MOVEMENT.code, disabled, actor="anna", reason="the peg is gone")
        assert code(running, buy(account, 1000)) is None
        away.clear()
        until(lambda: not running._trading.unwritten)
        with suppress(DatabaseError):
            running.tell_failures()
    assert moves(floor) == []


def test_whoever_writes_a_move_late_takes_away_none_that_came_after_it(floor: Floor) -> None:
    away = threading.Event()
    with without_sessions(floor, away) as running:
        away.set()
        fall(floor, running)
        (first,) = running._trading.unwritten.values()
        running._vigil.stop()
        with suppress(DatabaseError):
            running.tell_failures()
        later = Move(first.breaker, first.to_state, "later", first.measured, first.market_at)
        running._trading.unwritten[first.breaker.id] = later
        away.clear()
        running._keeper._write([first])
        assert running._trading.unwritten == {first.breaker.id: later}
    assert moves(floor) == ["triggered"]


def test_an_event_whose_commit_was_not_answered_is_not_written_again(floor: Floor) -> None:
    away = threading.Event()
    with without_sessions(floor, away) as running:
        away.set()
        fall(floor, running)
        unwritten = dict(running._trading.unwritten)
        away.clear()
        until(lambda: moves(floor))
        running._trading.unwritten.update(unwritten)
        running._keeper.catch_up()
        assert running._trading.unwritten == {}
        with suppress(DatabaseError):
            running.tell_failures()
    assert moves(floor) == ["triggered"]


@pytest.mark.parametrize("dealt", [100_000, 30_000])
def test_an_order_that_a_provider_has_when_a_breaker_triggers_is_dealt_but_asked_of_nobody_else(
    engine_database: str, engine: Session, dealt: int
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    listed(floor, settings(BreakerKind.PRICE_MOVEMENT, "1", symbol="EURUSD"))
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        floor.quote(running, "EURUSD", "1.08000", "1.08010")
        assert moves(floor) == ["triggered"]
        late.tell(late.asked[0], dealt, is_final=True)
        running.wait_until_idle()
        assert (second.asked, running.pending_count) == ([], 0)
    assert state(floor) == ("filled" if dealt == 100_000 else "canceled", dealt, False)
    assert floor.position(account) == dealt
    stopped = None if dealt == 100_000 else "BREAKER_TRIGGERED"
    assert floor.one("SELECT refusal_code FROM orders") == stopped
    assert floor.broken_laws() == {}


def test_a_breaker_that_an_order_itself_triggers_lets_it_go_to_its_first_provider(
    engine_database: str, engine: Session
) -> None:
    """A part that is dealt reaches the volume; what is left is asked of nobody else."""
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    listed(floor, settings(BreakerKind.VOLUME, "10000", currency="USD"))
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        assert moves(floor) == ["triggered"]
        late.tell(late.asked[0], 20_000, is_final=True)
        running.wait_until_idle()
    assert (second.asked, state(floor)) == ([], ("canceled", 50_000, False))
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (BreakerKind.VOLUME, {}),
        (BreakerKind.LOSS, {"currency": "USD", "window_seconds": None}),
        (BreakerKind.ERROR_RATE, {"currency": "USD"}),
        (BreakerKind.ERROR_RATE, {"threshold": Decimal(101)}),
        (BreakerKind.LP_HEALTH, {"threshold": None}),
        (BreakerKind.PRICE_MOVEMENT, {}),
        (BreakerKind.MANUAL, {"threshold": None, "window_seconds": None, "currency": "USD"}),
    ],
)
def test_a_kind_has_its_own_terms_and_no_others(
    floor: Floor, kind: BreakerKind, changes: dict[str, object]
) -> None:
    one = replace(settings(kind, "10"), **changes)  # type: ignore[arg-type]
    error = refusal(lambda: add_breaker(floor.session, one, actor="anna", reason="law"))
    assert error.code is ErrorCode.BREAKER_MALFORMED
    assert read_breakers(floor.session) == ()


def test_a_currency_that_is_none_is_refused(floor: Floor) -> None:
    one = settings(BreakerKind.LOSS, "10", currency="ZZZ")
    error = refusal(lambda: add_breaker(floor.session, one, actor="anna", reason="law"))
    assert error.code is ErrorCode.INPUT_CURRENCY_UNKNOWN
