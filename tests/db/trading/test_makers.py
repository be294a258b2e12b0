"""Makers: who has asked to wait for the market, in each book, and what providers are asked then."""

from decimal import Decimal
from typing import Any

import pytest

from tests.db.trading.test_answers import Later, aside, run, stage
from tests.db.trading.test_replacing import other
from tests.floor import TWO, Floor, buy, deal, sell
from tradewright import routing
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing import Policy
from tradewright.routing.model import Book
from tradewright.trading.model import OrderStatus

TAKES = ErrorCode.ORDER_WOULD_TAKE


def parts(floor: Floor) -> list[tuple[Any, ...]]:
    """Return of each fill whose order it is of, its quantity and price, and its client's part."""
    return floor.rows(
        "SELECT o.client_order_id, f.quantity, f.price, f.is_maker FROM order_fills AS f"
        " JOIN orders AS o ON o.id = f.order_id ORDER BY o.client_order_id, f.id"
    )


@pytest.mark.parametrize("book", [Book.A, Book.B])
def test_who_waits_as_post_only_makes_and_everybody_else_takes(floor: Floor, book: Book) -> None:
    """An ask of 1.09890 meets a maker's limit of 1.09900: what is better is the client's."""
    rich = floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        waits: dict[str, Any] = {"limit_price": "1.09900", "is_post_only": True}
        assert deal(engine, buy(rich, client_order_id="maker", **waits)).status is OrderStatus.NEW
        deal(engine, buy(rich, 50_000, limit_price="1.09900", client_order_id="rests"))
        deal(engine, sell(rich, 10_000, client_order_id="market"))
        too_near = buy(rich, limit_price="1.10010", is_post_only=True)
        assert deal(engine, too_near).refusal_code is TAKES
        floor.quote(engine, "EURUSD", "1.09880", "1.09890")
    assert parts(floor) == [
        ("maker", 100_000, Decimal("1.09890"), True),
        ("market", 10_000, Decimal("1.10000"), False),
        ("rests", 50_000, Decimal("1.09890"), False),
    ]
    assert floor.broken_laws() == {}


def test_both_parts_of_a_divided_order_are_a_makers(floor: Floor) -> None:
    floor.account("1")
    routing.set_policy(floor.session, Policy(symbol="EURUSD", default_percent=50))
    rich = floor.account(
        "1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=Book.HYBRID
    )
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(rich, limit_price="1.10100", client_order_id="m", is_post_only=True))
        floor.quote(engine, "EURUSD", "1.10100", "1.10110")
    assert parts(floor) == [("m", 50_000, Decimal("1.10100"), True)] * 2
    assert floor.broken_laws() == {}


def test_an_order_stays_a_makers_under_new_terms(floor: Floor) -> None:
    rich = floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(rich, limit_price="1.09900", client_order_id="a", is_post_only=True))
        deal(engine, other(rich, "a", "b", limit_price="1.10000"))
        floor.quote(engine, "EURUSD", "1.09990", "1.10000")
    assert [row[2:] for row in parts(floor)] == [(Decimal("1.10000"), True)]


def test_a_provider_is_asked_when_its_quote_has_come_and_each_of_its_parts_is_a_makers(
    engine_database: str, engine: Session
) -> None:
    """The second provider quotes a basis point wider, beyond the price: it is never asked."""
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, limit_price="1.09900", client_order_id="m", is_post_only=True))
        floor.quote(running, "EURUSD", "1.09891", "1.09901")
        assert late.asked == []
        floor.quote(running, "EURUSD", "1.09880", "1.09890")
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
        floor.quote(running, "EURUSD", "1.09885", "1.09895")
        late.tell(late.asked[1], 30_000)
        late.tell(late.asked[1], 70_000)
        running.wait_until_idle()
        asked = [(one.limit_price, one.is_all_or_nothing) for one in late.asked]
    assert asked == [(Decimal("1.09890"), False), (Decimal("1.09895"), False)]
    assert second.asked == []
    assert parts(floor) == [
        ("m", 30_000, Decimal("1.09895"), True),
        ("m", 70_000, Decimal("1.09895"), True),
    ]
    assert floor.broken_laws() == {}


def test_what_a_provider_deals_at_a_worse_price_is_no_makers_fill(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, limit_price="1.09900", is_post_only=True))
        floor.quote(running, "EURUSD", "1.09890", "1.09900")
        late.tell(late.asked[0], 100_000, price=Decimal("1.09901"))
        running.wait_until_idle()
    assert aside(floor) == [(100_000, "beyond_limit")]
    assert parts(floor) == []
    assert floor.one("SELECT status FROM orders") == "new"
    assert floor.broken_laws() == {}
