"""From one provider to the next: only while the order may go on, whoever has stopped it."""

import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.floor import TWO, ask, buy, deal, sell
from tradewright.postgres.connect import Session
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Target
from tradewright.risk.store import set_halt
from tradewright.trading.kill_switch import pull_kill_switch
from tradewright.trading.model import CancelOrder


@pytest.mark.parametrize("how", ["canceled", "killed", "halted"])
def test_no_other_provider_is_asked_for_what_another_process_has_stopped(
    engine_database: str, engine: Session, how: str
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running, run(floor, {}) as other:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, client_order_id="mine"))
        if how == "canceled":
            ask(other, CancelOrder(account_id=account, client_order_id="mine"))
        elif how == "killed":
            pull_kill_switch(engine, Target(), actor="anna", reason="drill")
        else:
            set_halt(engine, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
        assert (second.asked, running.pending_count) == ([], 0)
    assert state(floor) == ("canceled", 30_000, False)
    assert floor.broken_laws() == {}


def test_a_halt_lets_a_closing_order_go_on_to_the_next_provider(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account))
        set_halt(engine, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")
        late.tell(late.asked[1], 30_000, is_final=True)
        running.wait_until_idle()
        second.tell(second.asked[0], 70_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}
