"""Smart order routing on a real database: who is asked first, why, and what is kept of it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.floor import ONE, TWO, Floor, buy, deal, market_of, steady
from tradewright.liquidity.model import Level, ProviderAnswer, Side
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing import Book
from tradewright.routing.scoring import ANSWER_MS_MAX, Terms
from tradewright.trading.dispatch import ask_in_turn
from tradewright.trading.registry import list_provider
from tradewright.trading.state import RoutedOrder

EQUAL = (steady("LP-ONE", 2), steady("LP-TWO", 1))


def rich(floor: Floor, book: Book = Book.A) -> str:
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)


def floor_with(conninfo: str, session: Session, terms: dict[str, Terms]) -> Floor:
    """Open a floor of two equal providers under some terms."""
    for profile in EQUAL:
        agreed = terms.get(profile.code, Terms())
        list_provider(session, code=profile.code, priority=profile.priority, terms=agreed)
    return Floor.opened(conninfo, session, EQUAL)


def asked(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT p.code, r.quantity FROM provider_requests AS r"
        " JOIN liquidity_providers AS p ON p.id = r.provider_id ORDER BY r.id"
    )


def test_of_two_equals_the_one_of_lower_priority_number_is_asked(
    engine_database: str, engine: Session
) -> None:
    floor = floor_with(engine_database, engine, {})
    account = rich(floor)
    with floor.engine() as running:
        deal(running, buy(account))
    assert asked(floor) == [("LP-TWO", 100_000)]


def test_a_fee_makes_the_other_one_first_for_both_books(
    engine_database: str, engine: Session
) -> None:
    floor = floor_with(engine_database, engine, {"LP-TWO": Terms(fee_bps=Decimal("0.1"))})
    accounts = [rich(floor, book) for book in (Book.A, Book.B)]
    with floor.engine() as running:
        for account in accounts:
            deal(running, buy(account, 1_500_000))
    assert asked(floor) == [("LP-ONE", 1_000_000), ("LP-TWO", 500_000)]
    fills = floor.rows(
        "SELECT p.code, f.quantity, f.price FROM order_fills AS f JOIN liquidity_providers AS p"
        " ON p.id = f.provider_id JOIN orders AS o ON o.id = f.order_id ORDER BY o.book, f.id"
    )
    assert fills[:2] == fills[2:]
    assert floor.broken_laws() == {}


def test_quantities_stay_within_what_is_agreed_with_each(
    engine_database: str, engine: Session
) -> None:
    terms = {
        "LP-TWO": Terms(quantity_max=Decimal(300_000)),
        "LP-ONE": Terms(quantity_min=Decimal(200_000)),
    }
    floor = floor_with(engine_database, engine, terms)
    account = rich(floor)
    with floor.engine() as running:
        deal(running, buy(account, 700_000))
        deal(running, buy(account, 400_000))
    assert asked(floor) == [("LP-TWO", 300_000), ("LP-ONE", 400_000), ("LP-TWO", 300_000)]
    assert floor.rows("SELECT status, filled_quantity FROM orders ORDER BY id") == [
        ("filled", 700_000),
        ("canceled", 300_000),
    ]


def test_a_provider_that_rejects_falls_behind_and_stays_so_after_a_restart(
    engine_database: str, engine: Session
) -> None:
    never = steady("LP-ONE", 1, reject_probability=Decimal(1))
    floor = Floor.opened(engine_database, engine, (never, steady("LP-TWO", 2)))
    account = rich(floor)
    with floor.engine() as running:
        deal(running, buy(account))
        deal(running, buy(account))
    with floor.engine() as restarted:
        deal(restarted, buy(account))
    assert [code for code, _ in asked(floor)] == ["LP-ONE", "LP-TWO", "LP-TWO", "LP-TWO"]


def test_every_candidate_is_kept_with_the_parts_of_its_score(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = rich(floor)
    with floor.engine() as running:
        report = deal(running, buy(account))
    order_id, candidates = floor.rows("SELECT order_id::text, candidates FROM routing_rankings")[0]
    assert order_id == report.order_id
    assert [one["provider"] for one in candidates] == ["LP-ONE", "LP-TWO"]
    assert candidates[0] == {
        "provider": "LP-ONE",
        "price": "1.10010",
        "size": "1000000",
        "score_bps": "0.4795",
        "price_bps": "0.4545",
        "fee_bps": "0.0000",
        "reject_bps": "0.0250",
        "latency_bps": "0.0000",
    }


def test_an_order_of_book_b_leaves_no_ranking(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = rich(floor, Book.B)
    with floor.engine() as running:
        deal(running, buy(account))
    assert floor.one("SELECT count(*) FROM routing_rankings") == 0


def routed(side: Side, aimed_at: str) -> RoutedOrder:
    return RoutedOrder(
        account_id="",
        order_id="order",
        symbol="EURUSD",
        side=side,
        quantity=Decimal(1_000),
        limit_price=None,
        is_all_or_nothing=False,
        version=1,
        aimed_at=Decimal(aimed_at),
    )


@pytest.mark.parametrize(
    ("side", "aimed_at", "is_asked"),
    [
        (Side.BUY, "1.09500", True),
        (Side.BUY, "1.09400", False),
        (Side.BUY, "1.20000", True),
        (Side.SELL, "1.10500", True),
        (Side.SELL, "1.10600", False),
        (Side.SELL, "1.00000", True),
    ],
)
def test_a_price_that_has_gone_too_far_is_not_dealt_on_and_a_better_one_is(
    side: Side, aimed_at: str, is_asked: bool
) -> None:
    market = market_of({"EURUSD": ("1.10000", "1.10001")})
    first = next(ask_in_turn(routed(side, aimed_at), market), None)
    assert (first is not None) is is_asked


def test_nobody_else_is_asked_once_the_time_for_answers_is_over() -> None:
    market = market_of({"EURUSD": ("1.10000", "1.10001")})
    levels = [Level(code, Decimal("1.10001"), Decimal(1_000), market.now) for code in "ABC"]
    assert len(names(levels, ANSWER_MS_MAX // 2)) == 3
    assert len(names(levels, ANSWER_MS_MAX + 1)) == 1


def names(levels: Sequence[Level], waits_ms: int) -> list[str]:
    """Return who is asked when each rejects after a while."""
    market = market_of({"EURUSD": ("1.10000", "1.10001")})
    market._ranked["EURUSD", Side.BUY] = list(levels)
    asking = ask_in_turn(routed(Side.BUY, "1.10001"), market)
    told: list[str] = []
    try:
        code, request = next(asking)
        while True:
            told.append(code)
            answer = ProviderAnswer(
                request_id=request.request_id,
                provider=code,
                accepted=False,
                price=None,
                quantity=Decimal(0),
                hold_ms=waits_ms,
                decided_at=request.requested_at + timedelta(milliseconds=waits_ms),
                reason="last_look",
                execution_id=code,
            )
            code, request = asking.send(answer)
    except StopIteration:
        return told
