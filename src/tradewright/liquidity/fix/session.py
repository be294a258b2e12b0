"""The FIX 4.4 session as a state machine: values in, messages out, no socket and no clock.

Each function takes the state, what happened and the instant, and returns the state after it with
what must be done, in order. The rules are those of FIX 4.4, volume 2, "Session protocol": each
side numbers its messages without gaps, what is missing is asked for again, and what comes twice
is passed over. The same machine serves the initiator (our gateway) and the acceptor (the
simulated provider); `line` does what it says.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tradewright.liquidity.fix.actions import Action, Deliver, Disconnect, Keep, Resend, Reset, Send
from tradewright.liquidity.fix.codec import Fields, Message
from tradewright.liquidity.fix.faults import Fault, fault_of
from tradewright.liquidity.fix.instants import as_time

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST = "0", "1", "2"
REJECT, SEQUENCE_RESET, LOGOUT, LOGON = "3", "4", "5", "A"
ADMINISTRATIVE = frozenset(
    {HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON}
)
LOGON_SECONDS_MAX = 10
"""So long either side waits for a logon or a logout to be answered."""
HEARTBEAT_SECONDS_MAX = 3_600
"""Nobody is let be silent for longer: a line that is dead would be taken to be quiet."""
ASKS_MAX = 3
"""So often the same gap is asked for on one connection."""
RESENDS_MAX = 5
"""So often the same is sent again on one connection: who asks more often never takes it."""
EXECUTION_REPORT = "8"
"""Heard though its session's fields are wrong: what it says was dealt was dealt."""


class Phase(StrEnum):
    """Where a connection stands."""

    CLOSED = "closed"
    LOGGING_ON = "logging_on"
    ACTIVE = "active"
    LOGGING_OUT = "logging_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who speaks to whom, and how: SenderCompID (49), TargetCompID (56), HeartBtInt (108)."""

    sender: str
    target: str
    heartbeat_seconds: int = 30
    resets_on_logon: bool = False
    is_initiator: bool = True
    logon_fields: Fields = ()


@dataclass(frozen=True, slots=True)
class State:
    """What a session knows; the two numbers outlive connections, the rest does not.

    `gap_until` is the highest number seen while an earlier one is missing, `asked_at` when that
    was asked for or came nearer, `asks_count` how often it was asked for in vain; `resent_from` is
    where the other side's last resend request began, `resends_count` how many began there in a row;
    `waits_since` is when a logon or a logout began to wait for its answer.
    """

    next_in: int = 1
    next_out: int = 1
    phase: Phase = Phase.CLOSED
    heartbeat_seconds: int = 30
    received_at: datetime | None = None
    sent_at: datetime | None = None
    asked_at: datetime | None = None
    waits_since: datetime | None = None
    gap_until: int = 0
    asks_count: int = 0
    resent_from: int = 0
    resends_count: int = 0
    is_tested: bool = False

    @property
    def is_ready(self) -> bool:
        """Return whether messages of the application may be sent."""
        return self.phase is Phase.ACTIVE


@dataclass(slots=True)
class Step:
    """A state on its way, and what must be done; one for each thing that happens."""

    state: State
    identity: Identity
    now: datetime
    actions: list[Action] = field(default_factory=list)

    def send(self, kind: str, *fields: tuple[int, str]) -> None:
        """Send a message under the next number."""
        seq = self.state.next_out
        head = header(self.identity, seq, self.now)
        self.actions.append(Send(seq, Message(kind, (*head, *fields))))
        self.change(next_out=seq + 1, sent_at=self.now)

    def disconnect(self, why: str) -> None:
        """Close the connection."""
        self.actions.append(Disconnect(why))
        self.change(phase=Phase.CLOSED)

    def change(self, **changes: object) -> None:
        """Take the state further."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]


def connected(state: State, identity: Identity, now: datetime) -> Step:
    """Begin a connection: the initiator logs on, the acceptor waits for that."""
    step = Step(_fresh(state, identity, now), identity, now)
    if not identity.is_initiator:
        return step
    if identity.resets_on_logon:
        step.actions.append(Reset())
        step.change(next_in=1, next_out=1)
    step.send(LOGON, *_logon_fields(identity, resets=identity.resets_on_logon))
    return step


def submitted(state: State, identity: Identity, now: datetime, message: Message) -> Step:
    """Send a message of the application; the session is ready."""
    step = Step(state, identity, now)
    step.send(message.kind, *message.fields)
    return step


def ended(state: State, identity: Identity, now: datetime) -> Step:
    """Log out; the connection closes when the other side has answered."""
    step = Step(state, identity, now)
    if state.phase is Phase.ACTIVE:
        step.send(LOGOUT)
        step.change(phase=Phase.LOGGING_OUT, waits_since=now)
    else:
        step.disconnect("logged out")
    return step


def ticked(state: State, identity: Identity, now: datetime) -> Step:
    """Let time pass: heartbeats, a test of a silent line, and the end of one that stays silent."""
    step = Step(state, identity, now)
    beat = timedelta(seconds=state.heartbeat_seconds)
    silent = now - (state.received_at or now)
    if state.phase in (Phase.LOGGING_ON, Phase.LOGGING_OUT):
        if now - (state.waits_since or now) > timedelta(seconds=LOGON_SECONDS_MAX):
            step.disconnect(f"no answer while {state.phase.replace('_', ' ')}")
    elif state.phase is Phase.ACTIVE:
        if silent > beat * 12 / 5:
            step.disconnect("the other side is silent")
        elif silent > beat * 6 / 5 and not state.is_tested:
            step.send(TEST_REQUEST, (112, f"TEST-{state.next_out}"))
            step.change(is_tested=True)
        elif now - (state.sent_at or now) >= beat:
            step.send(HEARTBEAT)
        is_late = bool(state.gap_until) and now - (state.asked_at or now) > beat
        if is_late and step.state.phase is Phase.ACTIVE:
            _ask_again(step)
    return step


def received(state: State, identity: Identity, now: datetime, message: Message) -> Step:
    """Take a message that is whole, whatever its number."""
    step = Step(replace(state, received_at=now, is_tested=False), identity, now)
    seq = message.number(34)
    if (message.get(49), message.get(56)) != (identity.target, identity.sender):
        _take_foreign(step, message)
    elif seq is None:
        _leave(step, "a message has no MsgSeqNum")
    elif message.kind == LOGON:
        _take_logon(step, seq, message)
    elif state.phase not in (Phase.ACTIVE, Phase.LOGGING_OUT):
        step.disconnect(_refused(message) if identity.is_initiator else _NO_LOGON)
    elif message.kind == SEQUENCE_RESET and message.get(123) != "Y":
        _take_reset(step, seq, message)
    else:
        _take_numbered(step, seq, message)
    return step


_NO_LOGON = "the first message is no logon"


def _refused(message: Message) -> str:
    """Return why our logon was not answered by one: a logout or a reject says it, if anything."""
    if message.kind not in (LOGOUT, REJECT):
        return _NO_LOGON
    why = "the other side refuses the logon"
    return f"{why}: {message.get(58)}" if message.get(58) else why


def _take_foreign(step: Step, message: Message) -> None:
    """Take a message of another, or for another: it is not counted, and the connection ends."""
    why = f"a message is of {message.get(49)} for {message.get(56)}"
    if step.state.phase is not Phase.ACTIVE:
        step.disconnect(why)
        return
    tag = 49 if message.get(49) != step.identity.target else 56
    step.send(REJECT, (45, message.text(34) or "0"), (371, str(tag)), (373, "9"), (58, why))
    _leave(step, why)


def _take_numbered(step: Step, seq: int, message: Message) -> None:
    """Take a message in its turn; ask for what is missing, pass over what came before."""
    expected = step.state.next_in
    if seq > expected:
        if message.kind == LOGOUT:
            _take_logout(step, message)  # what is missing is asked for at the next logon
            return
        if message.kind == RESEND_REQUEST:
            _take_resend_request(step, message)
        _note_gap(step, seq)
    elif seq < expected:
        if message.get(43) != "Y":
            _leave(step, f"MsgSeqNum too low, expecting {expected} but received {seq}")
    else:
        _take_turn(step, seq, message)


def _take_turn(step: Step, seq: int, message: Message) -> None:
    next_in, fault = seq + 1, fault_of(message, step.now)
    if message.kind == SEQUENCE_RESET:
        next_in = max(next_in, message.number(36) or 0)
    step.actions.append(Keep(seq, next_in, message))
    gap_until = step.state.gap_until if step.state.gap_until >= next_in else 0
    step.change(next_in=next_in, gap_until=gap_until, asked_at=step.now, asks_count=0)
    if fault is not None:
        _take_faulty(step, message, fault)
    elif message.kind == TEST_REQUEST:
        step.send(HEARTBEAT, (112, message.get(112) or "TEST"))
    elif message.kind == RESEND_REQUEST:
        _take_resend_request(step, message)
    elif message.kind == LOGOUT:
        _take_logout(step, message)
    elif message.kind == REJECT or message.kind not in ADMINISTRATIVE:
        step.actions.append(Deliver(message))


def _take_faulty(step: Step, message: Message, fault: Fault) -> None:
    """Refuse a message, which is counted; but hear an execution, and end where it must end."""
    refused = ((45, message.text(34)), (371, str(fault.tag)), (373, fault.reason))
    step.send(REJECT, *refused, (372, message.kind), (58, fault.why))
    if message.kind == EXECUTION_REPORT:
        step.actions.append(Deliver(message))
    if fault.ends_session:
        _leave(step, fault.why)


def _take_logon(step: Step, seq: int, message: Message) -> None:
    """Begin the session, or answer its beginning."""
    identity, resets = step.identity, message.get(141) == "Y"
    is_again = step.state.phase is Phase.ACTIVE and resets
    why = _logon_fault(step, seq, message, is_again=is_again)
    if why is not None:
        _leave(step, why)
        return
    if is_again or (resets and not identity.is_initiator):
        step.actions.append(Reset())
        step.change(next_in=1, next_out=1, gap_until=0)
    elif resets != identity.resets_on_logon and identity.is_initiator:
        step.disconnect("the other side has reset its numbers and was not asked to")
        return
    if seq < step.state.next_in and message.get(43) != "Y":
        _leave(step, f"MsgSeqNum too low, expecting {step.state.next_in} but received {seq}")
        return
    beat = message.number(108) or identity.heartbeat_seconds
    agreed = replace(identity, heartbeat_seconds=beat)
    _begin(step, seq, message, agreed, answers=is_again or not identity.is_initiator)


def _logon_fault(step: Step, seq: int, message: Message, *, is_again: bool) -> str | None:
    """Return why a logon cannot begin the session; one that resets may come while it lasts."""
    fault, beat = fault_of(message, step.now), message.number(108) or 0
    if step.state.phase is not Phase.LOGGING_ON and not is_again:
        return "a second logon"
    if message.get(141) == "Y" and seq != 1:
        return f"a logon resets the numbers (141) and has {seq}, not 1"
    if beat > HEARTBEAT_SECONDS_MAX:
        return f"HeartBtInt (108) is {beat}, at most {HEARTBEAT_SECONDS_MAX} is taken"
    return None if fault is None else fault.why


def _begin(step: Step, seq: int, message: Message, identity: Identity, *, answers: bool) -> None:
    """Begin with what is agreed; whoever was asked to answers the logon."""
    step.change(phase=Phase.ACTIVE, heartbeat_seconds=identity.heartbeat_seconds)
    if answers:
        step.send(LOGON, *_logon_fields(identity, resets=message.get(141) == "Y"))
    if seq == step.state.next_in:
        step.actions.append(Keep(seq, seq + 1, message))
        step.change(next_in=seq + 1)
    elif seq > step.state.next_in:
        _note_gap(step, seq)


def _take_logout(step: Step, message: Message) -> None:
    if step.state.phase is not Phase.LOGGING_OUT:
        step.send(LOGOUT)
    why = "the other side has logged out"
    step.disconnect(f"{why}: {message.get(58)}" if message.get(58) else why)


def _take_resend_request(step: Step, message: Message) -> None:
    begin, end = message.number(7), message.number(16)
    if begin is None or end is None or begin < 1 or 0 < end < begin:
        step.send(REJECT, (45, message.text(34)), (371, "7"), (373, "5"), (372, RESEND_REQUEST))
        return
    count = step.state.resends_count + 1 if begin == step.state.resent_from else 1
    if count > RESENDS_MAX:
        _leave(step, f"what begins with {begin} was asked for more than {RESENDS_MAX} times")
        return
    last = step.state.next_out - 1
    step.actions.append(Resend(begin, last if end == 0 else min(end, last)))
    step.change(sent_at=step.now, resent_from=begin, resends_count=count)


def _take_reset(step: Step, seq: int, message: Message) -> None:
    """Take a reset of the other side's numbers, whatever its own number is; they never fall."""
    new, fault = message.number(36), fault_of(message, step.now)
    if fault is not None:
        _take_faulty(step, message, fault)
    elif new is None or new < step.state.next_in:
        step.send(REJECT, (45, str(seq)), (371, "36"), (373, "5"), (372, SEQUENCE_RESET))
    elif new > step.state.next_in:
        step.actions.append(Keep(step.state.next_in, new, message))
        step.change(next_in=new, gap_until=0)


def _note_gap(step: Step, seq: int) -> None:
    is_asked = step.state.gap_until > 0
    step.change(gap_until=max(step.state.gap_until, seq))
    if not is_asked:
        _ask_again(step)


def _ask_again(step: Step) -> None:
    """Ask for what is missing; what was asked for in vain so often does not come."""
    if step.state.asks_count >= ASKS_MAX:
        _leave(step, f"number {step.state.next_in} was asked for {ASKS_MAX} times in vain")
        return
    step.send(RESEND_REQUEST, (7, str(step.state.next_in)), (16, "0"))
    step.change(asked_at=step.now, asks_count=step.state.asks_count + 1)


def _leave(step: Step, why: str) -> None:
    """Log out for a fault that cannot be mended, and close at once."""
    step.send(LOGOUT, (58, why))
    step.disconnect(why)


def header(identity: Identity, seq: int, now: datetime) -> tuple[tuple[int, str], ...]:
    """Return what each message begins with: who speaks to whom, its number and its time."""
    return (
        (49, identity.sender),
        (56, identity.target),
        (34, str(seq)),
        (52, as_time(now)),
    )


def _logon_fields(identity: Identity, *, resets: bool) -> list[tuple[int, str]]:
    fields = [(98, "0"), (108, str(identity.heartbeat_seconds)), *identity.logon_fields]
    return [*fields, (141, "Y")] if resets else fields


def _fresh(state: State, identity: Identity, now: datetime) -> State:
    return State(
        next_in=state.next_in,
        next_out=state.next_out,
        phase=Phase.LOGGING_ON,
        heartbeat_seconds=identity.heartbeat_seconds,
        received_at=now,
        sent_at=now,
        waits_since=now,
    )
