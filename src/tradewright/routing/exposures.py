"""The house's net exposure by symbol, in memory: what hybrid orders and hedges are decided on.

The database is the truth (`kept_exposures`). A batch with hybrid orders, and each decision about a
hedge, reads it; an engine that looks for hedges to propose remembers what it read last and adds
what its own batches have committed since. Belongs to one thread at a time, like the market.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

_NOTHING = Decimal(0)


class Exposures:
    """Net quantities by symbol in units of the base currency: above zero the house is long."""

    def __init__(self) -> None:
        self._nets: dict[str, Decimal] = {}

    def of(self, symbol: str) -> Decimal:
        """Return the net of a symbol."""
        return self._nets.get(symbol, _NOTHING)

    def learn(self, nets: Mapping[str, Decimal]) -> None:
        """Take the place of everything that was known."""
        self._nets = dict(nets)

    def add(self, changes: Iterable[tuple[str, Decimal]]) -> None:
        """Add what a committed batch has dealt."""
        for symbol, change in changes:
            self._nets[symbol] = self.of(symbol) + change
