"""The filter of base quotes: one reason each, in order of precedence, all counted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tradewright.liquidity import Quote, QuoteFilter, Refusal, read_quotes

START = datetime(2024, 5, 6, 8, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "data" / "quotes"


def quote(bid: str, ask: str, *, at: float = 0, symbol: str = "EURUSD") -> Quote:
    return Quote(symbol, Decimal(bid), Decimal(ask), START + timedelta(seconds=at))


@pytest.fixture
def seen() -> QuoteFilter:
    """Return a filter that has accepted 1.10 / 1.11 at second 10."""
    judge = QuoteFilter()
    assert judge.accept(quote("1.10", "1.11", at=10)) is None
    return judge


def test_a_first_quote_with_bid_below_ask_is_accepted() -> None:
    assert QuoteFilter().accept(quote("1.10", "1.11")) is None


def test_bid_above_ask_is_crossed(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.12", "1.11", at=11)) is Refusal.CROSSED


def test_bid_equal_to_ask_is_locked(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.11", "1.110", at=11)) is Refusal.LOCKED


def test_the_same_prices_again_are_repeated(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.100", "1.110", at=11)) is Refusal.REPEATED


def test_one_price_changed_is_not_repeated(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.10", "1.12", at=11)) is None
    assert seen.accept(quote("1.09", "1.12", at=12)) is None


def test_a_time_before_the_latest_is_stale_and_an_equal_one_is_not(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.20", "1.21", at=9.999)) is Refusal.STALE
    assert seen.accept(quote("1.20", "1.21", at=10)) is None


def test_a_stale_quote_is_not_what_the_market_said_last(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.20", "1.21", at=5)) is Refusal.STALE
    assert seen.accept(quote("1.30", "1.31", at=6)) is Refusal.STALE
    assert seen.accept(quote("1.10", "1.11", at=11)) is Refusal.REPEATED


def test_a_price_that_returns_after_a_refused_one_is_not_repeated(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.12", "1.11", at=11)) is Refusal.CROSSED
    assert seen.accept(quote("1.10", "1.11", at=12)) is None


def test_stale_goes_before_crossed_and_crossed_and_locked_before_repeated(
    seen: QuoteFilter,
) -> None:
    assert seen.accept(quote("1.12", "1.11", at=1)) is Refusal.STALE
    assert seen.accept(quote("1.12", "1.11", at=11)) is Refusal.CROSSED
    assert seen.accept(quote("1.12", "1.11", at=12)) is Refusal.CROSSED
    assert seen.accept(quote("1.12", "1.12", at=13)) is Refusal.LOCKED
    assert seen.accept(quote("1.12", "1.12", at=14)) is Refusal.LOCKED


def test_symbols_are_judged_apart(seen: QuoteFilter) -> None:
    assert seen.accept(quote("1.10", "1.11", at=1, symbol="GBPUSD")) is None


def test_a_recorded_file_is_counted_by_reason() -> None:
    judge = QuoteFilter()
    for each in read_quotes(DATA / "headed.csv"):
        judge.accept(each)
    assert judge.read == 8
    assert judge.accepted == 4
    assert judge.refused == dict.fromkeys(Refusal, 1)


def test_the_counts_cannot_be_written_from_outside(seen: QuoteFilter) -> None:
    with pytest.raises(TypeError):
        seen.refused[Refusal.STALE] = 5  # type: ignore[index]
