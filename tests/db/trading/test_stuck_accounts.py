"""People are told of an account that cannot be stopped out once, and when that is over."""

from contextlib import suppress
from decimal import Decimal

import pytest

from tests.db.trading.test_hybrid import NEVER, NEVER_EITHER
from tests.db.trading.test_rejected_stop_outs import FALL, holding
from tests.floor import ONE, TWO, Floor, buy, deal
from tradewright import ledger
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.risk import alerts
from tradewright.trading.engine import Engine

BAND = ("EURUSD", "1.07100", "1.07110")
"""Above the stop-out level and below the margin call's."""

UP = ("EURUSD", "1.10000", "1.10010")


@pytest.fixture
def stubborn(engine_database: str, engine: Session) -> Floor:
    """Return a floor whose providers reject everything."""
    return Floor.opened(engine_database, engine, (NEVER, NEVER_EITHER))


def quotes(floor: Floor, running: Engine, price: tuple[str, str, str], count: int = 3) -> None:
    for _ in range(count):
        floor.quote(running, *price)


def fall(floor: Floor, running: Engine) -> None:
    """Let the account be below its stop-out until people are told of it."""
    quotes(floor, running, FALL, 8)
    assert waiting(floor) == 1


def waiting(floor: Floor) -> int:
    """Return of how many accounts people were told that are stuck still."""
    query = "SELECT count(*) FROM alerts WHERE kind = 'account_stuck' AND resolved_at IS NULL"
    return int(floor.one(query))


def count(floor: Floor, kind: str) -> int:
    """Return how often people were told of a kind."""
    return int(floor.one("SELECT count(*) FROM alerts WHERE kind = %s", kind))


def test_it_is_over_when_the_account_is_not_below_its_stop_out_any_more(stubborn: Floor) -> None:
    """Its margin call is open before and after, so nothing else asks for a check."""
    account = holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
        quotes(stubborn, running, BAND)
    assert waiting(stubborn) == 0
    assert stubborn.one("SELECT count(*) FROM margin_calls WHERE resolved_at IS NULL") == 1
    assert stubborn.position(account) == 100_000
    assert stubborn.broken_laws() == {}


def test_it_is_over_when_money_has_come(stubborn: Floor) -> None:
    account = holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
        user = stubborn.one("SELECT user_id::text FROM accounts WHERE id = %s", account)
        more, key = Decimal(9000), new_id_text()
        ledger.credit(stubborn.session, user, "USD", more, transaction_id=key)
        ledger.transfer_to_account(stubborn.session, account, more, transaction_id=key)
        quotes(stubborn, running, FALL)
    assert waiting(stubborn) == 0


def test_it_is_over_when_the_position_is_closed_after_all(stubborn: Floor) -> None:
    account = holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
    stubborn.profiles = (ONE, TWO)
    with stubborn.engine(eurusd=None) as running:
        quotes(stubborn, running, FALL, 10)
    assert stubborn.position(account) == 0
    assert waiting(stubborn) == 0


def test_it_is_over_when_the_check_that_failed_is_asked_for_no_more(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine() as running:
        deal(running, buy(account, 100_000))
        floor.session.execute(
            "ALTER TABLE stop_outs ADD CONSTRAINT stop_outs_refused CHECK (positions_closed = 0)"
        )
        for _ in range(5):
            with suppress(TradewrightError):
                floor.quote(running, "EURUSD", "1.05000", "1.05010")
        assert waiting(floor) == 1
        quotes(floor, running, UP)
    assert waiting(floor) == 0


def test_it_is_over_after_a_restart_though_nothing_is_open_any_more(floor: Floor) -> None:
    """Its engine was killed between the batch that closed the position and the check after it."""
    account = floor.account("5000")
    floor.session.execute(
        "INSERT INTO alerts (severity, kind, about, what)"
        " VALUES ('critical', 'account_stuck', %s, 'nobody deals')",
        (account,),
    )
    with floor.engine() as running:
        quotes(floor, running, UP)
    assert waiting(floor) == 0


def test_it_is_told_again_when_it_comes_again(stubborn: Floor) -> None:
    holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
        quotes(stubborn, running, UP)
        assert waiting(stubborn) == 0
        fall(stubborn, running)
    assert count(stubborn, "account_stuck") == 2


def test_who_has_acknowledged_it_is_not_told_again_while_it_lasts(stubborn: Floor) -> None:
    holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
        told = alerts.read_alerts(stubborn.session, count_max=9)
        alerts.acknowledge(stubborn.session, [one.id for one in told], actor="anna")
        quotes(stubborn, running, FALL, 8)
        assert count(stubborn, "account_stuck") == 1
        quotes(stubborn, running, BAND)
    assert waiting(stubborn) == 0


def test_a_stop_out_is_told_once_however_often_providers_reject_it(stubborn: Floor) -> None:
    """It is told anew for the next margin call, and not for the next try."""
    holding(stubborn)
    with stubborn.engine(eurusd=None) as running:
        fall(stubborn, running)
        assert stubborn.one("SELECT count(*) FROM stop_outs") > 2
        assert count(stubborn, "account_stopped_out") == 1
        quotes(stubborn, running, UP)
        quotes(stubborn, running, FALL, 60)
    assert count(stubborn, "account_stopped_out") == 2
    calls = "SELECT count(DISTINCT margin_call_id), count(*) FROM margin_calls AS m"
    assert stubborn.rows(f"{calls} JOIN stop_outs AS s ON s.margin_call_id = m.id")[0][0] == 2


def test_without_a_margin_call_a_stop_out_is_told_once_in_ten_minutes(floor: Floor) -> None:
    """Where all is hedged no margin is used, and so there is no call; what is forgiven is told."""
    account = floor.account("5000")
    for minutes, closed, forgiven in ((0, 1, 0), (1, 1, 0), (9, 0, 7), (12, 1, 0)):
        floor.session.execute(
            "INSERT INTO stop_outs (id, account_id, equity, used_margin, orders_canceled,"
            " positions_closed, forgiven, market_at)"
            " VALUES (uuidv7(), %s, -7, 0, 0, %s, %s, '2026-01-13 08:00+00'::timestamptz"
            " + %s * interval '1 minute')",
            (account, closed, forgiven, minutes),
        )
    told = floor.rows("SELECT what FROM alerts WHERE kind = 'account_stopped_out' ORDER BY id")
    endings = ["without used margin", "without used margin, 7 USD forgiven", "without used margin"]
    assert [one[0].partition("-7.00 USD ")[2] for one in told] == endings
