"""The built-in market: the same day for the same seed, with the drama it promises."""

from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity import SEEDED_SYMBOLS, Quote, QuoteFilter, Refusal, seeded_day

TICKS = {"EURUSD": "0.00001", "GBPUSD": "0.00001", "USDJPY": "0.001", "XAUUSD": "0.01"}
SEEDS = range(1, 7)


@cache
def accepted_by_symbol(seed: int) -> dict[str, list[Quote]]:
    judge = QuoteFilter()
    quotes: dict[str, list[Quote]] = {symbol: [] for symbol in SEEDED_SYMBOLS}
    for quote in seeded_day(seed):
        if judge.accept(quote) is None:
            quotes[quote.symbol].append(quote)
    return quotes


def test_the_day_of_a_seed_is_the_same_on_every_platform_and_python() -> None:
    digest = sha256()
    for quote in seeded_day(7, quote_count=5_000):
        line = f"{quote.quoted_at.isoformat()},{quote.symbol},{quote.bid},{quote.ask}\n"
        digest.update(line.encode())
    assert digest.hexdigest()[:32] == "a66443ff7f28b9378666fd04f41c30cc"


def test_another_seed_is_another_day() -> None:
    assert list(seeded_day(1, quote_count=1_000)) != list(seeded_day(2, quote_count=1_000))


@pytest.mark.parametrize("count", [1_000, 1_001, 39_999, 40_000])
def test_the_day_has_exactly_the_quotes_asked_for(count: int) -> None:
    assert sum(1 for _ in seeded_day(3, quote_count=count)) == count


def test_a_day_too_short_for_its_flaws_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        seeded_day(1, quote_count=999)
    assert caught.value.code is ErrorCode.QUOTE_COUNT_TOO_SMALL
    assert caught.value.what == "quote count 999 is below 1000"


def test_every_price_is_positive_and_written_to_its_tick() -> None:
    for quote in seeded_day(4):
        for price in (quote.bid, quote.ask):
            assert price > 0
            assert price.as_tuple().exponent == Decimal(TICKS[quote.symbol]).as_tuple().exponent


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shortest_day_too_has_every_flaw(seed: int) -> None:
    judge = QuoteFilter()
    for quote in seeded_day(seed, quote_count=1_000):
        judge.accept(quote)
    assert all(judge.refused[refusal] > 0 for refusal in Refusal)
    assert judge.accepted > 800


@pytest.mark.parametrize("seed", SEEDS)
def test_every_day_has_one_gap_of_about_nine_percent_within_seconds(seed: int) -> None:
    gaps = [
        (after.quoted_at - before.quoted_at).total_seconds()
        for quotes in accepted_by_symbol(seed).values()
        for before, after in pairwise(quotes)
        if abs(after.bid / before.bid - 1) > Decimal("0.08")
    ]
    assert len(gaps) == 1
    assert gaps[0] <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_every_day_has_a_trend_of_about_two_percent_without_a_gap(seed: int) -> None:
    def has_trend(quotes: list[Quote]) -> bool:
        morning = [quote.bid for quote in quotes if 8 <= quote.quoted_at.hour < 11]
        steps = [abs(after / before - 1) for before, after in pairwise(morning)]
        return max(steps) < Decimal("0.002") and max(morning) / min(morning) > Decimal("1.015")

    assert any(has_trend(quotes) for quotes in accepted_by_symbol(seed).values())


def test_prices_stay_plausible_all_day() -> None:
    for seed in SEEDS:
        for quotes in accepted_by_symbol(seed).values():
            bids = [quote.bid for quote in quotes]
            assert max(bids) / min(bids) < Decimal("1.16")
            assert all((quote.ask - quote.bid) / quote.bid < Decimal("0.001") for quote in quotes)


def test_london_and_new_york_hours_are_the_busiest() -> None:
    hours = [quote.quoted_at.hour for quote in seeded_day(5)]
    assert hours.count(14) > 3 * hours.count(2)
