"""What the demo tells of circuit breakers: each in the words of what it measures."""

from decimal import Decimal
from typing import Any

import pytest

from tests.db.trading.test_breaker_kinds import listed, settings
from tests.floor import Floor
from tradewright.demo.story import notable
from tradewright.postgres.queries import load_queries
from tradewright.risk.breaker_store import move_by_market, read_breakers
from tradewright.risk.breakers import BreakerKind, BreakerState, Move

WORDS = {
    BreakerKind.PRICE_MOVEMENT: ("EURUSD", "moved by 12.50 % within 30 s"),
    BreakerKind.VOLATILITY: ("EURUSD", "volatility of 12.50 % a year within 30 s"),
    BreakerKind.VOLUME: ("all symbols", "clients dealt 12.50 USD within 30 s"),
    BreakerKind.LOSS: ("all symbols", "the house lost 12.50 USD within 30 s"),
    BreakerKind.ERROR_RATE: ("all symbols", "providers rejected 12.50 % within 30 s"),
    BreakerKind.LP_HEALTH: ("all symbols", "12.50 % of the providers gave no price within 30 s"),
}


def test_every_kind_that_the_market_moves_has_its_words() -> None:
    assert set(WORDS) == set(BreakerKind) - {BreakerKind.MANUAL}


@pytest.mark.parametrize("kind", WORDS)
def test_a_breaker_is_told_by_what_it_measures(floor: Floor, kind: BreakerKind) -> None:
    account = floor.account()
    is_money = kind in {BreakerKind.VOLUME, BreakerKind.LOSS}
    symbol = "EURUSD" if kind.is_of_price else None
    listed(floor, settings(kind, "10", currency="USD" if is_money else None, symbol=symbol))
    (breaker,) = read_breakers(floor.session)
    seen = Move(breaker, BreakerState.TRIGGERED, "law", Decimal("12.5"), floor.now)
    assert move_by_market(floor.session, seen)

    def rows(query: str) -> list[tuple[Any, ...]]:
        sql = load_queries("tradewright.demo")[query]
        return floor.session.execute(sql, {"ids": [account]}).fetchall()

    (told,) = notable(rows)
    about, words = WORDS[kind]
    assert (told.about, told.what) == (about, "breaker triggered")
    assert told.figures == f"{words}, nothing is opened"
