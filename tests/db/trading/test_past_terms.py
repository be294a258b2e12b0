"""What was owed at an end of a day follows the group that held then, whenever it is booked."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_rollovers import AFTER, BEFORE, TUESDAY, quote_at, set_terms
from tests.floor import ONE, TWO, Floor, ask, buy, deal
from tests.positions import account_of
from tradewright.core.clock import utc_now
from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.postgres.connect import Session
from tradewright.risk.stop_out import StopOutMode
from tradewright.routing.model import Book
from tradewright.trading.groups import AccountGroup, PositionMode, assign_group, set_group
from tradewright.trading.swaps import RollOver

ONE_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
CHARGE = Decimal("-7.50")


@pytest.fixture
def floor(engine_database: str, engine: Session) -> Floor:
    return Floor.opened(engine_database, engine, (ONE, TWO))


@pytest.fixture
def holder(floor: Floor) -> str:
    """Return an account that was bought EURUSD five days ago by the clock; no engine runs since."""
    day = last_ended_day(utc_now()) - 5 * ONE_DAY
    set_terms(floor, effective_on=day - 9 * ONE_DAY, is_daily=True)
    floor.session.execute(
        "INSERT INTO trading_days VALUES (%s, %s)", (day, end_of_day(day) + SECOND)
    )
    account = account_of(floor, PositionMode.NETTING)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, end_of_day(day + ONE_DAY) - SECOND)
        deal(engine, buy(account))
    return account


def run_tomorrow(floor: Floor) -> date:
    """Let an engine run after the next end of a day by the clock; return the last before it."""
    today = last_ended_day(utc_now())
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, end_of_day(today + ONE_DAY) + SECOND)
    return today


def charged(floor: Floor) -> dict[date, Decimal]:
    rows = floor.rows("SELECT rollover_on, amount FROM position_rollovers ORDER BY rollover_on")
    return dict(rows)


def set_free(floor: Floor, *, is_free: bool = True) -> None:
    group = AccountGroup(code=PositionMode.NETTING, is_swap_free=is_free)
    set_group(floor.session, group)


def owed_before(today: date) -> dict[date, Decimal]:
    """Return the days that were missed as they are charged, and the first after the change."""
    missed = {today - days * ONE_DAY: CHARGE for days in reversed(range(5))}
    return missed | {today + ONE_DAY: Decimal(0)}


def test_days_that_were_missed_before_a_group_became_swap_free_are_owed(
    floor: Floor, holder: str
) -> None:
    set_free(floor)
    today = run_tomorrow(floor)
    assert charged(floor) == owed_before(today)
    assert floor.broken_laws() == {}


def test_days_that_were_missed_before_an_account_was_put_into_a_free_group_are_owed(
    floor: Floor, holder: str
) -> None:
    set_group(floor.session, AccountGroup(code="islamic", is_swap_free=True))
    assign_group(floor.session, holder, "islamic")
    today = run_tomorrow(floor)
    assert charged(floor) == owed_before(today)
    assert floor.broken_laws() == {}


def test_days_that_a_group_was_free_stay_free_when_it_pays_again(floor: Floor) -> None:
    set_terms(floor)
    account = account_of(floor, PositionMode.NETTING)
    set_free(floor)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        engine.take_time(AFTER)  # the day ends, and nobody is rolled over yet
        deal(engine, buy(floor.account("100000")))
        set_free(floor, is_free=False)
        ask(engine, RollOver(account_id=account, through=TUESDAY))
        quote_at(floor, engine, AFTER + ONE_DAY)
    held = floor.rows(
        "SELECT r.rollover_on, r.amount FROM position_rollovers AS r"
        " JOIN positions AS p ON p.id = r.position_id WHERE p.account_id = %s ORDER BY 1",
        account,
    )
    assert held == [(TUESDAY, 0), (TUESDAY + ONE_DAY, 3 * CHARGE)]
    assert floor.broken_laws() == {}


def test_of_two_changes_between_two_ends_the_first_says_what_held_before(
    floor: Floor, holder: str
) -> None:
    for is_free in (True, False, True):
        set_free(floor, is_free=is_free)
    for code in ("standard", PositionMode.NETTING):
        assign_group(floor.session, holder, code)
    today = run_tomorrow(floor)
    assert charged(floor) == owed_before(today)
    assert floor.rows("SELECT through_on, is_swap_free FROM past_swap_freedoms") == [(today, False)]
    assert floor.rows("SELECT through_on, group_code FROM past_account_groups") == [
        (today, PositionMode.NETTING)
    ]


def test_what_a_provider_tells_late_owes_by_the_group_of_its_day(floor: Floor) -> None:
    set_terms(floor)
    late = Later(ONE)
    account = account_of(floor, PositionMode.NETTING, book=Book.A)
    with run(floor, {"LP-ONE": late}) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
        deal(engine, buy(floor.account("100000")))
        set_free(floor)
        late.tell(late.asked[0], 100_000)
        engine.wait_until_idle()
        quote_at(floor, engine, AFTER + ONE_DAY)
    rows = floor.rows(
        "SELECT rollover_on, amount FROM position_rollovers WHERE trade_id IS NOT NULL"
    )
    assert rows == [(TUESDAY, CHARGE)]
    assert floor.broken_laws() == {}


def test_on_recorded_quotes_a_change_holds_from_the_next_end_of_their_days(floor: Floor) -> None:
    set_terms(floor)
    account = account_of(floor, PositionMode.NETTING)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        set_free(floor)
        quote_at(floor, engine, AFTER)
    assert charged(floor) == {TUESDAY: 0}


def test_a_group_that_changes_otherwise_keeps_nothing_of_the_past(
    floor: Floor, holder: str
) -> None:
    set_group(floor.session, AccountGroup(code="islamic", is_swap_free=True))
    set_group(floor.session, AccountGroup(code="netting", stop_out_mode=StopOutMode.SMART))
    assert floor.one("SELECT count(*) FROM past_swap_freedoms") == 0
