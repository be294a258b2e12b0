"""What the catalogue of the migrated database must say, whatever tables are added to it."""

import json
import re
from decimal import Decimal

import psycopg
import pytest

from tests.cast import play
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.postgres.constraint_refusals import CONSTRAINT_REFUSALS
from tradewright.postgres.function_refusals import FUNCTION_REFUSALS
from tradewright.postgres.refusals import constraint_refusal, translate

BOUNDED_BY_THEIR_ROW = {
    "instruments.quantity_min",
    "orders.remaining_quantity",
}
"""Columns that a CHECK compares with other columns; seen alone it refuses nothing."""


def numeric_columns(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(
        "SELECT c.relname, a.attname FROM pg_attribute AS a"
        " JOIN pg_type AS t ON t.oid = a.atttypid"
        " JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = current_schema()::regnamespace"
        " AND NOT c.relispartition AND a.attnum > 0"
        " AND 'numeric'::regtype IN (a.atttypid, t.typbasetype)"
        " ORDER BY 1, 2"
    )
    return [(row[0], row[1]) for row in rows]


def refuses(session: Session, table: str, column: str, bad: str) -> bool:
    """Tell whether a CHECK of the table refuses a row of NULLs that has `bad` in one column.

    Raises:
        psycopg.errors.CheckViolation: when the column's domain refuses it by itself.

    """
    checks = session.execute(
        "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint"
        " WHERE conrelid = %s::text::regclass AND contype = 'c'",
        (table,),
    ).fetchall()
    source = f'(SELECT (jsonb_populate_record(NULL::{table}, \'{{"{column}": "{bad}"}}\')).*)'
    session.execute(f"SELECT candidate.{column} FROM {source} AS candidate".encode())
    for (check,) in checks:
        row = session.execute(f"SELECT ({check}) FROM {source} AS candidate".encode()).fetchone()
        if row is not None and row[0] is False:
            return True
    return False


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity"])
def test_no_numeric_column_of_any_table_takes_a_value_that_is_no_number(
    engine: Session, bad: str
) -> None:
    """Cases 2 and 4, for every table: by a CHECK of its own, or by its precision."""
    taken = []
    for table, column in numeric_columns(engine):
        try:
            refused = refuses(engine, table, column, bad)
        except (psycopg.errors.NumericValueOutOfRange, psycopg.errors.CheckViolation):
            refused = True
        if not refused and f"{table}.{column}" not in BOUNDED_BY_THEIR_ROW:
            taken.append(f"{table}.{column}")
    assert taken == []


def test_columns_bounded_by_their_row_refuse_nan_in_a_real_row(engine: Session) -> None:
    play(engine)
    engine.execute("SET session_replication_role = replica")
    for place in sorted(BOUNDED_BY_THEIR_ROW):
        table, column = place.split(".")
        with pytest.raises(psycopg.errors.CheckViolation):
            engine.execute(f"UPDATE {table} SET {column} = 'NaN'".encode())


def test_no_foreign_key_takes_rows_with_it(engine: Session) -> None:
    rows = engine.execute(
        "SELECT conname, confdeltype, confupdtype FROM pg_constraint WHERE contype = 'f'"
        " AND conenforced AND connamespace = current_schema()::regnamespace"
    ).fetchall()
    assert len(rows) > 15
    assert [row for row in rows if (row[1], row[2]) != ("r", "a")] == []


def unenforced_keys(session: Session) -> list[tuple[str, str, str]]:
    """Return table, constraint and first column of each foreign key that triggers keep."""
    rows = session.execute(
        "SELECT c.conrelid::regclass::text, c.conname, a.attname FROM pg_constraint AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND NOT c.conenforced"
        " AND c.connamespace = current_schema()::regnamespace ORDER BY 1, 2"
    )
    return [(row[0], row[1], row[2]) for row in rows]


@pytest.mark.parametrize("writes_batches", ["off", "on"])
def test_every_foreign_key_that_is_not_enforced_is_kept_by_a_trigger(
    engine: Session, writes_batches: str
) -> None:
    """An orphan is tried through each of them: a copy of a real row that names nobody."""
    play(engine)
    engine.execute(f"SET tradewright.writes_batches = '{writes_batches}'".encode())
    fresh: dict[str, dict[str, object]] = {
        "orders": {"id": "{new}", "client_order_id": "orphan"},
        "order_events": {"seq": 1, "from_status": None},
        "order_fills": {"id": "{new}"},
        "positions": {"id": "{new}"},
        "trades": {"id": "{new}", "position_version": 3},
        "transfers": {"id": "{new}"},
        "balance_ledger": {"version": 99, "transaction_id": "{new}"},
        "balance_holds": {"id": "{new}"},
    }
    for table, _, column in unenforced_keys(engine):
        nobody = "NOBODY" if column == "symbol" else new_id_text()
        begins: dict[str, object] = {"position_version": 1} if column == "position_id" else {}
        if column == "close_by_id":
            begins = {"position_version": 4}
        changes = json.dumps({**fresh[table], **begins, column: nobody}).replace(
            "{new}", new_id_text()
        )
        statement = (
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, %s::jsonb)).* FROM"
            f" (SELECT s AS t FROM {table} AS s WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1)"
            " AS one"
        )
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            engine.execute(statement.encode(), (changes,))


def test_the_law_of_references_names_every_foreign_key_that_is_not_enforced(
    engine: Session,
) -> None:
    row = engine.execute("SELECT pg_get_viewdef('law_references_hold'::regclass)").fetchone()
    assert row is not None
    keys = {constraint for _, constraint, _ in unenforced_keys(engine)}
    assert len(keys) > 10
    assert set(re.findall(r"'(\w+_exists)'", row[0])) == keys


def test_every_enforced_foreign_key_is_led_by_an_index(engine: Session) -> None:
    rows = engine.execute(
        "SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint AS c"
        " WHERE c.contype = 'f' AND c.conenforced"
        " AND c.connamespace = current_schema()::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid"
        " AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '%IS NOT NULL%')"
        " AND i.indkey[0] = c.conkey[1])"
    ).fetchall()
    assert rows == []


def test_every_constraint_means_something_to_its_reader(engine: Session) -> None:
    """Each constraint has an entry of its own or the entry of its kind."""
    rows = engine.execute(
        "SELECT conname, contype FROM pg_constraint WHERE connamespace ="
        " current_schema()::regnamespace AND conrelid <> 0"
    ).fetchall()
    kinds = {"c": "23514", "f": "23503", "u": "23505", "p": "23505", "n": "23502", "x": "23P01"}
    unexplained = [
        name for name, kind in rows if kind != "t" and constraint_refusal(name, kinds[kind]) is None
    ]
    assert unexplained == []


def test_every_entry_of_the_table_of_constraints_names_one_that_exists(engine: Session) -> None:
    rows = engine.execute(
        "SELECT conname FROM pg_constraint UNION SELECT indexrelid::regclass::text FROM pg_index"
    ).fetchall()
    assert set(CONSTRAINT_REFUSALS) - {row[0] for row in rows} == set()


def test_every_sqlstate_that_functions_raise_has_a_code_and_the_other_way_round(
    engine: Session,
) -> None:
    rows = engine.execute(
        "SELECT DISTINCT m[1] FROM pg_proc AS p, regexp_matches(p.prosrc, 'TW[0-9]{3}', 'g') AS m"
        " WHERE p.pronamespace = current_schema()::regnamespace"
    ).fetchall()
    assert {row[0] for row in rows} == set(FUNCTION_REFUSALS)


def test_every_function_raises_with_detail_and_hint(engine: Session) -> None:
    rows = engine.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND"
        " regexp_count(prosrc, 'RAISE EXCEPTION') <> least(regexp_count(prosrc, 'ERRCODE = ''TW'),"
        " regexp_count(prosrc, 'DETAIL ='), regexp_count(prosrc, 'HINT ='))"
    ).fetchall()
    assert rows == []


def test_every_function_pins_its_search_path_or_looks_nothing_up(engine: Session) -> None:
    """What is immutable reads no table, and what is SQL is part of the query that calls it."""
    rows = engine.execute(
        "SELECT proname FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang"
        " WHERE pronamespace = current_schema()::regnamespace AND l.lanname = 'plpgsql'"
        " AND NOT coalesce(array_to_string(proconfig, ' ') LIKE '%search_path=%', false)"
        " AND p.provolatile <> 'i'"
    ).fetchall()
    assert rows == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "INSERT INTO users (email, client_class) VALUES ('no-at', 'retail')",
            ErrorCode.USER_MALFORMED,
        ),
        (
            "INSERT INTO users (email, client_class) VALUES ('a@b', NULL)",
            ErrorCode.DATABASE_VALUE_REFUSED,
        ),
        (
            "INSERT INTO user_roles (user_id, role) VALUES (uuidv7(), 'trader')",
            ErrorCode.USER_UNKNOWN,
        ),
        (
            (
                "INSERT INTO margin_calls"
                " (id, account_id, margin_level, equity, used_margin, market_at)"
                " VALUES (uuidv7(), uuidv7(), 1, 1, 1, clock_timestamp())"
            ),
            ErrorCode.ACCOUNT_UNKNOWN,
        ),
        ("SELECT house_holder('piggy_bank', 'USD')", ErrorCode.INPUT_HOUSE_UNKNOWN),
    ],
)
def test_a_violated_constraint_is_told_by_its_code(
    engine: Session, statement: str, code: ErrorCode
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(statement.encode())
    assert translate(caught.value).code == code


def test_money_columns_hold_eight_decimals_and_twelve_digits(engine: Session) -> None:
    rows = engine.execute(
        "SELECT DISTINCT format_type(coalesce(nullif(t.typbasetype, 0), t.oid),"
        " CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END)"
        " FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid"
        " JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = current_schema()::regnamespace AND a.attname IN ('amount',"
        " 'available', 'reserved', 'balance', 'remaining', 'price', 'quantity', 'realised_pnl')"
    ).fetchall()
    assert rows == [("numeric(20,8)",)]
    assert Decimal("999999999999.99999999").as_tuple().digits == (9,) * 20
