"""Smart order routing: what dealing on a provider's level really costs, in basis points.

Domain rule 1.6. The score of a level is
    s * (price - mid) / mid * 10,000 + fee + (1 - p_fill) * reject cost + latency * cost per ms,
lower is better, with p_fill = (filled + k * prior) / (asked + k), so that a provider of whom little
is known is thought of as most are. What a provider has answered is counted as it comes, and the
older answers fade. Equal scores are ordered by priority, then by code. A level that is worse than
the best price by more than the tolerance is not dealt on. Belongs to one thread.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from tradewright.liquidity.board import PRIORITY_OF_UNRANKED
from tradewright.liquidity.model import Level, ProviderAnswer, ProviderRequest, Side
from tradewright.liquidity.ranking import distance_bps

PRIOR_FILL = Decimal("0.95")
PRIOR_WEIGHT = 20
"""What is thought of a provider before it has answered, and how many answers that is worth."""

REJECT_COST_BPS = Decimal("0.5")
"""What a rejection costs: the market moves while it is waited for."""

LATENCY_COST_BPS = Decimal("0.0001")
"""What a millisecond of waiting costs."""

SLIPPAGE_BPS_MAX = Decimal(50)
"""Nothing is dealt on that is worse than the price aimed at by more; what is better is taken."""

ANSWER_MS_MAX = 2_000
"""Once its providers have taken so long together, nobody else is asked for an order."""

ANSWERS_COUNTED = 1_000
"""When so many answers of a provider are counted, both counts are halved: old ones fade."""

_QUANTUM = Decimal("0.0001")
_NOTHING = Decimal(0)


class Terms(Struct, frozen=True):
    """What is agreed with a provider: place among equals, fee, smallest and largest quantity."""

    priority: int = PRIORITY_OF_UNRANKED
    fee_bps: Decimal = _NOTHING
    quantity_min: Decimal = _NOTHING
    quantity_max: Decimal | None = None


NO_TERMS = Terms()


class Record(Struct, frozen=True):
    """What a provider has done: how often it was asked and dealt, and how long it took in all."""

    asked: int = 0
    filled: int = 0
    latency_ms: int = 0

    @property
    def fill_probability(self) -> Decimal:
        """Return the smoothed share of requests that it deals on."""
        return (self.filled + PRIOR_WEIGHT * PRIOR_FILL) / (self.asked + PRIOR_WEIGHT)

    @property
    def mean_latency_ms(self) -> Decimal:
        """Return how long it takes to answer, on average; 0 while it has not answered."""
        return Decimal(self.latency_ms) / self.asked if self.asked else _NOTHING

    def with_answer(self, *, filled: bool, latency_ms: int) -> "Record":
        """Return the record with one more answer."""
        counted = Record(self.asked + 1, self.filled + filled, self.latency_ms + latency_ms)
        if counted.asked < ANSWERS_COUNTED:
            return counted
        return Record(counted.asked // 2, counted.filled // 2, counted.latency_ms // 2)


NO_RECORD = Record()


class Scored(Struct, frozen=True):
    """A level with the parts of its score, each in basis points."""

    level: Level
    price_bps: Decimal
    fee_bps: Decimal
    reject_bps: Decimal
    latency_bps: Decimal

    @property
    def score_bps(self) -> Decimal:
        """Return the sum: what dealing here costs against the middle."""
        return self.price_bps + self.fee_bps + self.reject_bps + self.latency_bps


def scored(level: Level, side: Side, mid: Decimal, of: tuple[Terms, Record]) -> Scored:
    """Return a level with its score under the terms and the record of its provider."""
    terms, record = of
    return Scored(
        level,
        distance_bps(level, side, mid),
        terms.fee_bps,
        _rounded((1 - record.fill_probability) * REJECT_COST_BPS),
        _rounded(record.mean_latency_ms * LATENCY_COST_BPS),
    )


def is_tolerable(price: Decimal, aimed_at: Decimal, side: Side) -> bool:
    """Return whether a price is worse than the one aimed at by no more than the tolerance.

    Slippage is s * (price - aimed at); below zero it is an improvement, which is the client's.
    """
    return (price - aimed_at) * side.sign * 10_000 <= SLIPPAGE_BPS_MAX * abs(aimed_at)


class Scores:
    """Ranks levels by what dealing on them really costs."""

    def __init__(self, terms: Mapping[str, Terms], records: Mapping[str, Record]) -> None:
        self._terms = dict(terms)
        self._records = dict(records)

    def learn(self, records: Mapping[str, Record]) -> None:
        """Take the place of what was known of the providers."""
        self._records = dict(records)

    def note(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Count a provider's last word on a request."""
        waited = answer.decided_at - request.requested_at
        self._records[answer.provider] = self._records.get(answer.provider, NO_RECORD).with_answer(
            filled=answer.dealt_quantity > 0,
            latency_ms=max(0, round(waited.total_seconds() * 1000)),
        )

    def rank(self, levels: Sequence[Level], side: Side, mid: Decimal) -> list[Level]:
        """Return the levels that may be dealt on, the cheapest first, cut to what is agreed."""
        best = levels[0].price if levels else _NOTHING
        ranked = (one.level for one in self.candidates(levels, side, mid))
        return [level for level in ranked if is_tolerable(level.price, best, side)]

    def candidates(self, levels: Sequence[Level], side: Side, mid: Decimal) -> list[Scored]:
        """Return every level with its score, the cheapest first."""
        found = [scored(self._cut(level), side, mid, self._of(level)) for level in levels]
        return sorted(found, key=lambda one: (one.score_bps, *self._place(one.level)))

    def explain(self, levels: Sequence[Level], side: Side, mid: Decimal) -> str:
        """Return every level with the parts of its score as JSON text, in their order."""
        return json.dumps(
            [
                {
                    "provider": one.level.provider,
                    "price": f"{one.level.price:f}",
                    "size": f"{one.level.size:f}",
                    "score_bps": f"{one.score_bps:f}",
                    "price_bps": f"{one.price_bps:f}",
                    "fee_bps": f"{one.fee_bps:f}",
                    "reject_bps": f"{one.reject_bps:f}",
                    "latency_bps": f"{one.latency_bps:f}",
                }
                for one in self.candidates(levels, side, mid)
            ]
        )

    def _of(self, level: Level) -> tuple[Terms, Record]:
        code = level.provider
        return self._terms.get(code, NO_TERMS), self._records.get(code, NO_RECORD)

    def _place(self, level: Level) -> tuple[int, str]:
        return self._terms.get(level.provider, NO_TERMS).priority, level.provider

    def _cut(self, level: Level) -> Level:
        terms = self._terms.get(level.provider, NO_TERMS)
        size = level.size if terms.quantity_max is None else min(level.size, terms.quantity_max)
        return Level(level.provider, level.price, size, level.quoted_at, terms.quantity_min)


def records_of(rows: Sequence[tuple[str, int, int, int]]) -> dict[str, Record]:
    """Return records by provider from rows of code, asked, filled and milliseconds."""
    return {code: Record(asked, filled, latency) for code, asked, filled, latency in rows}


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
