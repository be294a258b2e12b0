"""The session's state machine: numbers without gaps, repeats passed over, silence tested."""

from datetime import timedelta

import pytest

from tests.floor import DAY
from tradewright.liquidity.fix import session
from tradewright.liquidity.fix.actions import Deliver, Disconnect, Keep, Resend, Reset, Send
from tradewright.liquidity.fix.codec import Fields, Message
from tradewright.liquidity.fix.resending import resent
from tradewright.liquidity.fix.session import Identity, Phase, State, Step

US = Identity(sender="HOUSE", target="LP", heartbeat_seconds=30)
THEM = Identity(sender="LP", target="HOUSE", is_initiator=False)
ACTIVE = State(
    next_in=5, next_out=9, phase=Phase.ACTIVE, received_at=DAY, sent_at=DAY, heartbeat_seconds=30
)


def told(kind: str, seq: int, *fields: tuple[int, str], sender: str = "LP") -> Message:
    """Return a message of the provider."""
    target = "HOUSE" if sender == "LP" else "LP"
    header: Fields = ((49, sender), (56, target), (34, str(seq)), (52, "20260113-08:00:00.000"))
    return Message(kind, (*header, *fields))


def take(state: State, kind: str, seq: int, *fields: tuple[int, str]) -> Step:
    return session.received(state, US, DAY, told(kind, seq, *fields))


def sent(step: Step) -> list[tuple[str, dict[int, str]]]:
    """Return what is sent, without headers."""
    return [
        (
            action.message.kind,
            {tag: value for tag, value in action.message.fields if tag not in (34, 49, 52, 56)},
        )
        for action in step.actions
        if isinstance(action, Send)
    ]


def disconnects(step: Step) -> str | None:
    return next((a.why for a in step.actions if isinstance(a, Disconnect)), None)


def test_an_initiator_logs_on_with_its_heartbeat() -> None:
    step = session.connected(State(next_in=5, next_out=9), US, DAY)
    assert sent(step) == [("A", {98: "0", 108: "30"})]
    assert (step.state.next_out, step.state.phase) == (10, Phase.LOGGING_ON)


def test_a_session_that_resets_begins_both_numbers_again() -> None:
    identity = Identity(sender="HOUSE", target="LP", resets_on_logon=True)
    step = session.connected(State(next_in=5, next_out=9), identity, DAY)
    assert step.actions[0] == Reset()
    assert sent(step) == [("A", {98: "0", 108: "30", 141: "Y"})]
    assert (step.state.next_in, step.state.next_out) == (1, 2)


def test_an_acceptor_answers_a_logon_and_takes_over_its_heartbeat() -> None:
    waiting = session.connected(State(), THEM, DAY).state
    logon = told("A", 1, (98, "0"), (108, "7"), sender="HOUSE")
    step = session.received(waiting, THEM, DAY, logon)
    assert sent(step) == [("A", {98: "0", 108: "7"})]
    assert (step.state.phase, step.state.heartbeat_seconds) == (Phase.ACTIVE, 7)


def test_a_logon_with_a_number_too_high_begins_and_asks_for_what_is_missing() -> None:
    logging_on = session.connected(State(next_in=5), US, DAY).state
    step = take(logging_on, "A", 8, (98, "0"), (108, "30"))
    assert step.state.phase is Phase.ACTIVE
    assert sent(step) == [("2", {7: "5", 16: "0"})]
    assert step.state.next_in == 5


def test_a_message_in_its_turn_is_kept_then_delivered() -> None:
    step = take(ACTIVE, "8", 5, (11, "x"))
    assert [type(action) for action in step.actions] == [Keep, Deliver]
    assert step.state.next_in == 6


def test_a_gap_is_asked_for_once_and_nothing_after_it_is_delivered() -> None:
    first = take(ACTIVE, "8", 7)
    second = take(first.state, "8", 8)
    assert sent(first) == [("2", {7: "5", 16: "0"})]
    assert second.actions == []
    assert (second.state.next_in, second.state.gap_until) == (5, 8)


def test_a_gap_that_is_not_filled_is_asked_for_again() -> None:
    state = take(ACTIVE, "8", 7).state
    later = session.ticked(state, US, DAY + timedelta(seconds=31))
    assert ("2", {7: "5", 16: "0"}) in sent(later)


def test_a_gap_that_is_filled_is_forgotten() -> None:
    state = take(ACTIVE, "8", 6).state
    state = take(state, "8", 5, (43, "Y")).state
    assert state.gap_until == 6
    assert take(state, "8", 6, (43, "Y")).state.gap_until == 0


def test_a_repeat_is_passed_over() -> None:
    assert take(ACTIVE, "8", 4, (43, "Y")).actions == []


def test_a_number_too_low_ends_the_session() -> None:
    step = take(ACTIVE, "8", 4)
    assert sent(step) == [("5", {58: "MsgSeqNum too low, expecting 5 but received 4"})]
    assert disconnects(step) == "MsgSeqNum too low, expecting 5 but received 4"


def test_a_gap_fill_leads_past_what_will_not_come() -> None:
    step = take(ACTIVE, "4", 5, (123, "Y"), (36, "9"), (43, "Y"))
    assert isinstance(step.actions[0], Keep)
    assert (step.actions[0].next_in, step.state.next_in) == (9, 9)


def test_a_reset_counts_whatever_its_own_number_is_and_never_leads_back() -> None:
    assert take(ACTIVE, "4", 99, (36, "20")).state.next_in == 20
    back = take(ACTIVE, "4", 5, (36, "3"))
    assert sent(back) == [("3", {45: "5", 371: "36", 373: "5", 372: "4"})]
    assert back.state.next_in == 5


def test_a_test_request_is_answered_with_its_word() -> None:
    assert sent(take(ACTIVE, "1", 5, (112, "are you there"))) == [("0", {112: "are you there"})]


def test_a_resend_request_is_answered_even_when_we_miss_something_ourselves() -> None:
    step = take(ACTIVE, "2", 7, (7, "3"), (16, "0"))
    assert Resend(3, 8) in step.actions
    assert sent(step) == [("2", {7: "5", 16: "0"})]


def test_what_is_sent_after_a_resend_request_is_not_sent_twice() -> None:
    """What waits is numbered in the same turn, before the resend is written."""
    step = take(ACTIVE, "2", 5, (7, "3"), (16, "0"))
    session.submitted(step.state, US, DAY, Message("H", ((11, "x"),)))
    assert Resend(3, 8) in step.actions


def test_a_resend_request_without_numbers_is_rejected() -> None:
    assert sent(take(ACTIVE, "2", 5))[0][0] == "3"


def test_a_message_without_its_time_is_rejected_and_counted() -> None:
    bare = Message("8", ((49, "LP"), (56, "HOUSE"), (34, "5")))
    step = session.received(ACTIVE, US, DAY, bare)
    refused = {45: "5", 371: "52", 373: "1", 372: "8", 58: "SendingTime (52) is missing"}
    assert sent(step) == [("3", refused)]
    assert step.state.next_in == 6


@pytest.mark.parametrize("changes", [{49: "EVE"}, {56: "EVE"}])
def test_a_message_of_or_for_another_ends_the_connection(changes: dict[int, str]) -> None:
    fields = dict(told("8", 5).fields) | changes
    step = session.received(ACTIVE, US, DAY, Message("8", tuple(fields.items())))
    assert disconnects(step) is not None
    assert step.state.next_in == 5


def test_nothing_is_taken_before_a_logon() -> None:
    state = session.connected(State(), US, DAY).state
    assert disconnects(take(state, "8", 1)) == "the first message is no logon"


@pytest.mark.parametrize("kind", ["5", "3"])
def test_why_a_logon_is_refused_is_told(kind: str) -> None:
    """Wrong ids, a password, numbers too low: the other side says it in Text (58) or not at all."""
    state = session.connected(State(), US, DAY).state
    why = "MsgSeqNum too low, expecting 57 but received 1"
    said = take(state, kind, 40, (58, why))
    assert disconnects(said) == f"the other side refuses the logon: {why}"
    assert disconnects(take(state, kind, 40)) == "the other side refuses the logon"
    assert said.state.next_in == 1, "what came before is asked for at the next logon"


def test_a_logout_beyond_a_gap_ends_the_connection_with_its_reason() -> None:
    step = take(ACTIVE, "5", 8, (58, "the day is over"))
    assert sent(step) == [("5", {})]
    assert disconnects(step) == "the other side has logged out: the day is over"
    assert step.state.next_in == 5


def test_a_logout_is_answered_and_ends_the_connection() -> None:
    step = take(ACTIVE, "5", 5)
    assert sent(step) == [("5", {})]
    assert disconnects(step) == "the other side has logged out"


def test_our_logout_waits_for_its_answer() -> None:
    step = session.ended(ACTIVE, US, DAY)
    assert (sent(step), step.state.phase) == ([("5", {})], Phase.LOGGING_OUT)
    answered = take(step.state, "5", 5)
    assert (sent(answered), disconnects(answered)) == ([], "the other side has logged out")


def test_a_logout_is_not_waited_for_longer_because_the_other_side_beats() -> None:
    state = session.ended(ACTIVE, US, DAY + timedelta(seconds=25)).state
    beaten = session.received(state, US, DAY + timedelta(seconds=34), told("0", 5)).state
    assert disconnects(session.ticked(beaten, US, DAY + timedelta(seconds=35))) is None
    assert disconnects(session.ticked(beaten, US, DAY + timedelta(seconds=36)))


@pytest.mark.parametrize(
    ("seconds", "kinds", "ends"),
    [(10, [], False), (31, ["0"], False), (37, ["1"], False), (73, [], True)],
)
def test_silence_is_broken_tested_and_ended(seconds: int, kinds: list[str], ends: bool) -> None:
    step = session.ticked(ACTIVE, US, DAY + timedelta(seconds=seconds))
    assert [kind for kind, _ in sent(step)] == kinds
    assert (disconnects(step) is not None) is ends


def test_a_logon_that_is_not_answered_ends_the_connection() -> None:
    state = session.connected(State(), US, DAY).state
    assert disconnects(session.ticked(state, US, DAY + timedelta(seconds=11)))


def test_what_is_sent_again_is_marked_and_orders_and_heartbeats_are_gap_filled() -> None:
    before = {
        1: Message("A", ((34, "1"), (52, "20260113-07:00:00.000"))),
        2: Message("D", ((34, "2"), (11, "order"))),
        3: Message("H", ((34, "3"), (52, "20260113-07:00:00.000"), (11, "order"))),
        4: Message("0", ((34, "4"),)),
    }
    answers = resent(US, before, range(1, 5), DAY)
    seen = [(m.kind, m.get(34), m.get(36), m.get(43), m.get(122), m.get(11)) for m in answers]
    assert seen == [
        ("4", "1", "3", "Y", "20260113-08:00:00.000", None),
        ("H", "3", None, "Y", "20260113-07:00:00.000", "order"),
        ("4", "4", "5", "Y", "20260113-08:00:00.000", None),
    ]
