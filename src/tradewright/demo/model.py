"""Values of the demo: what was asked for and what the day came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOptions:
    """What day to run: its quotes (None: the built-in market), its traders, and how many orders."""

    quotes: Path | None
    traders: int
    orders: int
    seed: int
    keep: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth telling of a day: when on the market's clock, about whom or what, figures."""

    at: datetime
    about: str
    what: str
    figures: str


@dataclass(frozen=True, slots=True)
class LawFigures:
    """How many things a law was held against, and how many broke it."""

    checked: int
    broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySummary:
    """What a day came to. Money is in text with its currency; durations are milliseconds.

    `routing_decisions` counts how hybrid orders were decided, by reason; `orders_divided` those
    that went to both books. `hedges` counts the house's own trades with providers by what came of
    them, of all days in the database; `hedge_results` is what they have realised.
    `resting_filled` counts clients' orders that waited for their price and dealt, by type;
    `alternatives_canceled` those that ended because another of their group did. `swap_amounts` is
    what positions earned less what they paid over the rollover. `happenings` names some of it all.
    `card_payments` counts the movements through the card scheme by how they compare with its
    statement. `digest` is a hash over every client order (key, state, fills, price) and every
    balance: the same seed and quotes give the same digest, run after run.
    """

    seed: int
    postgres_version: str
    migrations_reviewed: Mapping[str, int]
    quotes_read: int
    quotes_refused: Mapping[str, int]
    orders: int
    orders_by_strategy: Mapping[str, int]
    fills: int
    denied: Mapping[str, int]
    rejected: int
    provider_requests: Mapping[str, Mapping[str, int]]
    routing_decisions: Mapping[str, int]
    orders_divided: int
    hedges: Mapping[str, int]
    hedge_results: Mapping[str, Decimal]
    canceled: int
    resting: int
    positions_open: int
    resting_filled: Mapping[str, int]
    alternatives_canceled: int
    breakers_triggered: int
    margin_calls: int
    margin_calls_resolved: int
    stop_outs: int
    negative_balances_forgiven: Mapping[str, Decimal]
    swaps: int
    swap_amounts: Mapping[str, Decimal]
    deposits: int
    withdrawals: int
    money_in: Mapping[str, Decimal]
    money_out: Mapping[str, Decimal]
    card_payments: Mapping[str, int]
    replays: int
    acknowledged: int
    acknowledged_lost: int
    seconds: float
    orders_per_second: float
    latency_ms: Mapping[str, float]
    digest: str
    happenings: tuple[Happening, ...]
    invariants: Mapping[str, LawFigures]

    @property
    def is_sound(self) -> bool:
        """Whether every law held, nothing acknowledged is missing, and the cards' books agree."""
        return (
            self.acknowledged_lost == 0
            and not any(figures.broken for figures in self.invariants.values())
            and self.card_payments.keys() <= {"matched", "timing"}
        )


@dataclass(slots=True)
class Measured:
    """What only the clients of the engine can know."""

    seed: int = 0
    seconds: float = 0.0
    quotes_read: int = 0
    quotes_refused: Mapping[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    refused: Counter[ErrorCode] = field(default_factory=Counter)
    reconciled: Mapping[str, int] = field(default_factory=dict)
    replays: int = 0

    def answered(self, sent: float) -> None:
        """Note that a command sent at `sent` (monotonic seconds) has been answered now."""
        self.latencies.append(monotonic_seconds() - sent)

    def latency_ms(self, share: float) -> float:
        """Return the latency that `share` of the commands did not exceed, in milliseconds."""
        if not self.latencies:
            return 0.0
        ranked = sorted(self.latencies)
        return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1000, 3)
