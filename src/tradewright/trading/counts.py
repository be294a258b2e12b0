"""What an engine has done since it started, as figures for whoever watches it.

`writer` counts batches, `Tally` what was booked by them; both begin at zero with the engine, and
whoever reads them takes differences. What must be known for sure is read from the database.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from tradewright.core.histogram import Histogram
from tradewright.trading.state import Changes
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


@dataclass(slots=True)
class Tally:
    """What committed batches have booked, by kind, and whom they have refused, by code.

    Of a batch whose commit was not heard of nothing is counted: booked again, it changes nothing.
    """

    booked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def take(self, changes: Changes) -> None:
        """Count what a batch has written; needs the engine's lock."""
        orders = changes.orders.values()
        self.booked["order"] += sum(not order.version_read for order in orders)
        self.booked["fill"] += len(changes.fills)
        self.booked["trade"] += len(changes.trades)
        self.booked["amendment"] += sum(row[5] is True for row in changes.amendments)
        self.booked["margin_call"] += len(changes.margin_calls)
        self.booked["stop_out"] += len(changes.stop_outs)
        self.booked["hedge"] += len(changes.hedges_opened)
        self.booked["request"] += len(changes.routed)
        self.refused.update(str(order.refusal_code) for order in orders if order.refusal_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFigures:
    """How an engine is doing now.

    `answer_ms` is how long commands waited; `queued` are groups that wait for a writer,
    `in_flight` requests that wait for a provider. `price_ages` are seconds since the last price of
    each symbol was quoted, and `tradable` are the symbols that can be dealt on.
    """

    counts: EngineCounts
    answer_ms: Histogram
    booked: Mapping[str, int]
    refused: Mapping[str, int]
    queued: int
    in_flight: int
    price_ages: Mapping[str, float]
    tradable: frozenset[str]
