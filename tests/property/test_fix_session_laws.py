"""Two FIX sessions over a line that loses and breaks: each message arrives once, in order."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.floor import DAY
from tradewright.liquidity.fix import session
from tradewright.liquidity.fix.actions import Deliver, Disconnect, Keep, Resend, Send
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.resending import resent
from tradewright.liquidity.fix.session import Identity, State, Step

US = Identity(sender="HOUSE", target="LP")
THEM = Identity(sender="LP", target="HOUSE", is_initiator=False)


@dataclass
class End:
    """One side, with what outlives its connections: numbers, and what it has sent."""

    identity: Identity
    state: State = field(default_factory=State)
    sent: dict[int, Message] = field(default_factory=dict)
    delivered: list[str] = field(default_factory=list)
    out: list[Message] = field(default_factory=list)
    is_open: bool = False

    def do(self, step: Step) -> None:
        """Do what a step says."""
        self.state = step.state
        for action in step.actions:
            if isinstance(action, Send):
                self.sent[action.seq] = action.message
                self.out.append(action.message)
            elif isinstance(action, Resend):
                numbers = range(action.begin, action.end + 1)
                self.out += resent(self.identity, self.sent, numbers, DAY)
            elif isinstance(action, Deliver):
                self.delivered.append(action.message.text(58))
            elif isinstance(action, Disconnect):
                self.is_open = False
            else:
                assert isinstance(action, Keep)

    def connect(self) -> None:
        """Begin a connection."""
        self.out = []
        self.is_open = True
        self.do(session.connected(self.state, self.identity, DAY))

    def say(self, text: str) -> None:
        """Send a message of the application, if there is a session."""
        if self.state.is_ready:
            self.do(session.submitted(self.state, self.identity, DAY, Message("B", ((58, text),))))


def exchange(one: End, other: End, losses: "list[bool]") -> None:
    """Carry everything over, but for what is lost; a break is not noticed by the sender."""
    for _ in range(50):
        if not (one.out or other.out):
            return
        for giver, taker in ((one, other), (other, one)):
            messages, giver.out = giver.out, []
            for message in messages:
                if taker.is_open and not (losses and losses.pop()):
                    taker.do(session.received(taker.state, taker.identity, DAY, message))
    raise AssertionError("the two never come to rest")


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["say", "answer", "both", "break"]),
        st.lists(st.booleans(), max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(ACTIONS)
def test_every_message_arrives_once_and_in_order(actions: "list[tuple[str, list[bool]]]") -> None:
    us, them = End(US), End(THEM)
    said: dict[int, list[str]] = {id(us): [], id(them): []}
    for number, (action, losses) in enumerate(actions):
        if not (us.is_open and them.is_open and us.state.is_ready and them.state.is_ready):
            them.connect()
            us.connect()
            exchange(us, them, [])
        if action == "break":
            us.is_open = them.is_open = False
            continue
        for end in (us, them):
            if action in ("both", "say" if end is us else "answer") and end.state.is_ready:
                end.say(f"{number}")
                said[id(end)].append(f"{number}")
        exchange(us, them, losses)
    them.connect()
    us.connect()
    exchange(us, them, [])
    us.say("last")
    them.say("last")
    exchange(us, them, [])
    assert them.delivered == [*said[id(us)], "last"]
    assert us.delivered == [*said[id(them)], "last"]
