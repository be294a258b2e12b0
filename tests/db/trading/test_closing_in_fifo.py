"""FIFO in book A and in thin markets: nothing is closed twice, nor before what is older."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.db.trading.test_answers import Later, aside, run
from tests.floor import ONE, TWO, Floor, ask, buy, deal, refusal, sell, steady
from tests.positions import account_of, close, held, ids
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.groups import PositionMode


class Stage:
    """An account of book A with positions in EURUSD, and the provider that thinks about them."""

    def __init__(self, floor: Floor, engine: Engine, late: Later) -> None:
        self.floor, self.engine, self.late = floor, engine, late
        self.account = account_of(floor, PositionMode.FIFO, book=Book.A)

    def open(self, *quantities: int, stop_loss: str = "1.09000") -> None:
        """Open a position of each quantity; the levels hold for all."""
        for quantity in quantities:
            deal(self.engine, buy(self.account, quantity, stop_loss=stop_loss))
            self.tell(quantity)

    def tell(self, quantity: int, place: int = -1, *, is_final: bool = True) -> None:
        """Tell what the provider has dealt for the request at a place."""
        self.late.tell(self.late.asked[place], quantity, is_final=is_final)
        self.engine.wait_until_idle()

    def quote(self, bid: str, ask: str) -> None:
        """Move the price of EURUSD."""
        self.floor.quote(self.engine, "EURUSD", bid, ask)

    def quantities(self) -> list[Decimal]:
        """Return what is open, the oldest first."""
        return [quantity for quantity, _ in held(self.floor, self.account)]

    def asked(self) -> list[Decimal]:
        """Return what the provider was asked for."""
        return [request.quantity for request in self.late.asked]


@pytest.fixture
def stage(engine_database: str, engine: Session) -> Iterator[Stage]:
    floor, late = Floor.opened(engine_database, engine, (ONE, TWO)), Later(ONE)
    with run(floor, {"LP-ONE": late}) as running:
        one = Stage(floor, running, late)
        one.quote("1.10000", "1.10010")
        yield one


def test_a_stop_loss_waits_for_an_order_that_names_no_position(stage: Stage) -> None:
    stage.open(100_000)
    deal(stage.engine, sell(stage.account, 100_000))
    stage.quote("1.08900", "1.08910")
    assert stage.asked() == [100_000, 100_000]
    stage.tell(40_000)
    stage.quote("1.08900", "1.08910")
    stage.quote("1.08900", "1.08910")
    assert stage.asked() == [100_000, 100_000, 60_000]
    stage.tell(60_000)
    assert (stage.quantities(), aside(stage.floor)) == ([], [])
    assert stage.floor.broken_laws() == {}


def test_a_client_does_not_close_what_an_order_without_a_name_may_close(stage: Stage) -> None:
    stage.open(100_000)
    (position,) = ids(stage.floor, stage.account)
    deal(stage.engine, sell(stage.account, 60_000))
    named = sell(stage.account, 100_000, position_id=position)
    errors = [
        refusal(lambda: ask(stage.engine, close(stage.account, position))),
        refusal(lambda: deal(stage.engine, named)),
    ]
    assert [error.code for error in errors] == [ErrorCode.ORDER_IN_FLIGHT] * 2
    assert stage.asked() == [100_000, 60_000]


def test_a_protection_closes_all_of_the_symbol_by_one_order(stage: Stage) -> None:
    stage.open(100_000, 50_000)
    stage.quote("1.08900", "1.08910")
    stage.quote("1.08900", "1.08910")
    assert stage.asked() == [100_000, 50_000, 150_000]
    stage.tell(120_000)
    assert stage.quantities() == [30_000]
    stage.quote("1.08900", "1.08910")
    stage.quote("1.08900", "1.08910")
    stage.tell(30_000)
    assert (stage.quantities(), aside(stage.floor)) == ([], [])
    assert stage.floor.broken_laws() == {}


def test_a_younger_one_is_closed_only_when_the_provider_has_dealt_the_older(stage: Stage) -> None:
    stage.open(100_000, 50_000)
    stage.quote("1.08900", "1.08910")
    stage.tell(70_000, is_final=False)
    assert stage.quantities() == [30_000, 50_000]
    stage.tell(80_000)
    assert stage.quantities() == []
    assert stage.floor.broken_laws() == {}


def test_what_its_client_closes_in_its_turn_does_not_hold_up_the_rest(stage: Stage) -> None:
    stage.open(100_000, 50_000)
    younger = ids(stage.floor, stage.account)[1]
    ask(stage.engine, close(stage.account, younger))  # the oldest of its size
    stage.quote("1.08900", "1.08910")
    assert stage.asked() == [100_000, 50_000, 50_000, 100_000]
    stage.tell(100_000)
    stage.tell(50_000, 2)
    assert (stage.quantities(), aside(stage.floor)) == ([], [])
    assert stage.floor.broken_laws() == {}


@pytest.mark.parametrize("protection", ["stop_loss", "take_profit"])
def test_in_a_thin_market_a_younger_position_is_left_until_the_older_is_gone(
    engine_database: str, engine: Session, protection: str
) -> None:
    floor = Floor.opened(engine_database, engine, (steady("LP-ONE", 1),))
    account = account_of(floor, PositionMode.FIFO)
    levels = {"stop_loss": "1.09000"} if protection == "stop_loss" else {"take_profit": "1.11000"}
    bid = "1.08900" if protection == "stop_loss" else "1.11000"
    with floor.engine() as running:
        for _ in range(2):
            deal(running, buy(account, 1_000_000, **levels))
    thin = Floor(engine_database, engine, (steady("LP-ONE", 1, size=Decimal(400_000)),), floor.now)
    left = []
    with thin.engine(eurusd=None) as running:
        for _ in range(5):
            thin.quote(running, "EURUSD", bid, f"{bid[:-2]}10")
            left.append([int(quantity) for quantity, _ in held(floor, account)])
    assert left[:2] == [[600_000, 1_000_000], [200_000, 1_000_000]]
    assert left[-1] == []
    assert floor.broken_laws() == {}
