"""Replacing an order: its chain of keys, what stays, what is refused, and what the rows say."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import ONE, Floor, ask, buy, deal, refusal, row_counts, sell
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.model import (
    CancelOrder,
    OrderReport,
    OrderStatus,
    ReplaceOrder,
)


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def other(account: str, key: str, new_key: str, **fields: str) -> ReplaceOrder:
    return ReplaceOrder(
        account_id=account,
        client_order_id=key,
        new_client_order_id=new_key,
        **{name: Decimal(value) for name, value in fields.items()},
    )


def terms(floor: Floor) -> tuple[Any, ...]:
    return floor.rows(
        "SELECT quantity, filled_quantity, remaining_quantity, limit_price FROM orders"
    )[0]


def test_a_chain_of_keys_names_one_order_that_keeps_its_fills(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        first = deal(engine, buy(rich, 1_500_000, limit_price="1.10010", client_order_id="a"))
        second = deal(engine, other(rich, "a", "b", quantity="1600000", limit_price="1.09900"))
        third = deal(engine, other(rich, "b", "c", limit_price="1.09800"))
        assert first.order_id == second.order_id == third.order_id
        assert (second.client_order_id, third.client_order_id) == ("b", "c")
        assert third.filled_quantity == 1_000_000
        assert terms(floor) == (1_600_000, 1_000_000, 600_000, Decimal("1.09800"))
        ended = deal(engine, CancelOrder(account_id=rich, client_order_id="b"))
    assert (ended.status, ended.client_order_id) == (OrderStatus.CANCELED, "b")
    assert floor.rows(
        "SELECT key, replaced_key, first_key, quantity, limit_price, order_version"
        " FROM order_replacements ORDER BY order_version"
    ) == [
        ("b", "a", "a", 1_600_000, Decimal("1.09900"), 3),
        ("c", "b", "a", 1_600_000, Decimal("1.09800"), 4),
    ]
    assert floor.broken_laws() == {}


def test_what_was_asked_again_is_answered_and_what_differs_is_refused(
    floor: Floor, rich: str
) -> None:
    submit = buy(rich, limit_price="1.09900", client_order_id="a")
    replace = other(rich, "a", "b", limit_price="1.09800")
    with floor.engine() as engine:
        deal(engine, submit)
        deal(engine, buy(rich, limit_price="1.09000", client_order_id="x"))
        deal(engine, replace)
        counts = row_counts(floor.session)
        again = [deal(engine, replace), deal(engine, submit)]
        both = [f.result(timeout=30) for f in engine.submit_together([replace, replace])]
        refused = [
            other(rich, "a", "b", limit_price="1.09700"),
            other(rich, "x", "b", limit_price="1.09800"),
            other(rich, "a", "x", limit_price="1.09700"),
            other(rich, "a", "a", limit_price="1.09700"),
        ]
        for command in (*refused, buy(rich, limit_price="1.09800", client_order_id="b")):
            error = refusal(lambda command=command: deal(engine, command))  # type: ignore[misc]
            assert error.code is ErrorCode.ORDER_DUPLICATE_DIFFERS
        assert row_counts(floor.session) == counts
    assert all(isinstance(one, OrderReport) and one.is_replay for one in (*again, *both))
    assert again[0].client_order_id == "b"


def test_a_replacement_that_comes_too_late_changes_nothing(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, client_order_id="filled"))
        counts = row_counts(floor.session)
        for key, code in (
            ("filled", ErrorCode.ORDER_ENDED),
            ("nobody", ErrorCode.ORDER_UNKNOWN),
        ):
            command = other(rich, key, "new", quantity="200000")
            error = refusal(lambda command=command: deal(engine, command))  # type: ignore[misc]
            assert error.code is code
        assert row_counts(floor.session) == counts


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"limit_price": "1.09900"}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"stop_price": "1.09900"}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"quantity": "100500"}, ErrorCode.ORDER_QUANTITY_OFF_STEP),
        ({"quantity": "NaN"}, ErrorCode.ORDER_QUANTITY_MALFORMED),
        ({"quantity": "-1000"}, ErrorCode.ORDER_QUANTITY_MALFORMED),
        ({"limit_price": "1.099005"}, ErrorCode.ORDER_PRICE_OFF_TICK),
        ({"limit_price": "Infinity"}, ErrorCode.ORDER_PRICE_MALFORMED),
        ({"quantity": "20001000"}, ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE),
    ],
)
def test_a_replacement_that_means_nothing_is_refused_without_a_trace(
    floor: Floor, rich: str, fields: dict[str, str], code: ErrorCode
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, limit_price="1.09900", client_order_id="a"))
        counts, before = row_counts(floor.session), terms(floor)
        error = refusal(lambda: deal(engine, other(rich, "a", "b", **fields)))
        assert row_counts(floor.session) == counts
    assert error.code is code
    assert terms(floor) == before


def test_an_order_that_would_be_denied_stays_as_it_is(floor: Floor) -> None:
    poor = floor.account("4000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(poor, 100_000, limit_price="1.09900", client_order_id="a"))
        before = terms(floor)
        too_much = other(poor, "a", "b", quantity="500000", limit_price="1.10010")
        error = refusal(lambda: deal(engine, too_much))
        assert error.code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        assert terms(floor) == before
        deal(engine, other(poor, "a", "b", limit_price="1.10010"))
    assert floor.position(poor) == 100_000
    assert floor.broken_laws() == {}


def test_a_post_only_order_is_not_replaced_into_one_that_takes(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(rich, limit_price="1.09900", client_order_id="a", is_post_only=True))
        error = refusal(lambda: deal(engine, other(rich, "a", "b", limit_price="1.10010")))
        deal(engine, other(rich, "a", "b", limit_price="1.10009"))
    assert error.code is ErrorCode.ORDER_WOULD_TAKE
    assert terms(floor)[3] == Decimal("1.10009")


def test_the_watchers_forget_the_old_price(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(rich, stop_price="1.09900", client_order_id="a"))
        deal(engine, other(rich, "a", "b", stop_price="1.09500"))
        floor.quote(engine, "EURUSD", "1.09600", "1.09610")
        assert floor.position(rich) == 0
        floor.quote(engine, "EURUSD", "1.09500", "1.09510")
    assert floor.position(rich) == -100_000


def test_what_a_provider_has_dealt_at_once_is_not_replaced(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, [ONE])
    account = floor.account("1000000", client_class=ClientClass.PROFESSIONAL, book=Book.A)
    submit = buy(account, limit_price="1.10010", client_order_id="a")
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        _, replaced = running.submit_together([submit, other(account, "a", "b", quantity="200000")])
        report = replaced.result(timeout=30)
        running.wait_until_idle()
    assert isinstance(report, OrderReport)
    assert report.status is OrderStatus.PENDING_REPLACE
    assert terms(floor)[:2] == (100_000, 100_000)
    assert floor.rows("SELECT FROM order_replacements") == []


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"order_version": 1}, "order_replacements_event_once"),
        ({"order_version": 99}, "order_replacements_event_exists"),
        (
            {"key": "b", "replaced_key": "x"},
            "order_replacements_pkey",
        ),
        ({"first_key": "nobody"}, "order_replacements_first_exists"),
        ({"key": "a"}, "order_replacements_key_is_fresh"),
    ],
)
def test_the_database_keeps_the_chain(
    floor: Floor, rich: str, change: dict[str, Any], constraint: str
) -> None:
    with floor.engine() as engine:
        order_id = deal(engine, buy(rich, limit_price="1.09900", client_order_id="a")).order_id
        deal(engine, other(rich, "a", "b", limit_price="1.09800"))
    row = {
        "account_id": rich,
        "key": "c",
        "order_id": order_id,
        "order_version": 1,
        "first_key": "a",
        "replaced_key": "b",
        "quantity": 1,
    } | change
    if constraint == "order_replacements_event_once":
        row["order_version"] = 2
    columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    with pytest.raises(psycopg.errors.IntegrityError) as caught:
        floor.session.execute(
            f"INSERT INTO order_replacements ({columns}) VALUES ({marks})".encode(),
            list(row.values()),
        )
    assert caught.value.diag.constraint_name == constraint


def test_alternatives_of_both_books_deal_once(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, [ONE])
    for book in (Book.A, Book.B):
        account = floor.account("1000000", client_class=ClientClass.PROFESSIONAL, book=book)
        with floor.engine(eurusd=("1.10000", "1.10010")) as running:
            group = new_id_text()
            for stop in ("1.10100", "1.10101", "1.10102"):
                deal(running, buy(account, stop_price=stop, oco_group=group))
            floor.quote(running, "EURUSD", "1.10200", "1.10210")
        assert floor.position(account) == 100_000
        told = floor.rows(
            "SELECT status, coalesce(refusal_code, '') FROM orders WHERE account_id = %s"
            " ORDER BY status, id",
            account,
        )
        assert told == [("canceled", "ORDER_GROUP_DECIDED")] * 2 + [("filled", "")]
    assert floor.broken_laws() == {}


def test_alternatives_are_in_one_symbol_and_one_account(floor: Floor, rich: str) -> None:
    stranger = floor.account()
    with floor.engine() as engine:
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        deal(engine, buy(rich, limit_price="1.09900", oco_group="pair"))
        foreign = buy(rich, symbol="USDJPY", limit_price="149.000", oco_group="pair")
        error = refusal(lambda: deal(engine, foreign))
        deal(engine, buy(stranger, 1_000, oco_group="pair"))
    assert error.code is ErrorCode.ORDER_FIELDS_CONTRADICT
    assert floor.one("SELECT status FROM orders WHERE account_id = %s", rich) == "new"


def test_a_group_that_is_submitted_together_deals_with_its_first(floor: Floor, rich: str) -> None:
    pair = [buy(rich, oco_group="g"), buy(rich, limit_price="1.09900", oco_group="g")]
    with floor.engine() as engine:
        first, second = [future.result(30) for future in engine.submit_together(pair)]
        again = ask(engine, pair[1])
    assert isinstance(first, OrderReport)
    assert isinstance(second, OrderReport)
    assert first.status is OrderStatus.FILLED
    assert second.refusal_code is ErrorCode.ORDER_GROUP_DECIDED
    assert isinstance(again, OrderReport)
    assert again.is_replay
