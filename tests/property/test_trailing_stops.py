"""A trailing stop stands at the best price it has seen, less its distance, and never loosens."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tradewright.liquidity.model import Side
from tradewright.trading.price_lists import TrailingStops

TICK = Decimal("0.00001")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(1, 60)),
        st.tuples(st.just("take away"), st.integers(0, 30)),
        st.tuples(st.just("again"), st.integers(0, 30)),
        st.tuples(st.just("quote"), st.integers(-40, 40)),
    ),
    max_size=80,
)


@dataclass(slots=True)
class Plain:
    """Every stop by itself, moved one by one: what the stops in groups must come to."""

    side: Side
    price: Decimal = Decimal("1.10000")
    distances: dict[str, Decimal] = field(default_factory=dict)
    best: dict[str, Decimal] = field(default_factory=dict)

    def quote(self, price: Decimal) -> None:
        """Move every stop by itself."""
        self.price = price
        better = max if self.side is Side.SELL else min
        self.best = {key: better(one, price) for key, one in self.best.items()}

    def stop(self, key: str) -> Decimal:
        """Return where a stop stands."""
        return self.best[key] + self.distances[key] * self.side.sign

    def fired(self) -> set[tuple[Decimal, str]]:
        """Return every stop that is reached, with how far the price is beyond it."""
        beyond = {key: (self.price - self.stop(key)) * self.side.sign for key in self.best}
        return {(one, key) for key, one in beyond.items() if one >= 0}


@given(st.sampled_from(Side), steps)
def test_stops_in_groups_stand_and_fire_as_each_by_itself(
    side: Side, taken: list[tuple[str, Any]]
) -> None:
    plain, grouped = Plain(side), TrailingStops(side)
    for number, (what, size) in enumerate(taken):
        if what == "set":
            key, distance = f"{number:03}", size * TICK
            plain.distances[key], plain.best[key] = distance, plain.price
            grouped.add(key, plain.stop(key), distance)
        elif what == "quote":
            before = {key: plain.stop(key) for key in plain.best}
            plain.quote(plain.price + size * TICK)
            assert set(grouped.fired(plain.price)) == plain.fired()
            assert len(grouped.fired(plain.price)) == len(plain.fired())
            loosened = [k for k in before if (grouped.stop_of(k) - before[k]) * side.sign > 0]
            assert not loosened
        elif plain.best:
            key = sorted(plain.best)[size % len(plain.best)]
            if what == "again":  # what was written down is behind what is known
                written = plain.stop(key) + size * TICK * side.sign
                grouped.add(key, written, plain.distances[key])
            else:
                del plain.best[key], plain.distances[key]
                grouped.remove(key)
        assert {key: grouped.stop_of(key) for key in plain.best} == {
            key: plain.stop(key) for key in plain.best
        }


def test_a_new_best_price_touches_no_stop_that_follows_it_already() -> None:
    stops = TrailingStops(Side.SELL)
    for number in range(500):
        stops.add(f"{number:03}", Decimal("1.0") - TICK * number, TICK * number)
    assert [len(group.members) for group in stops._groups.values()] == [500]
    members = next(iter(stops._groups.values())).members
    for step in range(1, 50):
        stops.fired(Decimal("1.0") + TICK * step)
        assert next(iter(stops._groups.values())).members is members
    assert stops.stop_of("010") == Decimal("1.00049") - TICK * 10
