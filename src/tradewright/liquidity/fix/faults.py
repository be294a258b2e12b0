"""What is wrong with a message whose number is right: its times, or where a gap fill leads. Pure.

The rules are those of FIX 4.4, volume 2, "Session protocol" and its test cases. `session` answers
a fault by a Reject (35=3), and by a Logout where the standard asks for one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import read_time

SENDING_SECONDS_MAX = 120
"""SendingTime (52) is not farther from our clock: what is may be an old message played again."""

_MISSING, _VALUE, _FORMAT, _TIME = "1", "5", "6", "10"
_SEQUENCE_RESET = "4"


@dataclass(frozen=True, slots=True)
class Fault:
    """A field, its SessionRejectReason (373), and whether the session ends for it."""

    tag: int
    reason: str
    why: str
    ends_session: bool = False


def fault_of(message: Message, now: datetime) -> Fault | None:
    """Return what is wrong with a message that arrives now in its turn, or None."""
    return _sending_fault(message, now) or _repeat_fault(message) or _gap_fill_fault(message)


def _sending_fault(message: Message, now: datetime) -> Fault | None:
    told = message.get(52)
    if told is None:
        return Fault(52, _MISSING, "SendingTime (52) is missing")
    sent_at = _time(told)
    if sent_at is None:
        return Fault(52, _FORMAT, f"SendingTime (52) is {told[:40]!r}")
    if abs(now - sent_at) > timedelta(seconds=SENDING_SECONDS_MAX):
        off = round(abs(now - sent_at) / timedelta(seconds=1))
        why = f"SendingTime (52) is {off} s off, at most {SENDING_SECONDS_MAX} s are taken"
        return Fault(52, _TIME, why, ends_session=True)
    return None


def _repeat_fault(message: Message) -> Fault | None:
    """Return what is wrong with the time at which a repeat says that it was sent first.

    Without that time it is taken: many leave it out, and its number says that it is new to us.
    """
    told = message.get(122)
    if message.get(43) != "Y" or told is None:
        return None
    first_at, sent_at = _time(told), _time(message.text(52))
    if first_at is None:
        return Fault(122, _FORMAT, f"OrigSendingTime (122) is {told[:40]!r}")
    if sent_at is not None and first_at > sent_at:
        why = "OrigSendingTime (122) is after SendingTime (52)"
        return Fault(122, _TIME, why, ends_session=True)
    return None


def _gap_fill_fault(message: Message) -> Fault | None:
    seq, after = message.number(34), message.number(36)
    if message.kind != _SEQUENCE_RESET or message.get(123) != "Y" or seq is None:
        return None
    if after is None:
        return Fault(36, _MISSING, "NewSeqNo (36) is missing")
    if after <= seq:
        why = f"attempt to lower sequence number, invalid value NewSeqNo={after}"
        return Fault(36, _VALUE, why)
    return None


def _time(text: str) -> datetime | None:
    try:
        return read_time(text)
    except ValueError:
        return None
