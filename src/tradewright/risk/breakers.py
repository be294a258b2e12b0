"""Circuit breakers: when one is triggered, and how it comes to rest again.

armed --(condition)--> triggered --(reset time)--> cooling down --(clear for the cooldown)--> armed;
disabled by hand, and reset by hand with a name and a reason. Opening trades are denied while one is
triggered or cooling down, so a condition that comes and goes only restarts the cooldown, and never
makes a breaker flap. Time is the market's own. Pure; `breaker_measures` is what is compared with
the thresholds, and `trading.breaking` looks with each quote.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class BreakerKind(StrEnum):
    """What triggers a breaker. Money is in the breaker's currency, the rest in percent."""

    PRICE_MOVEMENT = "price_movement"
    """How far the price has moved within the window."""
    VOLATILITY = "volatility"
    """The price's annual volatility within the window."""
    VOLUME = "volume"
    """Money that clients have dealt within the window."""
    LOSS = "loss"
    """Money that the house's own position has lost within the window."""
    ERROR_RATE = "error_rate"
    """Share of the requests that providers have rejected within the window."""
    LP_HEALTH = "lp_health"
    """Share of the providers that have given no price within the window."""
    MANUAL = "manual"
    """Nothing: a person triggers it."""

    @property
    def is_of_price(self) -> bool:
        """Return whether it is measured from the prices of one symbol alone."""
        return self in {BreakerKind.PRICE_MOVEMENT, BreakerKind.VOLATILITY}

    @property
    def is_counted(self) -> bool:
        """Return whether it is measured from what batches have booked."""
        return self in {BreakerKind.VOLUME, BreakerKind.ERROR_RATE}


class BreakerState(StrEnum):
    """Where a breaker stands."""

    ARMED = "armed"
    TRIGGERED = "triggered"
    COOLING_DOWN = "cooling_down"
    DISABLED = "disabled"

    @property
    def stops(self) -> bool:
        """Whether opening trades are denied."""
        return self in {BreakerState.TRIGGERED, BreakerState.COOLING_DOWN}


class Breaker(Struct, frozen=True, kw_only=True):
    """A breaker with the state of its last event, which was number `seq`, at the market's time.

    `threshold` is in `currency` if there is one, else in percent; `symbol` is None where all
    instruments are measured and stopped.
    """

    id: str
    code: str
    kind: BreakerKind
    symbol: str | None
    threshold: Decimal
    window: timedelta
    reset: timedelta
    cooldown: timedelta
    currency: str | None = None
    seq: int = 1
    state: BreakerState = BreakerState.ARMED
    state_at: datetime | None = None
    reason: str = ""


class Move(Struct, frozen=True):
    """A change of state that the market has brought about."""

    breaker: Breaker
    to_state: BreakerState
    reason: str
    measured: Decimal
    market_at: datetime


class BreakerBook:
    """All breakers: those that are measured, by what they are measured from, and those that stop.

    `counted` are measured from what batches book, `of_health` from who gives prices.
    """

    def __init__(self, breakers: Iterable[Breaker] = ()) -> None:
        self._all = tuple(breakers)
        self._measured: dict[str | None, list[Breaker]] = {}
        self._stopping: dict[str | None, Breaker] = {}
        for one in self._all:
            if one.kind is not BreakerKind.MANUAL:
                self._measured.setdefault(one.symbol, []).append(one)
            if one.state.stops:
                self._stopping[one.symbol] = one
        measured = [one for group in self._measured.values() for one in group]
        self.counted = [one for one in measured if one.kind.is_counted]
        self.of_health = [one for one in measured if one.kind is BreakerKind.LP_HEALTH]

    def stopped_by(self, moves: Mapping[str, Move]) -> "BreakerBook":
        """Return the breakers with those triggered that the market moves there, found by id.

        One that somebody else has moved since then stays as it is.
        """
        return BreakerBook(_triggered(one, moves.get(one.id)) for one in self._all)

    def measured_with(self, symbol: str) -> list[Breaker]:
        """Return the breakers that are looked at with a quote of a symbol."""
        if not self._measured:
            return []
        return [*self._measured.get(symbol, ()), *self._measured.get(None, ())]

    def of(self, symbol: str) -> Breaker | None:
        """Return the breaker that stops opening trades in a symbol; None if none does."""
        if not self._stopping:
            return None
        return self._stopping.get(None) or self._stopping.get(symbol)


def _triggered(breaker: Breaker, move: Move | None) -> Breaker:
    """Return a breaker as it is after a move that triggers it; any other move changes nothing."""
    if move is None or move.to_state is not BreakerState.TRIGGERED:
        return breaker
    if move.breaker.seq != breaker.seq:
        return breaker
    return replace(breaker, state=move.to_state, state_at=move.market_at, reason=move.reason)


def next_move(
    breaker: Breaker, measured: Decimal, now: datetime, *, since: datetime, clear_since: datetime
) -> Move | None:
    """Return where the market moves a breaker, if anywhere.

    `since` is when it came into its state, `clear_since` since when the condition has been clear.
    """
    is_over = measured >= breaker.threshold
    if breaker.state is BreakerState.ARMED and is_over:
        return Move(breaker, BreakerState.TRIGGERED, _reason(breaker, measured), measured, now)
    if breaker.state is BreakerState.TRIGGERED and now - since >= breaker.reset:
        return Move(breaker, BreakerState.COOLING_DOWN, "the reset time is over", measured, now)
    is_calm = not is_over and now - max(since, clear_since) >= breaker.cooldown
    if breaker.state is BreakerState.COOLING_DOWN and is_calm:
        return Move(breaker, BreakerState.ARMED, "clear for the cooldown", measured, now)
    return None


def _reason(breaker: Breaker, measured: Decimal) -> str:
    shown = f"{measured.quantize(Decimal('0.01'))} {breaker.currency or 'percent'}"
    within = f"within {int(breaker.window.total_seconds())} s"
    if breaker.kind is BreakerKind.LP_HEALTH:
        return f"{shown} of the providers have given no price {within}"
    return f"{breaker.kind.replace('_', ' ')} of {shown} {within}"
