"""Keys that wait for prices, over all symbols: put in, taken out, and found by a quote.

Owned by the watches, which say what each key means. A key waits for prices of one symbol or of
several, or follows one as a trailing stop; either way it has one entry here. What has fired is
held: it fires again only when its owner says so, or lets it wait for other prices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tradewright.liquidity.board import Top
from tradewright.liquidity.model import Side
from tradewright.trading.price_lists import Level, PriceLists, TrailingStops

Wanted = tuple[str, Level, Decimal]
"""A symbol, which of its lists, and the price."""


@dataclass(slots=True)
class _Entry:
    """Where a key stands, or is to stand: in lists of prices, or among trailing stops."""

    key: str
    prices: list[tuple[PriceLists, Level, Decimal]]
    following: TrailingStops | None = None
    is_held: bool = True

    def hold(self) -> None:
        """Take the key out of its lists, or let its stop follow without firing."""
        if self.is_held:
            return
        self.is_held = True
        for lists, level, price in self.prices:
            lists.remove(level, (price, self.key))
        if self.following is not None:
            self.following.hold(self.key)

    def resume(self) -> None:
        """Let the key fire again."""
        if not self.is_held:
            return
        self.is_held = False
        for lists, level, price in self.prices:
            lists.add(level, (price, self.key))
        if self.following is not None:
            self.following.resume(self.key)


class PriceIndex:
    """The lists of every symbol, and where each key stands in them; one thread at a time."""

    def __init__(self) -> None:
        self._lists: dict[str, PriceLists] = {}
        self._entries: dict[str, _Entry] = {}

    def watch(self, key: str, wanted: Iterable[Wanted]) -> None:
        """Let a key wait for these prices, and for no others."""
        self.forget(key)
        prices = [(self._of(symbol), level, price) for symbol, level, price in wanted]
        self._entries[key] = entry = _Entry(key, prices)
        entry.resume()

    def follow(
        self, key: str, place: tuple[str, Side], stop_price: Decimal, distance: Decimal
    ) -> None:
        """Let a trailing stop follow the price; one that follows already keeps the best it saw."""
        symbol, side = place
        stops = self._of(symbol).trailing(side)
        stops.add(key, stop_price, distance)
        self._entries[key] = _Entry(key, [], stops, is_held=False)

    def stop_of(self, key: str) -> Decimal | None:
        """Return where a trailing stop stands now; None for a key that does not follow."""
        entry = self._entries.get(key)
        if entry is None or entry.following is None:
            return None
        return entry.following.stop_of(key)

    def resume(self, key: str) -> None:
        """Let a key that has fired fire again."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.resume()

    def forget(self, key: str) -> None:
        """Let a key wait no longer."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        entry.hold()
        if entry.following is not None:
            entry.following.remove(key)

    def fired(self, symbol: str, top: Top | None) -> list[str]:
        """Return the keys that a price sets off, the nearest first, then the older; hold them."""
        lists = self._lists.get(symbol)
        if lists is None or top is None:
            return []
        reached = lists.fired(top)
        if not reached:
            return []
        fired = list(dict.fromkeys(key for _, key in sorted(reached)))
        for key in fired:
            self._entries[key].hold()
        return fired

    def _of(self, symbol: str) -> PriceLists:
        return self._lists.setdefault(symbol, PriceLists())
