"""After a bust is reversed, an account is as if the part that was taken back had not been dealt."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.busts import bust, differences, executions, settle
from tests.floor import TWO, Floor, ask, deal, order, steady
from tests.positions import account_of, close, held
from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.groups import PositionMode

STEP = 1_000
NOW = Decimal("1.15")
CENT = Decimal("0.01")
DEEP = steady("LP-ONE", 1, size=Decimal(100_000_000))


@dataclass(frozen=True, slots=True)
class Deal:
    """An order of so many steps at a price, or a close of a part of what an earlier one opened."""

    side: Side
    steps: int
    ticks: int
    closes: int | None = None

    @property
    def bid(self) -> Decimal:
        """What the market is at when it is dealt."""
        return Decimal("1.1") + self.ticks * Decimal("0.00001")


orders = st.builds(
    Deal, side=st.sampled_from(Side), steps=st.integers(1, 9), ticks=st.integers(0, 9_999)
)
closes = st.builds(
    Deal,
    side=st.just(Side.BUY),
    steps=st.integers(1, 9),
    ticks=st.integers(0, 9_999),
    closes=st.integers(0, 6),
)


def histories(mode: PositionMode) -> st.SearchStrategy[list[Deal]]:
    """Return histories; only where each fill has its own is a position named to close it."""
    later = orders | closes if mode is PositionMode.HEDGING else orders
    return st.tuples(orders, st.lists(later, max_size=7)).map(lambda drawn: [drawn[0], *drawn[1]])


def part_closed(mode: PositionMode) -> Deal:
    """Return what closes a part of what the first deal of a history has bought."""
    if mode is PositionMode.HEDGING:
        return Deal(Side.BUY, 4, 100, closes=0)
    return Deal(Side.SELL, 4, 100)


@pytest.fixture
def running(engine_database: str, engine: Session) -> Iterator[tuple[Floor, Engine]]:
    floor = Floor.opened(engine_database, engine, (DEEP, TWO))
    with floor.engine() as running:
        yield floor, running


@dataclass(slots=True)
class Player:
    """Plays a history in a new account; `fills` are the executions by the deal's place."""

    floor: Floor
    engine: Engine
    account: str
    fills: dict[int, str]

    def play(self, history: list[Deal], smaller: dict[int, int]) -> None:
        """Deal everything, some of it for less than it says."""
        for place, one in enumerate(history):
            quantity = one.steps * STEP - smaller.get(place, 0)
            if quantity <= 0:
                continue
            self.floor.quote(self.engine, "EURUSD", f"{one.bid}", f"{one.bid + CENT / 100}")
            before = len(executions(self.floor, self.account))
            if one.closes is None:
                deal(self.engine, order(self.account, one.side, quantity))
            else:
                self._close(one.closes, quantity)
            dealt = executions(self.floor, self.account)[before:]
            self.fills.update((place, execution) for execution in dealt)

    def _close(self, place: int, quantity: int) -> None:
        rows = self.floor.rows(
            "SELECT p.id::text, abs(p.quantity)::integer FROM positions AS p JOIN trades AS t ON"
            " t.position_id = p.id AND t.effect = 'open' JOIN order_fills AS f ON f.id = t.fill_id"
            " WHERE p.is_open AND p.position_mode = 'hedging' AND f.provider_execution_id = %s",
            self.fills.get(place),
        )
        for position_id, left in rows:
            ask(self.engine, close(self.account, position_id, min(left, quantity)))

    def worth(self) -> Decimal:
        """Return what the account would hold if everything were closed now."""
        open_now = held(self.floor, self.account)
        results = (quantity * (NOW - price) for quantity, price in open_now)
        return self.floor.balance(self.account) + sum(results, Decimal(0))


def player(floor: Floor, engine: Engine, mode: PositionMode) -> Player:
    return Player(floor, engine, account_of(floor, mode, book=Book.A), {})


def taken_back(floor: Floor, execution: str) -> int:
    """Reverse a bust; return how much was taken back, nothing where it is refused."""
    try:
        return int(settle(floor, bust(floor, execution)).reversed_quantity or 0)
    except StateError as error:
        assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE  # noqa: PT017
        return 0


@pytest.mark.parametrize("mode", list(PositionMode))
def test_what_is_reversed_leaves_what_would_be_there_without_it(
    running: tuple[Floor, Engine], mode: PositionMode
) -> None:
    floor, engine = running
    met = {"whole": 0, "part": 0}

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @example([Deal(Side.BUY, 3, 0)], 0)
    @example([Deal(Side.BUY, 9, 0), part_closed(mode)], 0)
    @given(histories(mode), st.integers(0, 7))
    def holds(history: list[Deal], drawn: int) -> None:
        one, other = player(floor, engine, mode), player(floor, engine, mode)
        one.play(history, {})
        place = sorted(one.fills)[drawn % len(one.fills)]
        taken = taken_back(floor, one.fills[place])
        other.play(history, {place: taken})
        is_whole = taken == history[place].steps * STEP
        met["whole" if is_whole else "part"] += bool(taken)
        assert floor.position(one.account) == floor.position(other.account)
        assert abs(one.worth() - other.worth()) <= CENT * len(history)
        if mode is not PositionMode.NETTING:
            assert held(floor, one.account) == held(floor, other.account)
            assert floor.balance(one.account) == floor.balance(other.account)
        elif is_whole and not closed_since(floor, one.fills[place]):
            assert floor.balance(one.account) == floor.balance(other.account)

    holds()
    assert all(met.values()), met
    assert floor.broken_laws() == {}
    assert differences(floor) == []


def closed_since(floor: Floor, execution: str) -> bool:
    """Return whether a part of the position that a fill has opened was closed after it."""
    return bool(
        floor.rows(
            "SELECT FROM order_fills AS f JOIN trades AS t ON t.fill_id = f.id"
            " JOIN trades AS c ON c.position_id = t.position_id AND c.effect = 'close'"
            " AND t.effect = 'open' AND c.position_version > t.position_version"
            " WHERE f.provider_execution_id = %s",
            execution,
        )
    )
