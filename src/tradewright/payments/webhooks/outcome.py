"""What became of a message: its kind, why, and of which payment."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What became of a message; also its status in the inbox."""

    APPLIED = "applied"
    IGNORED = "ignored"
    WAITING = "waiting"
    CONFLICTED = "conflicted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, why, and of which payment."""

    kind: OutcomeKind
    why: str
    payment_id: str | None = None
