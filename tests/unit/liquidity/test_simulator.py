"""The simulated provider: its own price, its outages, and final answers after a last look."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tradewright.liquidity import (
    DEFAULT_PROFILES,
    ProviderAnswer,
    ProviderProfile,
    ProviderRequest,
    Quote,
    QuoteFilter,
    RejectReason,
    Side,
    SimulatedProvider,
    seeded_day,
    simulator,
)

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
STEADY = ProviderProfile(
    code="LP-STEADY",
    priority=1,
    spread_markup_bps=Decimal("0.2"),
    size=Decimal(5_000),
    latency_ms=10,
    last_look_ms=100,
    tolerance_bps=Decimal(1),
    reject_probability=Decimal(0),
    outage_probability=Decimal(0),
    outage_quotes_max=10,
    quote_age_ms_max=5_000,
)


def base(bid: str = "1.10000", ask: str = "1.10006", *, at: datetime = NOW) -> Quote:
    return Quote("EURUSD", Decimal(bid), Decimal(ask), at)


def request(
    name: str = "r1", *, side: Side = Side.BUY, quantity: str = "1000", limit: str | None = None
) -> ProviderRequest:
    limit_price = None if limit is None else Decimal(limit)
    return ProviderRequest(name, "EURUSD", side, Decimal(quantity), limit_price, NOW)


def quoting(profile: ProviderProfile = STEADY, seed: int = 1) -> SimulatedProvider:
    provider = SimulatedProvider(profile, seed)
    provider.on_quote(base())
    return provider


def test_the_markup_is_added_on_each_side_and_rounded_outwards_to_the_tick() -> None:
    quote = SimulatedProvider(STEADY, 1).on_quote(base())
    assert quote is not None
    assert (str(quote.bid), str(quote.ask)) == ("1.09997", "1.10009")


def test_a_quote_is_later_by_the_latency_and_its_sequence_rises() -> None:
    provider = SimulatedProvider(STEADY, 1)
    first, second = provider.on_quote(base()), provider.on_quote(base())
    assert first is not None
    assert second is not None
    assert first.quoted_at == NOW + timedelta(milliseconds=10)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.bid_size == first.ask_size == STEADY.size


def test_an_outage_silences_the_provider_for_a_stretch_and_then_ends() -> None:
    profile = replace(STEADY, outage_probability=Decimal("0.02"), outage_quotes_max=8)
    provider = SimulatedProvider(profile, 3)
    spoken = "".join(".x"[provider.on_quote(base()) is None] for _ in range(2_000))
    stretches = [len(stretch) for stretch in spoken.split(".") if stretch]
    assert 15 < len(stretches) < 70
    assert max(stretches) > 4
    assert spoken.count(".") > 1_500


def test_a_silent_provider_rejects_on_its_old_price_as_stale() -> None:
    provider = quoting()
    answer = provider.answer(request(), NOW + timedelta(seconds=6))
    assert (answer.accepted, answer.reason) == (False, RejectReason.STALE_PRICE)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "1.10009"), (Side.SELL, "1.09997")])
def test_an_accepted_request_is_dealt_at_the_price_quoted(side: Side, price: str) -> None:
    answer = quoting().answer(request(side=side), NOW)
    assert answer.accepted
    assert answer.price == Decimal(price)
    assert answer.quantity == 1000
    assert answer.reason is None
    assert answer.provider == "LP-STEADY"


def test_an_answer_comes_after_the_hold_and_the_latency() -> None:
    for number in range(50):
        answer = quoting(seed=number).answer(request(), NOW)
        assert 50 <= answer.hold_ms <= 100
        assert answer.decided_at == NOW + timedelta(milliseconds=answer.hold_ms + 10)


def test_more_than_its_size_is_accepted_in_part() -> None:
    answer = quoting().answer(request(quantity="8000"), NOW)
    assert (answer.accepted, answer.quantity) == (True, Decimal(5_000))


@pytest.mark.parametrize("quantity", ["0", "-5", "NaN", "Infinity"])
def test_a_quantity_that_is_not_a_positive_number_is_rejected(quantity: str) -> None:
    answer = quoting().answer(request(quantity=quantity), NOW)
    assert answer.reason == RejectReason.QUANTITY
    assert (answer.quantity, answer.price) == (Decimal(0), None)


def test_a_symbol_it_never_quoted_is_rejected() -> None:
    answer = SimulatedProvider(STEADY, 1).answer(request(), NOW)
    assert answer.reason == "unknown_symbol"
    assert answer.hold_ms == 0


@pytest.mark.parametrize(
    ("side", "limit", "accepted"),
    [
        (Side.BUY, "1.10009", True),
        (Side.BUY, "1.10008", False),
        (Side.SELL, "1.09997", True),
        (Side.SELL, "1.09998", False),
    ],
)
def test_a_limit_is_met_at_the_price_or_better(side: Side, limit: str, *, accepted: bool) -> None:
    answer = quoting().answer(request(side=side, limit=limit), NOW)
    assert answer.accepted is accepted
    assert answer.reason == (None if accepted else "limit_not_met")


def in_outage_after(bid: str, ask: str) -> SimulatedProvider:
    """Return a provider that quoted, fell silent, and saw the market go elsewhere and rest."""
    provider = quoting()
    provider._silent_quote_count = 2
    assert provider.on_quote(base(bid, ask)) is None
    assert provider.on_quote(base(bid, ask)) is None
    return provider


def test_last_look_rejects_when_the_market_moved_against_the_provider() -> None:
    answer = in_outage_after("1.10100", "1.10106").answer(request(side=Side.BUY), NOW)
    assert answer.reason == "last_look"
    assert answer.hold_ms >= 50
    answer = in_outage_after("1.09900", "1.09906").answer(request(side=Side.SELL), NOW)
    assert answer.reason == "last_look"


def test_last_look_accepts_a_move_within_tolerance_or_in_its_favour() -> None:
    assert in_outage_after("1.10005", "1.10011").answer(request(), NOW).accepted
    assert in_outage_after("1.09900", "1.09906").answer(request(side=Side.BUY), NOW).accepted
    assert in_outage_after("1.10100", "1.10106").answer(request(side=Side.SELL), NOW).accepted


def test_a_market_that_moves_much_is_rejected_more_often_than_a_calm_one() -> None:
    def accepted_count(moved_bid: str, moved_ask: str) -> int:
        provider = SimulatedProvider(STEADY, 5)
        count = 0
        for number in range(300):
            provider.on_quote(base())
            provider.on_quote(base(moved_bid, moved_ask))
            count += provider.answer(request(str(number)), NOW).accepted
        return count

    assert accepted_count("1.10001", "1.10007") == 300
    assert 100 < accepted_count("1.10100", "1.10106") < 250


def test_requests_are_declined_about_as_often_as_the_profile_says() -> None:
    provider = quoting(replace(STEADY, reject_probability=Decimal("0.1")))
    answers = [provider.answer(request(str(number)), NOW) for number in range(2_000)]
    declined = [answer for answer in answers if answer.reason == "declined"]
    assert 150 < len(declined) < 250
    assert sum(answer.accepted for answer in answers) == 2_000 - len(declined)


def test_the_same_request_again_gets_the_same_answer_whatever_changed_since() -> None:
    provider = quoting(replace(STEADY, reject_probability=Decimal("0.5")))
    first = [provider.answer(request(str(number)), NOW) for number in range(40)]
    provider.on_quote(base("1.20000", "1.20006"))
    later = NOW + timedelta(hours=1)
    assert [provider.answer(request(str(number)), later) for number in range(40)] == first
    assert {answer.accepted for answer in first} == {True, False}


def test_the_status_of_a_request_is_its_answer_or_nothing() -> None:
    provider = quoting()
    assert provider.status("r1") is None
    answer = provider.answer(request(), NOW)
    assert provider.status("r1") == answer


def test_every_answer_has_an_execution_id_of_its_own() -> None:
    first, second = quoting(), quoting(replace(STEADY, code="LP-OTHER"))
    answers = [p.answer(request(str(n)), NOW) for p in (first, second) for n in range(100)]
    assert len({answer.execution_id for answer in answers}) == 200


def test_only_so_many_answers_are_kept_and_the_oldest_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulator, "ANSWERS_KEPT_MAX", 3)
    provider = quoting()
    for name in "abcd":
        provider.answer(request(name), NOW)
    assert [provider.status(name) is None for name in "abcd"] == [True, False, False, False]


def day_of(profile: ProviderProfile, seed: int) -> list[ProviderAnswer]:
    provider, judge = SimulatedProvider(profile, seed), QuoteFilter()
    answers = []
    for number, quote in enumerate(seeded_day(2, quote_count=4_000)):
        if judge.accept(quote) is None:
            provider.on_quote(quote)
            asked = replace(request(str(number)), symbol=quote.symbol)
            answers.append(provider.answer(asked, quote.quoted_at))
    return answers


def test_the_same_seed_and_calls_give_the_same_answers_and_another_seed_others() -> None:
    profile = DEFAULT_PROFILES[0]
    assert day_of(profile, 1) == day_of(profile, 1)
    assert day_of(profile, 1) != day_of(profile, 2)


def test_the_default_providers_differ_in_spread_depth_and_reliability() -> None:
    alpha, beta = DEFAULT_PROFILES
    quotes = [SimulatedProvider(profile, 1).on_quote(base()) for profile in (alpha, beta)]
    spreads = [quote.ask - quote.bid for quote in quotes if quote is not None]
    assert spreads[0] < spreads[1]
    assert alpha.size < beta.size
    accepted = Counter(
        {each.code: sum(answer.accepted for answer in day_of(each, 1)) for each in (alpha, beta)}
    )
    assert accepted["LP-ALPHA"] < accepted["LP-BETA"]
