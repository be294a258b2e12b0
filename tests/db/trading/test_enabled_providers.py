"""Whom the house deals with: a running engine learns that from one batch to the next."""

import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.db.trading.test_several_engines import until
from tests.floor import TWO, Floor, buy, deal, refusal
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book
from tradewright.trading.registry import enable_provider


def dealt_with(floor: Floor) -> list[str]:
    return [
        row[0]
        for row in floor.rows(
            "SELECT p.code FROM order_fills AS f"
            " JOIN liquidity_providers AS p ON p.id = f.provider_id ORDER BY f.id"
        )
    ]


@pytest.mark.parametrize("book", [Book.A, Book.B])
def test_a_provider_is_dealt_with_no_more_from_the_next_batch_and_again_when_enabled(
    floor: Floor, book: Book
) -> None:
    account = floor.account("100000", book=book)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        enable_provider(floor.session, "LP-ONE", is_enabled=False)
        deal(engine, buy(account, 1000))
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        deal(engine, buy(account, 1000))
        enable_provider(floor.session, "LP-ONE", is_enabled=True)
        deal(engine, buy(account, 1000))
    assert dealt_with(floor) == ["LP-ONE", "LP-TWO", "LP-TWO", "LP-ONE"]
    assert floor.broken_laws() == {}


def test_what_a_provider_deals_that_was_disabled_meanwhile_is_booked(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        enable_provider(engine, "LP-ONE", is_enabled=False)
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        assert state(floor) == ("partially_filled", 30_000, True)
    late.keep(late.asked[0], 70_000)
    with run(floor, {"LP-ONE": late, "LP-TWO": Later(TWO)}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
    assert state(floor) == ("filled", 100_000, False)
    assert floor.broken_laws() == {}


def test_a_provider_that_was_disabled_meanwhile_is_not_the_next_to_be_asked(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        enable_provider(engine, "LP-TWO", is_enabled=False)
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
    assert (second.asked, state(floor)) == ([], ("canceled", 30_000, False))
    assert floor.broken_laws() == {}


def test_an_engine_learns_it_though_no_order_comes(floor: Floor) -> None:
    with floor.engine() as engine:
        enable_provider(floor.session, "LP-ONE", is_enabled=False)
        until(lambda: len(engine.market.levels("EURUSD", Side.BUY)) == 1)
        levels = engine.market.levels("EURUSD", Side.BUY)
    assert [level.provider for level in levels] == ["LP-TWO"]


def test_a_provider_that_is_not_listed_is_refused(engine: Session) -> None:
    error = refusal(lambda: enable_provider(engine, "LP-NONE", is_enabled=False))
    assert error.code is ErrorCode.PROVIDER_UNKNOWN
