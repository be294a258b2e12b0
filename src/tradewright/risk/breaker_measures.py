"""What circuit breakers compare with their thresholds: prices, sums and shares of a window.

Time is the market's own. Pure: `trading.breaking` says what has happened.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.risk.breakers import BreakerKind

TICKS_MIN = 10
"""Fewer ticks than these have no volatility."""

ANSWERS_MIN = 10
"""Fewer answers of providers than these have no rate of errors."""

HUNDRED = Decimal(100)

_NOTHING = Decimal(0)
_SECOND = timedelta(seconds=1)
_YEAR_SECONDS = Decimal(365 * 86_400)


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
        if not self._ticks or not kind.is_of_price:
            return _NOTHING
        begins = self._ticks[-1][0] - window
        older = [tick for tick in self._ticks if tick[0] <= begins]
        inside = [*older[-1:], *(tick for tick in self._ticks if tick[0] > begins)]
        return _movement(inside) if kind is BreakerKind.PRICE_MOVEMENT else _volatility(inside)


def _movement(ticks: list[tuple[datetime, Decimal]]) -> Decimal:
    """Return |P(now) / P(now - window) - 1| in percent."""
    return abs(ticks[-1][1] / ticks[0][1] - 1) * HUNDRED


def _volatility(ticks: list[tuple[datetime, Decimal]]) -> Decimal:
    """Return the standard deviation of log returns, annualised by the ticks' mean distance."""
    seconds = Decimal(str((ticks[-1][0] - ticks[0][0]).total_seconds()))
    if len(ticks) < TICKS_MIN or not seconds:
        return _NOTHING
    returns = [(ticks[n][1] / ticks[n - 1][1]).ln() for n in range(1, len(ticks))]
    mean = sum(returns, _NOTHING) / len(returns)
    variance = sum(((one - mean) ** 2 for one in returns), _NOTHING) / (len(returns) - 1)
    return (variance * _YEAR_SECONDS * len(returns) / seconds).sqrt() * HUNDRED


class Tally:
    """Sums by name over a window, in steps of a second, so that a day of trading stays small."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._steps: deque[tuple[datetime, dict[str, Decimal]]] = deque()
        self._sums: dict[str, Decimal] = {}

    def add(self, at: datetime, name: str, amount: Decimal) -> None:
        """Count an amount; what is older than the newest second counts in that."""
        second = at.replace(microsecond=0)
        if not self._steps or self._steps[-1][0] < second:
            self._steps.append((second, {}))
        step = self._steps[-1][1]
        step[name] = step.get(name, _NOTHING) + amount
        self._sums[name] = self._sums.get(name, _NOTHING) + amount

    def sums(self, now: datetime) -> Mapping[str, Decimal]:
        """Return the sums of the window; a second is over when all of it is."""
        while self._steps and self._steps[0][0] + _SECOND <= now - self._window:
            for name, amount in self._steps.popleft()[1].items():
                self._sums[name] -= amount
        return self._sums


def error_rate(answers: Mapping[str, Decimal]) -> Decimal:
    """Return the share of rejected among all answers in percent; 0 while there are few."""
    asked = sum(answers.values(), _NOTHING)
    if asked < ANSWERS_MIN:
        return _NOTHING
    return answers.get("rejected", _NOTHING) / asked * HUNDRED


class Silence:
    """Which providers have given no price for how long; while nothing is in session none must."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._looked_at: datetime | None = None
        self._heard: dict[str, datetime] = {}

    def measure(
        self, now: datetime, window: timedelta, last: Mapping[str, Iterable[datetime]] | None
    ) -> Decimal:
        """Return the share of the providers without a price within the window, in percent.

        `last` has the times of each provider's newest prices; None while nothing is in session. It
        begins anew then, and after a time in which nobody looked. A price that was seen and taken
        back since was given all the same.
        """
        since, looked_at, self._looked_at = self._since, self._looked_at, now
        if last is None or since is None or looked_at is None or now - looked_at > window:
            self._since = since = now
        if not last:
            return _NOTHING
        for code, times in last.items():
            self._heard[code] = max([self._heard.get(code, since), *times])
        silent = sum(now - max(since, self._heard[code]) >= window for code in last)
        return HUNDRED * silent / len(last)
