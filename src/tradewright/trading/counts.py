"""What an engine's writers have done together; `writer` counts for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from tradewright.trading.writer import WriterCounts


@dataclass(frozen=True, slots=True)
class EngineCounts:
    """What the writers have done since the engine started."""

    batches: int
    commands: int
    retries: int
    splits: int
    reconnects: int

    @classmethod
    def of(cls, counts: Sequence[WriterCounts]) -> Self:
        """Return the sum of what writers have counted."""
        return cls(
            sum(c.batches for c in counts),
            sum(c.commands for c in counts),
            sum(c.retries for c in counts),
            sum(c.splits for c in counts),
            sum(c.reconnects for c in counts),
        )
