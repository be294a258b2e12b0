"""What a batch asks reads a few rows, whatever the planner was told of its tables, and when."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec import structs

from tests.floor import Floor, buy, deal, sell
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.queries import load_queries
from tradewright.trading.model import ReplaceOrder

ROWS = 3_000
ROWS_READ_MAX = 12
"""So many rows one question may read of all tables together."""

COPIED = {
    "orders": {"id": "uuidv7(n * interval '-1 minute')", "client_order_id": "'old-' || n"},
    "order_replacements": {
        "order_id": "uuidv7()",
        "key": "'old-' || n",
        "first_key": "'one-' || n",
    },
    "order_events": {"order_id": "uuidv7()"},
    "order_fills": {"id": "uuidv7(n * interval '-1 minute')", "order_id": "uuidv7()"},
    "positions": {"id": "uuidv7(n * interval '-1 minute')"},
}
"""The tables that grow with an account's history, and what each copy of a row has of its own."""

ENDED = {
    "orders": "remaining_quantity = 0",
    "order_replacements": "true",
    "order_events": "true",
    "order_fills": "true",
    "positions": "NOT is_open",
}

TOLD: dict[str, tuple[str, str]] = {
    "nothing": ("SELECT 1", "SELECT 1"),
    "vacuumed while small": ("VACUUM {}", "SELECT 1"),
    "analysed while small": ("ANALYZE {}", "SELECT 1"),
    "vacuumed since": ("SELECT 1", "VACUUM {}"),
    "vacuumed while small and since": ("VACUUM {}", "VACUUM {}"),
    "analysed since": ("SELECT 1", "VACUUM ANALYZE {}"),
}


@pytest.fixture
def asked(floor: Floor) -> dict[str, tuple[str, ...]]:
    """Trade on an account, and leave an order and a position; return what batches ask then."""
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        deal(engine, sell(account, 1000))
        deal(engine, buy(account, 5000))
        reducing = sell(account, 1000, limit_price="2.00000", is_reduce_only=True)
        resting = deal(engine, structs.replace(reducing, client_order_id="rests"))
        change = ReplaceOrder(
            account_id=account,
            client_order_id="rests",
            new_client_order_id="new",
            quantity=buy(account, 2000).quantity,
        )
        deal(engine, change)
    ids, keys = f"'{{{account}}}'", "'{new}'"
    return {
        "orders_by_key": (ids, keys),
        "live_orders": (ids,),
        "routed_orders": (ids,),
        "orders_named": (f"'{{{resting.order_id}}}'",),
        "orders_of_groups": (ids, "'{a}'"),
        "replacements_named": (ids, keys),
        "replacements_waiting": (f"'{{{resting.order_id}}}'",),
        "open_positions": (ids,),
        "opening_rates": (ids,),
    }


@pytest.mark.parametrize("told", TOLD)
def test_a_question_of_a_batch_reads_no_history(
    floor: Floor, asked: dict[str, tuple[str, ...]], told: str
) -> None:
    """Those who planned before the tables grew, and those who plan now."""
    session, (small, since) = floor.session, TOLD[told]
    session.execute("SET session_replication_role = replica")
    with planned(floor, asked) as before, planned(floor, asked) as now:
        for table in COPIED:
            session.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
            session.execute(small.format(table).encode())
        before.execute("DISCARD PLANS")
        read_before = rows_read(before, asked)
        for table in COPIED:
            grow(session, table)
            session.execute(since.format(table).encode())
        now.execute("DISCARD PLANS")
        read = [rows_read(before, asked), rows_read(now, asked)]
    assert max(read_before.values()) <= ROWS_READ_MAX
    assert [{name: n for name, n in each.items() if n > ROWS_READ_MAX} for each in read] == [{}, {}]


def grow(session: Session, table: str) -> None:
    """Copy a row of what is over, again and again."""
    own = COPIED[table]
    rows = session.execute(
        "SELECT quote_ident(attname) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        " AND attidentity = '' AND attgenerated = '' AND attrelid = %s::regclass",
        (table,),
    ).fetchall()
    columns = [name for (name,) in rows]
    values = ", ".join(own.get(name, f"t.{name}") for name in columns)
    session.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
        f" FROM (SELECT * FROM {table} WHERE {ENDED[table]} LIMIT 1) AS t,"
        f" generate_series(1, {ROWS}) AS n".encode()
    )


@contextmanager
def planned(floor: Floor, asked: Iterable[str]) -> Iterator[Session]:
    """Open a session as writers have, with a plan for all parameters of each question."""
    with connect(floor.conninfo, writer=True, autocommit=True) as writer:
        for name in asked:
            writer.execute(f"PREPARE {name} AS {numbered(name)}".encode())
        yield writer


def numbered(name: str) -> str:
    """Return a query whose parameters are numbered, in the order in which they come first."""
    query = load_queries("tradewright.trading")[name]
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", query)


def rows_read(writer: Session, asked: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Ask each question; return how many rows of tables it has looked at."""
    read = {}
    for name, arguments in asked.items():
        explained = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({', '.join(arguments)})"
        ((plan,),) = writer.execute(explained.encode()).fetchall()
        read[name] = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan[0]["Plan"])
            if "Relation Name" in node
        )
    return read


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every step of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
