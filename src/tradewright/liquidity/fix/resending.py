"""What answers a resend request: repeats of what is worth it, gap fills for the rest. Pure.

`session` says when, `line` reads what was sent and writes it again.
"""

from datetime import datetime

from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.fix.session import ADMINISTRATIVE, SEQUENCE_RESET, Identity, header


def resent(
    identity: Identity, sent: dict[int, Message], numbers: range, now: datetime
) -> list[Message]:
    """Return what answers a resend request: repeats of what is worth it, gap fills for the rest.

    What administers the session is never sent again. Nor is an order (35=D): the price of its
    time is gone, and the status request that follows settles what became of it.
    """
    answers: list[Message] = []
    begin: int | None = None
    for seq in numbers:
        message = sent.get(seq)
        if message is None or message.kind in ADMINISTRATIVE or message.kind == "D":
            begin = seq if begin is None else begin
            continue
        if begin is not None:
            answers.append(_gap_fill(identity, begin, seq, now))
            begin = None
        answers.append(_repeat(identity, seq, message, now))
    if begin is not None:
        answers.append(_gap_fill(identity, begin, numbers.stop, now))
    return answers


def _gap_fill(identity: Identity, begin: int, after: int, now: datetime) -> Message:
    """Fill a gap; its OrigSendingTime (122) is of now, as of what was never sent before."""
    head = (*header(identity, begin, now), (43, "Y"), (122, as_time(now)))
    return Message(SEQUENCE_RESET, (*head, (123, "Y"), (36, str(after))))


def _repeat(identity: Identity, seq: int, message: Message, now: datetime) -> Message:
    head = (*header(identity, seq, now), (43, "Y"), (122, message.text(52) or as_time(now)))
    return Message(message.kind, (*head, *(f for f in message.fields if f[0] not in _HEADER)))


_HEADER = frozenset({34, 43, 49, 52, 56, 122})
