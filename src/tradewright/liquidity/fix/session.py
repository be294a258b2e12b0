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

from tradewright.liquidity.fix.codec import Fields, Message

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST = "0", "1", "2"
REJECT, SEQUENCE_RESET, LOGOUT, LOGON = "3", "4", "5", "A"
ADMINISTRATIVE = frozenset(
    {HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON}
)
LOGON_SECONDS_MAX = 10
"""So long either side waits for a logon or a logout to be answered."""
HEARTBEAT_SECONDS_MAX = 3_600
"""Nobody is let be silent for longer: a line that is dead would be taken to be quiet."""

_TIME_FORM = "%Y%m%d-%H:%M:%S.%f"


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

    `gap_until` is the highest number seen while an earlier one is missing; `waits_since` is when
    a logon or a logout began to wait for its answer.
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
    is_tested: bool = False

    @property
    def is_ready(self) -> bool:
        """Return whether messages of the application may be sent."""
        return self.phase is Phase.ACTIVE


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message under its number; keep it first."""

    seq: int
    message: Message


@dataclass(frozen=True, slots=True)
class Resend:
    """Send again what had been sent under these numbers when it was asked for, the end included.

    What is sent after that in the same breath is not among them: it would arrive twice.
    """

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep a received message; the number expected after it is `next_in`."""

    seq: int
    next_in: int
    message: Message


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give a message to the application; it has been kept."""

    message: Message


@dataclass(frozen=True, slots=True)
class Reset:
    """Both sides begin again at 1; what was kept stays, under the numbering before."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection."""

    why: str


Action = Send | Resend | Keep | Deliver | Reset | Disconnect


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
        if state.gap_until and now - (state.asked_at or now) > beat:
            _ask_again(step)
    return step


def received(state: State, identity: Identity, now: datetime, message: Message) -> Step:
    """Take a message that is whole, whatever its number."""
    step = Step(replace(state, received_at=now, is_tested=False), identity, now)
    seq = message.number(34)
    if (message.get(49), message.get(56)) != (identity.target, identity.sender):
        step.disconnect(f"a message is of {message.get(49)} for {message.get(56)}")
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
    next_in = seq + 1
    if message.kind == SEQUENCE_RESET:
        next_in = max(next_in, message.number(36) or 0)
    step.actions.append(Keep(seq, next_in, message))
    gap_until = step.state.gap_until if step.state.gap_until >= next_in else 0
    step.change(next_in=next_in, gap_until=gap_until)
    if message.get(52) is None:
        step.send(REJECT, (45, str(seq)), (371, "52"), (373, "1"), (372, message.kind))
    elif message.kind == TEST_REQUEST:
        step.send(HEARTBEAT, (112, message.get(112) or "TEST"))
    elif message.kind == RESEND_REQUEST:
        _take_resend_request(step, message)
    elif message.kind == LOGOUT:
        _take_logout(step, message)
    elif message.kind == REJECT or message.kind not in ADMINISTRATIVE:
        step.actions.append(Deliver(message))


def _take_logon(step: Step, seq: int, message: Message) -> None:
    """Begin the session, or answer its beginning."""
    identity, resets = step.identity, message.get(141) == "Y"
    if step.state.phase is not Phase.LOGGING_ON:
        _leave(step, "a second logon")
        return
    if resets and not identity.is_initiator:
        step.actions.append(Reset())
        step.change(next_in=1, next_out=1)
    elif resets != identity.resets_on_logon and identity.is_initiator:
        step.disconnect("the other side has reset its numbers and was not asked to")
        return
    if seq < step.state.next_in and message.get(43) != "Y":
        _leave(step, f"MsgSeqNum too low, expecting {step.state.next_in} but received {seq}")
        return
    beat = message.number(108) or identity.heartbeat_seconds
    if beat > HEARTBEAT_SECONDS_MAX:
        _leave(step, f"HeartBtInt (108) is {beat}, at most {HEARTBEAT_SECONDS_MAX} is taken")
        return
    _begin(step, seq, message, replace(identity, heartbeat_seconds=beat))


def _begin(step: Step, seq: int, message: Message, identity: Identity) -> None:
    """Begin with what is agreed; the acceptor answers the logon."""
    step.change(phase=Phase.ACTIVE, heartbeat_seconds=identity.heartbeat_seconds)
    if not identity.is_initiator:
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
    if begin is None or end is None or begin < 1:
        step.send(REJECT, (45, message.text(34)), (371, "7"), (373, "5"), (372, RESEND_REQUEST))
        return
    last = step.state.next_out - 1
    step.actions.append(Resend(begin, last if end == 0 else min(end, last)))
    step.change(sent_at=step.now)


def _take_reset(step: Step, seq: int, message: Message) -> None:
    """Take a reset of the other side's numbers, whatever its own number is; they never fall."""
    new = message.number(36)
    if new is None or new < step.state.next_in:
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
    step.send(RESEND_REQUEST, (7, str(step.state.next_in)), (16, "0"))
    step.change(asked_at=step.now)


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


def as_time(instant: datetime) -> str:
    """Return an instant as FIX writes it, to the millisecond (UTCTimestamp)."""
    return instant.strftime(_TIME_FORM)[:-3]
