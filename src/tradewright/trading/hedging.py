"""What sets off the house's hedges: it looks at the exposure in memory and proposes.

Like the watchers it never acts: the batch asks again, under lock and on the exposure as the
database has it. A proposal that came to nothing is repeated with a later price, not at once.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tradewright.liquidity.market import Market
from tradewright.routing.exposures import Exposures
from tradewright.routing.hedging import wanted_hedge
from tradewright.trading.house_commands import OpenHedge
from tradewright.trading.reference import Reference
from tradewright.trading.state import Desk, Hedge, HedgeStatus

PROPOSED_EVERY = timedelta(seconds=5)
"""Market time before a hedge that nobody dealt on is tried again."""


class HedgeWatcher:
    """The symbols whose exposure may have to be hedged; belongs to one thread at a time."""

    def __init__(
        self, market: Market, exposures: Exposures, reference: Callable[[], Reference]
    ) -> None:
        self._market = market
        self._exposures = exposures
        self._reference = reference
        self._open: dict[str, str] = {}
        self._begun: set[str] = set()
        self._next_at: dict[str, datetime] = {}

    def take(self, desk: Desk, symbols: Iterable[str]) -> list[OpenHedge]:
        """Learn what a committed batch did to hedges; return those that it makes due.

        `symbols` are those whose exposure it has changed.
        """
        hedges = desk.changes.hedges.values()
        for hedge in hedges:
            self._take(hedge)
        return self._due(sorted({*symbols, *(hedge.symbol for hedge in hedges)}))

    def learn(self, hedges: Iterable[Hedge]) -> None:
        """Learn which hedges are open, and that no others are."""
        self._open.clear()
        for hedge in hedges:
            self._take(hedge)

    def on_price(self, symbol: str) -> list[OpenHedge]:
        """Return the hedge of a symbol that is due now: one that could not be dealt before."""
        return self._due([symbol])

    def _take(self, hedge: Hedge) -> None:
        if hedge.is_open:
            self._open[hedge.symbol] = hedge.id
            self._begun.add(hedge.symbol)
            return
        if self._open.get(hedge.symbol) == hedge.id:
            del self._open[hedge.symbol]
        if hedge.status is not HedgeStatus.REJECTED:
            self._next_at.pop(hedge.symbol, None)

    def _due(self, symbols: Iterable[str]) -> list[OpenHedge]:
        due: list[OpenHedge] = []
        for symbol in symbols:
            policy = self._reference().routing.policies.get(symbol)
            if policy is None or policy.hedge_target is None or symbol in self._open:
                continue
            step = self._reference().instruments[symbol].quantity_step
            has_begun = symbol in self._begun
            exposure = self._exposures.of(symbol)
            if wanted_hedge(policy, exposure, step, has_begun=has_begun) is None:
                self._begun.discard(symbol)
            elif self._is_time(symbol):
                self._next_at[symbol] = self._market.now + PROPOSED_EVERY
                due.append(OpenHedge(symbol=symbol, has_begun=has_begun))
        return due

    def _is_time(self, symbol: str) -> bool:
        """Return whether a hedge may be proposed: there is a price, and not too soon again."""
        next_at = self._next_at.get(symbol)
        is_late = next_at is None or self._market.now >= next_at
        return is_late and self._market.top(symbol) is not None
