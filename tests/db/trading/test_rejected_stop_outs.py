"""Stop-outs that providers reject: tried again later each time, elsewhere first, and told."""

from datetime import timedelta

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_hybrid import NEVER, NEVER_EITHER
from tests.floor import ONE, TWO, Floor, buy, deal
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book
from tradewright.trading.backing_off import PAUSE_MAX, pause_after
from tradewright.trading.engine import Engine

ATTEMPTS = "SELECT count(*) FROM orders WHERE origin = 'stop_out'"
TOLD = "SELECT what FROM alerts WHERE kind = 'account_stuck'"
FALL = ("EURUSD", "1.06500", "1.06510")


def holding(floor: Floor, symbols: tuple[str, ...] = ("EURUSD",)) -> str:
    """Open an account in book A that holds 100,000 of each symbol, dealt by willing providers."""
    willing = Floor(floor.conninfo, floor.session, (ONE, TWO), floor.now)
    account = floor.account("5000" if len(symbols) == 1 else "10000", book=Book.A)
    with willing.engine() as engine:
        willing.quote(engine, "GBPUSD", "1.30000", "1.30010")
        for symbol in symbols:
            deal(engine, buy(account, 100_000, symbol=symbol))
            assert floor.position(account, symbol) == 100_000
    floor.now = willing.now
    return account


def test_it_is_not_tried_with_each_quote_but_later_each_time_and_people_are_told(
    engine_database: str, engine: Session
) -> None:
    """Tried at 0, 1, 3, 7 and 15 seconds; told with the check that follows the third."""
    floor = Floor.opened(engine_database, engine, (NEVER, NEVER_EITHER))
    account = holding(floor)
    tried, told = [], []
    with floor.engine(eurusd=None) as running:
        for _ in range(20):
            floor.quote(running, *FALL)
            tried.append(floor.one(ATTEMPTS))
            told.append(len(floor.rows(TOLD)))
    assert tried[:4] == [1, 2, 2, 3]
    assert tried[-1] <= 5
    assert (told[2], told[-1]) == (0, 1)
    assert 1 in told[:6]
    assert "3 times in a row" in floor.one(TOLD)
    assert floor.position(account) == 100_000
    assert floor.broken_laws() == {}


def test_it_goes_on_where_others_deal_and_with_the_symbol_when_they_do_again(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (NEVER, NEVER_EITHER))
    account = holding(floor)
    with floor.engine(eurusd=None) as running:
        for _ in range(6):
            floor.quote(running, *FALL)
    assert floor.position(account) == 100_000
    floor.profiles = (ONE, TWO)
    with floor.engine(eurusd=None) as running:
        for _ in range(10):
            floor.quote(running, *FALL)
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_restart_or_another_engine_does_not_begin_to_count_anew(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (NEVER, NEVER_EITHER))
    holding(floor)
    for _ in range(8):
        with floor.engine(eurusd=None) as running:
            floor.quote(running, *FALL)
    assert floor.one(ATTEMPTS) <= 4


def test_another_position_is_closed_while_one_waits(engine_database: str, engine: Session) -> None:
    """The larger loss is in EURUSD, which nobody deals; GBPUSD is closed in between."""
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = holding(floor, ("EURUSD", "GBPUSD"))
    stubborn, late = Later(ONE), Later(TWO)
    with run(floor, {"LP-ONE": stubborn, "LP-TWO": late}) as running:
        floor.quote(running, "GBPUSD", "1.29000", "1.29010")
        floor.quote(running, "EURUSD", "1.02000", "1.02010")
        answer_all(floor, running, (stubborn, late))
        for _ in range(4):
            floor.quote(running, "EURUSD", "1.02000", "1.02010")
            answer_all(floor, running, (stubborn, late))
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account) == 100_000


def answer_all(floor: Floor, engine: Engine, providers: tuple[Later, ...]) -> None:
    """Let providers reject what they are asked in EURUSD, and deal the rest."""
    seen: set[str] = set()
    while waiting := [
        (one, asked)
        for one in providers
        for asked in one.asked
        if asked.request_id not in seen and asked.request_id not in one.told
    ]:
        for provider, asked in waiting:
            seen.add(asked.request_id)
            dealt = 0 if asked.symbol == "EURUSD" else int(asked.quantity)
            provider.tell(asked, dealt, is_final=True)
        engine.wait_until_idle()


def test_whom_a_slow_provider_has_kept_from_being_asked_is_asked_first_the_next_time(
    engine_database: str, engine: Session
) -> None:
    """The first takes three seconds to reject, so nobody else is asked in that round."""
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = holding(floor)
    slow, other = Later(ONE), Later(TWO)
    with run(floor, {"LP-ONE": slow, "LP-TWO": other}) as running:
        floor.quote(running, *FALL)
        assert (len(slow.asked), len(other.asked)) == (1, 0)
        for _ in range(3):
            floor.quote(running, *FALL)
        slow.tell(slow.asked[0], 0, is_final=True)
        running.wait_until_idle()
        for _ in range(3):
            floor.quote(running, *FALL)
        assert (len(slow.asked), len(other.asked)) == (1, 1)
        other.tell(other.asked[0], 100_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (900, 60)]
)
def test_the_pause_doubles_up_to_a_minute(count: int, seconds: int) -> None:
    assert pause_after(count) == timedelta(seconds=seconds) <= PAUSE_MAX
