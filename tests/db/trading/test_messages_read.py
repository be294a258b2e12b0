"""What the limit of messages reads of replacements: those of a second, however many there are."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.trading.test_limits import nodes, rich
from tests.floor import Floor, buy, deal
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.queries import load_queries
from tradewright.trading.model import ReplaceOrder

ROWS = 100_000


@pytest.fixture
def writer(floor: Floor) -> Iterator[Session]:
    """Open a session as writers have, which keep the plans that they have made once."""
    with connect(floor.conninfo, writer=True, autocommit=True) as session:
        yield session


@pytest.mark.parametrize("is_known", [True, False], ids=["analysed", "grown since"])
def test_it_reads_no_replacement_of_before(
    floor: Floor, writer: Session, *, is_known: bool
) -> None:
    """The plan is made once for all accounts, perhaps while the table is small."""
    account = replaced(floor)
    floor.session.execute("ANALYZE order_replacements")
    grow(floor.session)
    if is_known:
        floor.session.execute("ANALYZE order_replacements")
    query = load_queries("tradewright.trading")["orders_of_last_second"]
    prepared = query.replace("%(ids)s", "$1").replace("%(now)s", "$2")
    writer.execute(f"PREPARE asked (uuid[], timestamptz[]) AS {prepared}".encode())
    explained = "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked (ARRAY[%s]::uuid[], ARRAY[now()])"
    ((plan,),) = writer.execute(explained.replace("%s", f"'{account}'").encode()).fetchall()
    (read,) = scans(plan[0]["Plan"])
    assert read["Index Name"] == "idx_order_replacements_account_id_replaced_at"
    assert read["Actual Rows"] + read.get("Rows Removed by Filter", 0) <= 1
    assert floor.one("SELECT count(*) FROM order_replacements") > ROWS


def replaced(floor: Floor) -> str:
    """Let an account replace an order that rests; return its id."""
    account = rich(floor)
    with floor.engine() as engine:
        resting = deal(engine, buy(account, 1000, limit_price="1.00000"))
        deal(
            engine,
            ReplaceOrder(
                account_id=account,
                client_order_id=resting.client_order_id,
                new_client_order_id="new",
                quantity=buy(account, 2000).quantity,
            ),
        )
    return account


def grow(session: Session) -> None:
    """Let the one replacement have been made again and again, a minute apart, until yesterday."""
    session.execute("SET session_replication_role = replica")
    session.execute(
        "INSERT INTO order_replacements (account_id, key, order_id, order_version, first_key,"
        " replaced_key, quantity, limit_price, stop_price, replaced_at)"
        " SELECT account_id, 'old-' || n, uuidv7(), 1, first_key, replaced_key, quantity,"
        " limit_price, stop_price, replaced_at - interval '1 day' - n * interval '1 minute'"
        f" FROM order_replacements, generate_series(1, {ROWS}) AS n".encode()
    )
    session.execute("RESET session_replication_role")


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a plan that read replacements."""
    return [one for one in nodes(plan) if one.get("Relation Name") == "order_replacements"]
