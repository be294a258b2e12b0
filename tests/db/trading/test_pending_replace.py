"""A replacement of an order that a provider decides on waits for its last word."""

from decimal import Decimal
from typing import Any

import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.db.trading.test_replacing import other, terms
from tests.floor import Floor, ask, buy, deal, refusal
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.trading.engine import Engine
from tradewright.trading.model import CancelOrder, OrderStatus


def begin(running: Engine, floor: Floor, account: str, quantity: int = 100_000) -> None:
    """Let an order of the first key be with the provider."""
    floor.quote(running, "EURUSD", "1.10000", "1.10010")
    deal(running, buy(account, quantity, limit_price="1.10010", client_order_id="a"))


def events(floor: Floor) -> list[str]:
    return [kind for (kind,) in floor.rows("SELECT event_type FROM order_events ORDER BY seq")]


def last_word(running: Engine, late: Later, quantity: int = 0, number: int = -1) -> None:
    late.tell(late.asked[number], quantity, is_final=True)
    running.wait_until_idle()


def test_it_waits_and_is_applied_to_what_the_provider_has_left(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        asked = other(account, "a", "b", quantity="200000", limit_price="1.09900")
        report = deal(running, asked)
        assert (report.status, report.client_order_id) == (OrderStatus.PENDING_REPLACE, "b")
        assert late.canceled == [late.asked[0].request_id]
        assert deal(running, asked).is_replay
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        assert state(floor) == ("pending_replace", 30_000, True)
        last_word(running, late)
        assert state(floor) == ("partially_filled", 30_000, False)
        assert terms(floor) == (200_000, 30_000, 170_000, Decimal("1.09900"))
        assert deal(running, asked).is_replay
        ended = deal(running, CancelOrder(account_id=account, client_order_id="b"))
    assert ended.status is OrderStatus.CANCELED
    kinds = ["new", "pending_replace", "trade", "pending_replace", "replaced", "canceled"]
    assert events(floor) == kinds
    assert floor.rows("SELECT key, order_version, quantity FROM order_replacements") == [
        ("b", 5, 200_000)
    ]
    assert floor.broken_laws() == {}


def test_under_its_new_terms_it_goes_to_the_provider_again(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        deal(running, other(account, "a", "b", quantity="50000"))
        last_word(running, late)
        assert [one.quantity for one in late.asked] == [100_000, 50_000]
        assert state(floor) == ("new", 0, True)
        last_word(running, late, 50_000)
    assert state(floor) == ("filled", 50_000, False)
    assert floor.broken_laws() == {}


def test_a_fill_wins(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        asked = other(account, "a", "b", limit_price="1.09900")
        deal(running, asked)
        last_word(running, late, 100_000)
        assert refusal(lambda: deal(running, asked)).code is ErrorCode.ORDER_ENDED
    assert state(floor) == ("filled", 100_000, False)
    assert floor.rows("SELECT FROM order_replacements") == []
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("changes", "dealt", "code"),
    [
        ({"quantity": "40000"}, 60_000, "ORDER_QUANTITY_OUT_OF_RANGE"),
        ({"quantity": "700000000"}, 0, "ORDER_MARGIN_INSUFFICIENT"),
    ],
)
def test_what_is_refused_at_last_leaves_the_order_as_it_is(
    engine_database: str, engine: Session, changes: dict[str, str], dealt: int, code: str
) -> None:
    floor, account, late = stage(engine_database, engine)
    engine.execute("UPDATE instruments SET quantity_max = 1000000000")
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        deal(running, other(account, "a", "b", **changes))
        last_word(running, late, dealt)
        status = "partially_filled" if dealt else "new"
        assert state(floor) == (status, dealt, False)
    assert events(floor)[-1] == "restated"
    refused = floor.rows("SELECT details -> 'refused' FROM order_events ORDER BY seq DESC")[0][0]
    assert (refused["client_order_id"], refused["code"]) == ("b", code)
    assert floor.rows("SELECT FROM order_replacements") == []
    assert floor.broken_laws() == {}


def test_a_key_that_was_given_away_meanwhile_is_not_given_twice(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        deal(running, other(account, "a", "b", limit_price="1.09900"))
        deal(running, buy(account, limit_price="1.05000", client_order_id="b"))
        last_word(running, late)
    refused = floor.one(
        "SELECT details -> 'refused' ->> 'code' FROM order_events WHERE event_type = 'restated'"
    )
    assert refused == "ORDER_DUPLICATE_DIFFERS"


def test_it_waits_in_the_database_while_the_engine_is_away(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        deal(running, other(account, "a", "b", limit_price="1.09900"))
    late.canceled.clear()
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert late.canceled == [late.asked[0].request_id]
        last_word(running, late)
    assert terms(floor)[3] == Decimal("1.09900")
    assert events(floor) == ["new", "pending_replace", "replaced"]
    assert floor.broken_laws() == {}


def test_nobody_else_is_asked_under_the_old_terms(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(next(one for one in floor.profiles if one.code == "LP-TWO"))
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, limit_price="1.10050", client_order_id="a"))
        deal(running, other(account, "a", "b", limit_price="1.09900"))
        last_word(running, late)
    assert second.asked == []
    assert terms(floor)[3] == Decimal("1.09900")


@pytest.mark.parametrize("second", [True, False])
def test_one_change_at_a_time_waits(engine_database: str, engine: Session, *, second: bool) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        begin(running, floor, account)
        deal(running, other(account, "a", "b", limit_price="1.09900"))
        if second:
            more: Any = other(account, "a", "c", limit_price="1.09800")
            assert refusal(lambda: deal(running, more)).code is ErrorCode.ORDER_IN_FLIGHT
            changed = other(account, "a", "b", limit_price="1.09800")
            error = refusal(lambda: deal(running, changed))
            assert error.code is ErrorCode.ORDER_DUPLICATE_DIFFERS
        else:
            report = ask(running, CancelOrder(account_id=account, client_order_id="a"))
            assert report.status is OrderStatus.PENDING_CANCEL  # type: ignore[union-attr]
        last_word(running, late)
    assert state(floor)[0] == ("new" if second else "canceled")


def test_an_order_that_ends_with_the_answer_is_not_replaced(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, client_order_id="a"))
        error = refusal(lambda: deal(running, other(account, "a", "b", quantity="200000")))
    assert error.code is ErrorCode.ORDER_IN_FLIGHT
