"""What is asked for, refused, and asked for again: by time, and never without a pause."""

from datetime import UTC, datetime, timedelta

from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.subscriptions import (
    PAUSE_MAX,
    PAUSE_MIN,
    REFUSALS_TOLD,
    Subscriptions,
)

NOW = datetime(2026, 1, 13, 8, tzinfo=UTC)
SOON = NOW + PAUSE_MIN


def symbols_of(request: Message) -> list[str]:
    return [value for tag, value in request.fields if tag == 55]


def asked(requests: list[Message]) -> list[list[str]]:
    return [symbols_of(request) for request in requests]


def refusal_of(request: Message) -> Message:
    fields = ((262, request.text(262)), (281, "0"), (58, "unknown symbol"))
    return Message(application.MARKET_DATA_REJECT, fields)


def test_at_a_logon_everything_is_asked_for_at_once() -> None:
    assert asked(Subscriptions(["EURUSD", "GBPUSD"]).begin()) == [["EURUSD", "GBPUSD"]]


def test_of_a_request_that_is_refused_all_without_a_price_is_asked_for_alone() -> None:
    known = Subscriptions(["EURUSD", "GBPUSD", "USDJPY"])
    (request,) = known.begin()
    known.take_refusal(refusal_of(request), NOW)
    known.take_price("EURUSD")
    assert known.due(SOON - timedelta(milliseconds=1)) == []
    assert asked(known.due(SOON)) == [["GBPUSD"], ["USDJPY"]]
    assert known.due(SOON) == []


def test_each_pause_doubles_up_to_the_longest_and_asking_never_ends() -> None:
    known = Subscriptions(["EURUSD"])
    (request,) = known.begin()
    now, pauses = NOW, []
    for _ in range(14):
        known.take_refusal(refusal_of(request), now)
        before = now
        while not (due := known.due(now)):
            now += PAUSE_MIN
        (request,) = due
        pauses.append(now - before)
    assert pauses[:4] == [PAUSE_MIN, 2 * PAUSE_MIN, 4 * PAUSE_MIN, 8 * PAUSE_MIN]
    assert pauses[-3:] == [PAUSE_MAX] * 3


def test_the_same_refusal_told_twice_counts_once() -> None:
    known = Subscriptions(["EURUSD"])
    (request,) = known.begin()
    for _ in range(REFUSALS_TOLD):
        known.take_refusal(refusal_of(request), NOW)
    assert known.kept_refused == {}
    assert len(known.due(SOON)) == 1


def test_what_is_refused_alone_again_and_again_is_said_until_it_has_a_price() -> None:
    known = Subscriptions(["EURUSD"])
    requests, now = known.begin(), NOW
    for _ in range(REFUSALS_TOLD):
        known.take_refusal(refusal_of(requests[0]), now)
        now += PAUSE_MAX
        requests = known.due(now)
    assert known.kept_refused == {"EURUSD": "unknown symbol"}
    known.take_price("EURUSD")
    assert known.kept_refused == {}
    assert known.due(now + PAUSE_MAX) == []


def test_what_others_refuse_with_it_is_not_said_of_a_symbol() -> None:
    known = Subscriptions(["EURUSD", "GBPUSD"])
    for _ in range(REFUSALS_TOLD):
        (request,) = known.begin()
        known.take_refusal(refusal_of(request), NOW)
    assert known.kept_refused == {}


def test_a_business_reject_of_the_request_refuses_it_too() -> None:
    known = Subscriptions(["EURUSD"])
    (request,) = known.begin()
    fields = ((372, "V"), (379, request.text(262)), (380, "2"), (58, "unknown id"))
    known.take_refusal(Message(application.BUSINESS_REJECT, fields), NOW)
    assert asked(known.due(SOON)) == [["EURUSD"]]


def test_when_what_is_traded_changes_the_refused_are_asked_for_at_once_beside_the_new() -> None:
    known = Subscriptions(["EURUSD", "GBPUSD"])
    (request,) = known.begin()
    known.take_refusal(refusal_of(request), NOW)
    known.take_price("EURUSD")
    assert asked(known.follow(["EURUSD", "GBPUSD", "USDJPY"])) == [["USDJPY"], ["GBPUSD"]]
    assert known.due(SOON) == []


def test_what_was_taken_and_is_refused_later_is_asked_for_again() -> None:
    known = Subscriptions(["EURUSD"])
    (request,) = known.begin()
    known.take_price("EURUSD")
    known.take_refusal(refusal_of(request), NOW)
    assert asked(known.due(SOON)) == [["EURUSD"]]


def test_a_new_session_asks_for_everything_and_for_nothing_again() -> None:
    known = Subscriptions(["EURUSD"])
    (request,) = known.begin()
    known.take_refusal(refusal_of(request), NOW)
    known.end()
    assert asked(known.begin()) == [["EURUSD"]]
    assert known.due(NOW + PAUSE_MAX) == []
    known.take_refusal(refusal_of(request), NOW)  # of the session before
    assert known.due(NOW + PAUSE_MAX) == []
