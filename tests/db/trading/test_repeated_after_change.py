"""A key goes on standing for what its client first asked, whatever the order has become."""

from decimal import Decimal
from typing import Any

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_replacing import other
from tests.floor import ONE, TWO, Floor, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.model import SubmitOrder

FIRST = {"limit_price": "1.09000", "client_order_id": "a"}


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def repeats(engine: Engine, command: SubmitOrder) -> bool:
    """Return whether a submission is answered with the order that was there."""
    return deal(engine, command).is_replay


def differs(engine: Engine, command: SubmitOrder) -> bool:
    """Return whether a submission is refused as another than the first under its key."""
    code = refusal(lambda: deal(engine, command)).code
    return code is ErrorCode.ORDER_DUPLICATE_DIFFERS


def test_a_replaced_order_is_repeated_by_its_first_figures_and_by_no_others(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, 100_000, **FIRST))
        deal(engine, other(rich, "a", "b", quantity="200000", limit_price="1.08000"))
        deal(engine, other(rich, "b", "c", limit_price="1.07000"))
        assert repeats(engine, buy(rich, 100_000, **FIRST))
        for quantity, price in (
            (200_000, "1.08000"),
            (200_000, "1.07000"),
            (100_000, "1.07000"),
            (77_000, "1.09000"),
        ):
            assert differs(engine, buy(rich, quantity, **(FIRST | {"limit_price": price})))
    assert floor.one("SELECT count(*) FROM orders") == 1


def test_a_replaced_stop_is_repeated_by_its_first_stop_price(floor: Floor, rich: str) -> None:
    first: dict[str, Any] = {"stop_price": "1.12000", "client_order_id": "a"}
    with floor.engine() as engine:
        deal(engine, buy(rich, **first))
        deal(engine, other(rich, "a", "b", stop_price="1.13000"))
        assert repeats(engine, buy(rich, **first))
        assert differs(engine, buy(rich, **(first | {"stop_price": "1.13000"})))


@pytest.mark.parametrize("is_replaced", [False, True])
def test_an_alternative_that_another_has_taken_from_is_repeated_by_its_first_quantity(
    floor: Floor, rich: str, *, is_replaced: bool
) -> None:
    """It is replaced; then the other deals 1,000,000, which is taken from it."""
    first: dict[str, Any] = FIRST | {"oco_group": "g"}
    with floor.engine() as engine:
        deal(engine, buy(rich, 1_500_000, **first))
        if is_replaced:
            deal(engine, other(rich, "a", "b", quantity="1600000", limit_price="1.08000"))
        deal(engine, buy(rich, 1_500_000, limit_price="1.10010", oco_group="g"))
        left = floor.one("SELECT quantity FROM orders WHERE client_order_id = 'a'")
        assert left == (600_000 if is_replaced else 500_000)
        assert repeats(engine, buy(rich, 1_500_000, **first))
        for quantity, price in ((left, "1.09000"), (left, "1.08000"), (1_500_000, "1.08000")):
            assert differs(engine, buy(rich, quantity, **(first | {"limit_price": price})))
    assert floor.broken_laws() == {}


def test_it_is_so_within_one_batch(floor: Floor, rich: str) -> None:
    first = buy(rich, 100_000, **FIRST)
    changed = other(rich, "a", "b", quantity="200000")
    with floor.engine() as engine:
        futures = engine.submit_together([first, changed, first, buy(rich, 200_000, **FIRST)])
        error = futures[3].exception(timeout=30)
        reports = [future.result(timeout=30) for future in futures[:3]]
    assert [getattr(report, "is_replay", None) for report in reports] == [False, False, True]
    assert getattr(error, "code", None) is ErrorCode.ORDER_DUPLICATE_DIFFERS


def test_a_replacement_that_a_provider_kept_waiting_leaves_the_first_figures(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account(
        "1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=Book.A
    )
    late = Later(ONE)
    resting = FIRST | {"limit_price": "1.20000"}
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000, **resting))
        deal(running, other(account, "a", "b", quantity="150000", limit_price="1.05000"))
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
        assert floor.one("SELECT quantity FROM orders") == 150_000
        assert repeats(running, buy(account, 100_000, **resting))
        assert differs(running, buy(account, 150_000, **(resting | {"limit_price": "1.05000"})))
        assert differs(running, sell(account, 100_000, **resting))


def test_what_an_order_was_before_each_change_stands_in_its_events(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, 100_000, **FIRST))
        deal(engine, other(rich, "a", "b", quantity="200000", limit_price="1.08000"))
        deal(engine, other(rich, "b", "c", limit_price="1.07000"))
    assert floor.rows(
        "SELECT (details -> 'was' ->> 'quantity')::numeric,"
        " (details -> 'was' ->> 'limit_price')::numeric FROM order_events"
        " WHERE event_type = 'replaced' ORDER BY seq"
    ) == [(100_000, Decimal("1.09")), (200_000, Decimal("1.08"))]
