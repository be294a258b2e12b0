"""Two orders with providers for one position: none of them opens or turns it by being late."""

from typing import Any

import pytest

from tests.db.trading.test_answers import aside, run, stage
from tests.floor import buy, deal, sell
from tradewright.postgres.connect import Session


def test_a_stop_loss_waits_for_an_order_that_closes_the_position(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, stop_loss="1.09900"))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account))
        floor.quote(running, "EURUSD", "1.09890", "1.09900")
        assert len(late.asked) == 2
        late.tell(late.asked[1], 40_000, is_final=True)
        running.wait_until_idle()
        floor.quote(running, "EURUSD", "1.09890", "1.09900")
        late.tell(late.asked[2], 60_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert aside(floor) == []
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("closer", ["reduce_only", "stop_loss"])
@pytest.mark.parametrize("sold", [30_000, 100_000, 150_000])
def test_a_late_fill_of_an_order_that_only_reduces_never_opens_a_position(
    engine_database: str, engine: Session, closer: str, sold: int
) -> None:
    floor, account, late = stage(engine_database, engine)
    protection: dict[str, Any] = {"stop_loss": "1.09900"} if closer == "stop_loss" else {}
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, **protection))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        if closer == "reduce_only":
            deal(running, sell(account, is_reduce_only=True))
        floor.quote(running, "EURUSD", "1.09890", "1.09900")
        deal(running, sell(account, sold))
        _, first, second = late.asked
        late.tell(second, sold)
        late.tell(first, 100_000)
        running.wait_until_idle()
    assert floor.position(account) == min(0, 100_000 - sold)
    assert aside(floor) == [(min(sold, 100_000), "more_than_asked")]
    ended = floor.rows("SELECT refusal_code FROM orders ORDER BY id")[1]
    assert ended == ("ORDER_NOTHING_TO_REDUCE",)
    assert floor.broken_laws() == {}
