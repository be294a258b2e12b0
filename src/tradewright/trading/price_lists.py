"""What waits for the prices of one symbol, sorted, so that a quote only looks at what it sets off.

Owned by `price_index`, which knows where each id stands. `TrailingStops` keeps the stops that
follow the price: those that have seen the same best price move together, so that a new best price
costs the same whether one stop follows it or ten thousand.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from sortedcontainers import SortedDict, SortedList

from tradewright.liquidity.board import Top
from tradewright.liquidity.model import Side

Entry = tuple[Decimal, str]
"""A price, and the id that waits for it."""

_NEVER_BELOW, _NEVER_ABOVE = Decimal("-Infinity"), Decimal("Infinity")


class Level(Enum):
    """Which side of a quote is looked at, and the direction in which it moves to a price."""

    BID_DOWN = "bid_down"
    BID_UP = "bid_up"
    ASK_DOWN = "ask_down"
    ASK_UP = "ask_up"

    @classmethod
    def better_for(cls, side: Side) -> "Level":
        """Return how a price comes nearer for who deals on a side: a lower ask, a higher bid."""
        return cls.ASK_DOWN if side is Side.BUY else cls.BID_UP

    @classmethod
    def worse_for(cls, side: Side) -> "Level":
        """Return how a price goes away from who deals on a side: a higher ask, a lower bid."""
        return cls.ASK_UP if side is Side.BUY else cls.BID_DOWN


@dataclass(slots=True)
class PriceLists:
    """What waits for one symbol: things that fire at or below a price, and at or above one.

    Between the nearest prices all is quiet: they are kept, so that most quotes cost four
    comparisons.
    """

    bid_down: SortedList = field(default_factory=SortedList)
    bid_up: SortedList = field(default_factory=SortedList)
    ask_down: SortedList = field(default_factory=SortedList)
    ask_up: SortedList = field(default_factory=SortedList)
    selling: "TrailingStops" = field(default_factory=lambda: TrailingStops(Side.SELL))
    buying: "TrailingStops" = field(default_factory=lambda: TrailingStops(Side.BUY))
    _quiet: tuple[Decimal, Decimal, Decimal, Decimal] | None = None

    def fired(self, top: Top) -> list[tuple[Decimal, str]]:
        """Return (distance beyond the price, id) of everything that the quote sets off."""
        fired = self.selling.fired(top.bid) + self.buying.fired(top.ask)
        if self.is_quiet(top):
            return fired
        for entries, price in ((self.bid_up, top.bid), (self.ask_up, top.ask)):
            for level, key in entries:
                if level > price:
                    break
                fired.append((price - level, key))
        for entries, price in ((self.bid_down, top.bid), (self.ask_down, top.ask)):
            for level, key in reversed(entries):
                if level < price:
                    break
                fired.append((level - price, key))
        self._quiet = None
        return fired

    def add(self, level: Level, entry: Entry) -> None:
        """Let an id wait for a price."""
        self._levels(level).add(entry)
        self._quiet = None

    def remove(self, level: Level, entry: Entry) -> None:
        """Let an id wait no longer; what was quiet with it is so without."""
        self._levels(level).remove(entry)

    def is_quiet(self, top: Top) -> bool:
        """Return whether a quote stays within the nearest prices, and so sets nothing off."""
        if self._quiet is None:
            self._quiet = (
                self.bid_down[-1][0] if self.bid_down else _NEVER_BELOW,
                self.bid_up[0][0] if self.bid_up else _NEVER_ABOVE,
                self.ask_down[-1][0] if self.ask_down else _NEVER_BELOW,
                self.ask_up[0][0] if self.ask_up else _NEVER_ABOVE,
            )
        bid_low, bid_high, ask_low, ask_high = self._quiet
        return bid_low < top.bid < bid_high and ask_low < top.ask < ask_high

    def _levels(self, level: Level) -> SortedList:
        levels: SortedList = getattr(self, level.value)
        return levels

    def trailing(self, side: Side) -> "TrailingStops":
        """Return the trailing stops of one side."""
        return self.selling if side is Side.SELL else self.buying


@dataclass(slots=True)
class _Group:
    """Trailing stops that have seen the same best price: (distance, id), the nearest first."""

    best: Decimal
    members: SortedList = field(default_factory=SortedList)


class TrailingStops:
    """The trailing stops of one side in one symbol.

    A seller's best price is the highest bid, a buyer's the lowest ask. Inside, a buyer's prices
    have their sign turned, so that better is always higher.
    """

    def __init__(self, side: Side) -> None:
        self._sign = -side.sign
        self._groups: SortedDict[Decimal, _Group] = SortedDict()
        self._held: set[str] = set()
        self._found: dict[str, tuple[_Group, Decimal]] = {}

    def add(self, order_id: str, stop_price: Decimal, distance: Decimal) -> None:
        """Follow with a stop from where it stands; one that is followed already keeps the best."""
        best = stop_price * self._sign + distance
        if order_id in self._found:
            best = max(best, self._found[order_id][0].best)
            self.remove(order_id)
        group = self._groups.setdefault(best, _Group(best))
        group.members.add((distance, order_id))
        self._found[order_id] = (group, distance)

    def remove(self, order_id: str) -> None:
        """Follow with a stop no longer."""
        self._held.discard(order_id)
        found = self._found.pop(order_id, None)
        if found is None:
            return
        group, distance = found
        group.members.remove((distance, order_id))
        if not group.members:
            del self._groups[group.best]

    def stop_of(self, order_id: str) -> Decimal:
        """Return where a stop stands now."""
        group, distance = self._found[order_id]
        return (group.best - distance) * self._sign

    def hold(self, order_id: str) -> None:
        """Let a stop follow the price and not fire."""
        self._held.add(order_id)

    def resume(self, order_id: str) -> None:
        """Let a stop that was held fire again."""
        self._held.discard(order_id)

    def fired(self, price: Decimal) -> list[tuple[Decimal, str]]:
        """Move the stops to the price, and return (distance beyond the stop, id) of those reached.

        There are at most as many groups as prices between here and the widest distance.
        """
        if not self._groups:
            return []
        present = price * self._sign
        self._follow(present)
        fired: list[tuple[Decimal, str]] = []
        for best, group in self._groups.items():
            room = best - present
            for distance, order_id in group.members:
                if distance > room:
                    break
                if order_id not in self._held:
                    fired.append((room - distance, order_id))
        return fired

    def _follow(self, present: Decimal) -> None:
        """Join the groups whose best price is passed, the smaller ones into the largest."""
        passed = [self._groups[best] for best in self._groups.irange(maximum=present)]
        if not passed or (len(passed) == 1 and passed[0].best == present):
            return
        for group in passed:
            del self._groups[group.best]
        largest = max(passed, key=lambda group: len(group.members))
        for group in passed:
            if group is not largest:
                largest.members.update(group.members)
                for distance, order_id in group.members:
                    self._found[order_id] = (largest, distance)
        largest.best = present
        self._groups[present] = largest
