"""What a session wants done: values that `session` gives and `line` carries out, in their order."""

from dataclasses import dataclass

from tradewright.liquidity.fix.codec import Message


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
