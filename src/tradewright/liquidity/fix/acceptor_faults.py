"""How the simulated provider fails on purpose: drawn from a seed and the request's id."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

MARK = 5999
"""A user-defined tag: a message that was lost on purpose says so when it is sent again."""


class Fault(StrEnum):
    """How a request fails, or does not."""

    NONE = "none"
    REJECT = "reject"
    PARTIAL = "partial"
    PIECES = "pieces"
    LATE = "late"
    DUPLICATE = "duplicate"
    SILENT = "silent"
    DISCONNECT = "disconnect"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """Which faults are drawn; each is as likely as it stands in the list.

    `rejects_whole` refuses a request for prices as a whole for the sake of one unknown symbol.
    """

    faults: Sequence[Fault] = (Fault.NONE,)
    seed: int = 1
    rejects_whole: bool = False

    def fault(self, request_id: str) -> Fault:
        """Return how this request is dealt with."""
        chance = Random(f"{self.seed}/{request_id}")  # noqa: S311 (a simulation)
        return self.faults[chance.randrange(len(self.faults))]
