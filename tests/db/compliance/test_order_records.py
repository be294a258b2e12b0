"""Order records: every event of an order as it was then, in the codes of RTS 24."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.busts import correct, executions, reverse
from tests.compliance import make, now
from tests.db.trading.test_answers import run, stage
from tests.floor import Floor, buy, deal, sell, steady
from tests.style.house import ROOT
from tradewright.compliance import Scope, rts24
from tradewright.compliance.order_fields import FIELDS
from tradewright.compliance.reports.order_records import REPORT
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.model import CancelOrder, EventType, ReplaceOrder, TimeInForce
from tradewright.trading.words import OrderType

PAGE = ROOT / "docs" / "reference" / "reports" / "order-records.md"


def rich(floor: Floor, book: Book = Book.B) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)


def traded(floor: Floor) -> str:
    """Let an account buy, wait, and be denied; return it."""
    account_id = floor.account("10000")
    with floor.engine() as engine:
        deal(engine, buy(account_id, stop_loss="1.09000"))
        deal(engine, buy(account_id, 50_000, limit_price="1.09900"))
        deal(engine, buy(account_id, 10_000_000))
    return account_id


def records(floor: Floor, **scope: Any) -> list[dict[str, Any]]:
    return make(floor.session, "order-records", Scope(**scope)).rows


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_each_event_shows_the_order_as_it_was_then(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account_id, 1_500_000, limit_price="1.10010", client_order_id="a"))
        deal(
            engine,
            ReplaceOrder(
                account_id=account_id,
                client_order_id="a",
                new_client_order_id="b",
                quantity=Decimal(1_600_000),
                limit_price=Decimal("1.09900"),
            ),
        )
        deal(engine, CancelOrder(account_id=account_id, client_order_id="b"))
    rows = records(floor, account_id=account_id)
    price, late = Decimal("1.1001"), Decimal("1.099")
    columns = ("sequence", "event", "limit_price", "quantity", "modified_quantity")
    assert told(rows, *columns) == [
        (1, "NEWO", price, 1_500_000, None),
        (2, "PARF", price, 1_500_000, None),
        (3, "REME", late, 1_600_000, 1_600_000),
        (4, "CAME", late, 1_600_000, None),
    ]
    assert [row["instructions"]["client_order_id"] for row in rows] == ["a", "a", "b", "b"]
    dealt = ("executed_quantity", "filled_quantity", "remaining_quantity", "transaction_price")
    assert told(rows, *dealt) == [
        (None, 0, 1_500_000, None),
        (1_000_000, 1_000_000, 500_000, price),
        (None, 1_000_000, 600_000, None),
        (None, 1_000_000, 0, None),
    ]
    assert {row["initial_quantity"] for row in rows} == {1_500_000}
    assert {(row["validity"], row["order_type_class"], row["side"]) for row in rows} == {
        ("GTCV", "LMTO", "BUYI")
    }


def test_a_replacement_that_waits_says_what_was_asked_and_why_it_was_refused(
    engine_database: str, engine: Session
) -> None:
    floor, account_id, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account_id, limit_price="1.10010", client_order_id="a"))
        deal(
            running,
            ReplaceOrder(
                account_id=account_id,
                client_order_id="a",
                new_client_order_id="b",
                quantity=Decimal(700_000_000),
            ),
        )
        late.tell(late.asked[-1], 0, is_final=True)
        running.wait_until_idle()
    first, waits, refused = records(floor)
    assert "asked_to_replace" not in first["instructions"]
    assert waits["instructions"]["asked_to_replace"] == {
        "client_order_id": "a",
        "new_client_order_id": "b",
        "quantity": "700000000",
    }
    assert (refused["event"], refused["reason"]) == ("CHMO", "ORDER_QUANTITY_OUT_OF_RANGE")
    assert refused["instructions"]["client_order_id"] == "a"


def test_parties_capacity_and_messages_say_who_dealt_with_whom(
    engine_database: str, engine: Session
) -> None:
    no = steady("LP-ONE", 1, reject_probability=Decimal(1))
    floor = Floor.opened(engine_database, engine, (no, steady("LP-TWO", 2)))
    passed_on, ours = rich(floor, Book.A), rich(floor)
    with floor.engine() as running:
        deal(running, buy(passed_on))
        deal(running, sell(ours, 300_000))
    first, last = records(floor, account_id=passed_on)
    client = floor.one("SELECT user_id::text FROM accounts WHERE id = %s", passed_on)
    assert told([first, last], "event", "capacity", "transmitted_to", "buyer", "seller") == [
        ("NEWO", "MTCH", None, None, None),
        ("FILL", "MTCH", "LP-TWO", client, "house"),
    ]
    assert [(m["provider"], m["answer"]) for m in first["provider_messages"]] == [
        ("LP-ONE", "declined"),
        ("LP-TWO", "accepted"),
    ]
    assert len(first["provider_messages_at"]) == 2
    assert last["provider_messages"] is None
    fill = floor.rows("SELECT id::text, provider_execution_id FROM order_fills ORDER BY id")[0]
    assert (last["transaction_reference"], last["provider_execution_id"]) == fill
    own = records(floor, account_id=ours)[1]
    assert (own["capacity"], own["transmitted_to"], own["buyer"]) == ("DEAL", None, "house")


def test_an_execution_says_what_became_of_it_afterwards(floor: Floor) -> None:
    account_id = rich(floor, Book.A)
    with floor.engine() as engine:
        deal(engine, buy(account_id, 2_000_000, limit_price="1.10100"))
    first, second = executions(floor, account_id)
    reverse(floor, first)
    first_word = correct(floor, second, "1.10020")
    floor.session.execute(
        "INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to, price)"
        " SELECT provider_id, 'correction', 'again', execution_id, 1.1003"
        " FROM provider_corrections WHERE id = %s",
        (first_word,),
    )
    rows = records(floor, account_id=account_id)
    assert told(rows, "event", "executed_quantity") == [
        ("NEWO", None),
        ("PARF", 1_000_000),
        ("FILL", 1_000_000),
    ]
    assert rows[0]["corrections"] is None
    (bust,), (correction, another) = rows[1]["corrections"], rows[2]["corrections"]
    assert (bust["kind"], bust["settlement"]) == ("bust", "reversed")
    assert (bust["settled_by"], bust["approved_by"]) == ("user:anna", "user:ben")
    assert bust["received_at"] < bust["settled_at"]
    assert correction.keys() == {"kind", "execution_id", "price", "received_at"}
    assert (correction["kind"], correction["price"]) == ("correction", "1.1002")
    assert (another["execution_id"], another["price"]) == ("again", "1.1003")
    made = make(floor.session, "reconstruction", Scope(account_id=account_id))
    assert sum(row["source"] == "provider_corrections" for row in made.rows) == 3


def test_executions_alike_are_told_apart_by_their_fills(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine() as engine:
        deal(engine, buy(account_id, 2_000_000, limit_price="1.10010"))
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    fills = [row[0] for row in floor.rows("SELECT id::text FROM order_fills ORDER BY id")]
    rows = records(floor, account_id=account_id)
    references = [row["transaction_reference"] for row in rows if row["transaction_reference"]]
    assert references == fills
    assert len(set(fills)) == 2


def test_a_trailing_stop_has_no_stop_price_before_it_was_written(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(account_id, trailing_distance="0.00500"))
        floor.quote(engine, "EURUSD", "1.10100", "1.10110")
        floor.quote(engine, "EURUSD", "1.10200", "1.10210")
        floor.quote(engine, "EURUSD", "1.09000", "1.09010")
    rows = records(floor, account_id=account_id)
    assert told(rows, "event", "stop_price") == [
        ("NEWO", None),
        ("REMA", Decimal("1.096")),
        ("REMA", Decimal("1.097")),
        ("TRIG", Decimal("1.097")),
        ("FILL", Decimal("1.097")),
    ]


def test_denials_expiries_and_kinds_of_validity_have_their_codes(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine() as engine:
        deal(engine, buy(account_id, time_in_force=TimeInForce.FOK))
        deal(engine, buy(account_id, limit_price="1.09", time_in_force=TimeInForce.DAY))
        deal(engine, sell(account_id, stop_price="1.05", client_order_id="s"))
        denied = floor.account("10")
        deal(engine, buy(denied, 1_000_000))
    rows = records(floor)
    first = [row for row in rows if row["sequence"] == 1]
    assert told(first, "event", "validity", "order_type", "order_type_class") == [
        ("NEWO", "FOKV", "market", None),
        ("NEWO", "DAVY", "limit", "LMTO"),
        ("NEWO", "GTCV", "stop", "STOP"),
        ("REMO", "IOCV", "market", None),
    ]
    assert first[1]["valid_until"] is not None
    assert (first[3]["reason"], first[3]["remaining_quantity"]) == ("ORDER_MARGIN_INSUFFICIENT", 0)


def test_a_range_holds_from_an_instant_until_before_another(floor: Floor) -> None:
    account_id = traded(floor)
    rows = records(floor)
    assert [row["event_at"] for row in rows] == sorted(row["event_at"] for row in rows)
    for row in rows:
        found = records(floor, begin=row["event_at"], end=now(floor.session))
        assert found == [other for other in rows if other["event_at"] >= row["event_at"]]
        found = records(floor, end=row["event_at"])
        assert found == [other for other in rows if other["event_at"] < row["event_at"]]
    assert records(floor, account_id=account_id) == rows
    assert records(floor, symbol="USDJPY") == []
    order_id = rows[0]["order_id"]
    assert records(floor, order_id=order_id) == [r for r in rows if r["order_id"] == order_id]


def test_what_is_not_recorded_is_empty_in_every_row_and_said_in_the_head(floor: Floor) -> None:
    traded(floor)
    made = make(floor.session, "order-records")
    lacking = {field.column: field.source for field in FIELDS if not field.is_recorded}
    assert made.facts["not_recorded"] == lacking
    assert {row[name] for row in made.rows for name in lacking} == {None}
    assert REPORT.columns == tuple(field.column for field in FIELDS)


def test_each_field_of_annex_iv_has_its_column_and_row_of_the_page() -> None:
    numbers = {one for field in FIELDS for one in field.annex.split(", ")}
    assert numbers == {f"1({n})" for n in range(1, 17)} | {f"2({n})" for n in range(1, 41)}
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)
    assert [tuple(cell.strip() for cell in row) for row in rows] == [
        (f.column, f.annex, f.rts24, f.source if f.is_recorded else f"not recorded: {f.source}")
        for f in FIELDS
    ]


def test_every_word_of_the_house_has_its_code_or_is_known_to_have_none() -> None:
    assert rts24.VALIDITY.keys() == set(map(str, TimeInForce))
    assert rts24.SIDES.keys() == set(map(str, Side))
    assert rts24.TYPE_CLASSES.keys() < set(map(str, OrderType))
    codeless = {
        str(kind) for kind in EventType if not rts24.event_code(str(kind), "new", "client", {})
    }
    assert codeless == {"pending_cancel", "pending_replace"}


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (("trade", "filled", "client", {}), "FILL"),
        (("trade", "partially_filled", "client", {}), "PARF"),
        (("canceled", "canceled", "client", {}), "CAME"),
        (("canceled", "canceled", "provider", {}), "CAMO"),
        (("canceled", "canceled", "stop_out", {}), "CAMO"),
        (("restated", "new", "house", {"stop_price": "1.1"}), "REMA"),
        (("restated", "new", "house", {"was": {"quantity": "1"}}), "REMA"),
        (("restated", "new", "house", {"LP-ONE": ["1", "2"]}), "CHMO"),
        (("restated", "new", "provider", {}), "CHMO"),
        (("restated", "partially_filled", "anna", {"reversed": "1"}), "REMH"),
    ],
)
def test_who_acts_and_what_changes_decides_the_code(event: Any, code: str) -> None:
    assert rts24.event_code(*event) == code


def test_a_hybrid_order_has_no_capacity_before_it_is_dealt() -> None:
    cases = {"A": "MTCH", "B": "DEAL", "hybrid": ""}
    for book, code in cases.items():
        assert rts24.capacity(book, is_dealt=False, is_providers=False) == code
        assert rts24.capacity(book, is_dealt=True, is_providers=True) == "MTCH"
        assert rts24.capacity(book, is_dealt=True, is_providers=False) == "DEAL"


def test_no_column_takes_a_number_of_a_venues_book() -> None:
    """15 counts a venue's events, 30 is a swap's second leg, 33 the place of an order in a book."""
    claimed = {number for field in FIELDS for number in field.rts24.split(", ") if number}
    assert not claimed & {"13", "14", "15", "17", "30", "33", "38"}
