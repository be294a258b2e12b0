"""What breakers measure beside prices: sums over a window, shares of answers, and silence."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY
from tradewright.risk.breaker_measures import Silence, Tally, error_rate

MINUTE = timedelta(seconds=60)
EVENTS = st.lists(st.tuples(st.integers(0, 300), st.integers(-9, 9)), max_size=40)


def second(number: int) -> timedelta:
    return timedelta(seconds=number)


@given(EVENTS, st.integers(1, 120))
def test_a_tally_is_the_sum_of_the_seconds_that_the_window_touches(
    events: list[tuple[int, int]], seconds: int
) -> None:
    tally, counted = Tally(second(seconds)), sorted(events)
    for at, amount in counted:
        tally.add(DAY + second(at), "USD", Decimal(amount))
        expected = sum(one for when, one in counted if when + 1 > at - seconds and when <= at)
        later = [one for when, one in counted[counted.index((at, amount)) + 1 :] if when == at]
        if not later:
            assert tally.sums(DAY + second(at)).get("USD", 0) == expected
    assert not any(tally.sums(DAY + second(301 + seconds)).values())


def test_what_is_older_than_the_window_counts_no_more() -> None:
    tally = Tally(MINUTE)
    tally.add(DAY + timedelta(milliseconds=500), "EUR", Decimal(5))
    tally.add(DAY + second(30), "EUR", Decimal(7))
    assert tally.sums(DAY + second(60)) == {"EUR": 12}
    assert tally.sums(DAY + second(61)) == {"EUR": 7}
    assert tally.sums(DAY + second(91)) == {"EUR": 0}


def test_the_rate_of_errors_is_a_share_of_the_last_words_once_there_are_ten() -> None:
    assert error_rate({"rejected": Decimal(9)}) == 0
    assert error_rate({"rejected": Decimal(3), "dealt": Decimal(9)}) == 25
    assert error_rate({"dealt": Decimal(50)}) == 0


def test_a_provider_is_silent_when_it_gave_no_price_within_the_window() -> None:
    silence = Silence()
    assert silence.measure(DAY, MINUTE, {"A": [], "B": []}) == 0, "nobody could speak yet"
    heard = {"A": [DAY + second(30)], "B": []}
    assert silence.measure(DAY + second(59), MINUTE, heard) == 0
    assert silence.measure(DAY + second(60), MINUTE, heard) == 50
    assert silence.measure(DAY + second(90), MINUTE, heard) == 100
    assert silence.measure(DAY + second(91), MINUTE, {}) == 0, "no provider, nobody silent"


def test_a_price_that_is_taken_back_was_given_all_the_same() -> None:
    silence = Silence()
    silence.measure(DAY, MINUTE, {"A": []})
    silence.measure(DAY + second(40), MINUTE, {"A": [DAY + second(40)]})
    assert silence.measure(DAY + second(99), MINUTE, {"A": []}) == 0
    assert silence.measure(DAY + second(100), MINUTE, {"A": []}) == 100


def test_providers_may_be_silent_while_nothing_is_in_session_and_when_it_opens() -> None:
    silence, friday = Silence(), {"A": [DAY]}
    silence.measure(DAY, MINUTE, friday)
    for hours in range(1, 49):
        assert silence.measure(DAY + timedelta(hours=hours), MINUTE, None) == 0
    monday = DAY + timedelta(hours=48, seconds=1)
    assert silence.measure(monday, MINUTE, friday) == 0
    assert silence.measure(monday + second(59), MINUTE, friday) == 100


def test_after_a_time_in_which_nobody_looked_silence_begins_anew() -> None:
    silence = Silence()
    silence.measure(DAY, MINUTE, {"A": []})
    monday = DAY + timedelta(hours=48)
    assert silence.measure(monday, MINUTE, {"A": []}) == 0
