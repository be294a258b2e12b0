"""Circuit breakers: what is measured, when one is triggered, and how it comes to rest again.

armed --(condition)--> triggered --(reset time)--> cooling down --(clear for the cooldown)--> armed;
disabled by hand, and reset by hand with a name and a reason. Opening trades are denied while one is
triggered or cooling down, so a condition that comes and goes only restarts the cooldown, and never
makes a breaker flap. Time is the market's own. Pure; `trading.breaking` measures with each quote.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

TICKS_MIN = 10
"""Fewer ticks than these have no volatility."""

_HUNDRED = Decimal(100)
_YEAR_SECONDS = Decimal(365 * 86_400)


class BreakerKind(StrEnum):
    """What triggers a breaker: a movement, a volatility, or a person."""

    PRICE_MOVEMENT = "price_movement"
    VOLATILITY = "volatility"
    MANUAL = "manual"


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

    `threshold` is in percent; `symbol` is None where all instruments are stopped.
    """

    id: str
    code: str
    kind: BreakerKind
    symbol: str | None
    threshold: Decimal
    window: timedelta
    reset: timedelta
    cooldown: timedelta
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
    """All breakers: those to be measured by symbol, and those that stop trading now."""

    def __init__(self, breakers: Iterable[Breaker] = ()) -> None:
        self.measured: dict[str, list[Breaker]] = {}
        self._stopping: dict[str | None, Breaker] = {}
        for one in breakers:
            if one.symbol is not None and one.kind is not BreakerKind.MANUAL:
                self.measured.setdefault(one.symbol, []).append(one)
            if one.state.stops:
                self._stopping[one.symbol] = one

    def of(self, symbol: str) -> Breaker | None:
        """Return the breaker that stops opening trades in a symbol; None if none does."""
        if not self._stopping:
            return None
        return self._stopping.get(None) or self._stopping.get(symbol)


class Ticks:
    """The middles of one symbol over the longest window that is asked for, by tick time."""

    def __init__(self) -> None:
        self._ticks: deque[tuple[datetime, Decimal]] = deque()

    def add(self, at: datetime, mid: Decimal, longest: timedelta) -> None:
        """Take a tick; keep the last one before the window, which says where it began."""
        self._ticks.append((at, mid))
        while len(self._ticks) > 1 and self._ticks[1][0] <= at - longest:
            self._ticks.popleft()

    def measure(self, kind: BreakerKind, window: timedelta) -> Decimal:
        """Return what a breaker of a kind compares with its threshold, in percent."""
        if not self._ticks or kind is BreakerKind.MANUAL:
            return Decimal(0)
        begins = self._ticks[-1][0] - window
        older = [tick for tick in self._ticks if tick[0] <= begins]
        inside = [*older[-1:], *(tick for tick in self._ticks if tick[0] > begins)]
        return _movement(inside) if kind is BreakerKind.PRICE_MOVEMENT else _volatility(inside)


def _movement(ticks: list[tuple[datetime, Decimal]]) -> Decimal:
    """Return |P(now) / P(now - window) - 1| in percent."""
    return abs(ticks[-1][1] / ticks[0][1] - 1) * _HUNDRED


def _volatility(ticks: list[tuple[datetime, Decimal]]) -> Decimal:
    """Return the standard deviation of log returns, annualised by the ticks' mean distance."""
    seconds = Decimal(str((ticks[-1][0] - ticks[0][0]).total_seconds()))
    if len(ticks) < TICKS_MIN or not seconds:
        return Decimal(0)
    returns = [(ticks[n][1] / ticks[n - 1][1]).ln() for n in range(1, len(ticks))]
    mean = sum(returns, Decimal(0)) / len(returns)
    variance = sum(((one - mean) ** 2 for one in returns), Decimal(0)) / (len(returns) - 1)
    return (variance * _YEAR_SECONDS * len(returns) / seconds).sqrt() * _HUNDRED


def next_move(
    breaker: Breaker, measured: Decimal, now: datetime, *, since: datetime, clear_since: datetime
) -> Move | None:
    """Return where the market moves a breaker, if anywhere.

    `since` is when it came into its state, `clear_since` since when the condition has been clear.
    """
    is_over = measured >= breaker.threshold
    shown = f"{measured.quantize(Decimal('0.01'))} percent"
    if breaker.state is BreakerState.ARMED and is_over:
        seconds = int(breaker.window.total_seconds())
        reason = f"{breaker.kind.replace('_', ' ')} of {shown} within {seconds} s"
        return Move(breaker, BreakerState.TRIGGERED, reason, measured, now)
    if breaker.state is BreakerState.TRIGGERED and now - since >= breaker.reset:
        return Move(breaker, BreakerState.COOLING_DOWN, "the reset time is over", measured, now)
    is_calm = not is_over and now - max(since, clear_since) >= breaker.cooldown
    if breaker.state is BreakerState.COOLING_DOWN and is_calm:
        return Move(breaker, BreakerState.ARMED, "clear for the cooldown", measured, now)
    return None
