"""One thing wrong in rows that are right otherwise: a guard looks at every column that it keeps.

A movement, an order and a position are written as the engine writes them, with all that belongs to
them in one statement; each test changes one thing. All are tried in a session of single calls and
in one that says that it writes batches, whose rows the guards look up together.
"""

import json
from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest

from tests.cast import Cast, open_account, open_user, open_wallet, play, value
from tests.conftest import OpenSession
from tradewright import audit, ledger
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session

Changes = dict[str, object]

_MOVEMENT = """
WITH wallet AS (
    SELECT * FROM user_balances WHERE holder_id = %(wallet)s
), base AS (
    SELECT
        uuidv7() AS id, uuidv7() AS transaction_id, w.*,
        (SELECT id FROM house_accounts WHERE code = 'clearing' AND currency = 'USD') AS house
    FROM wallet AS w
), transfer AS (
    INSERT INTO transfers
    SELECT (jsonb_populate_record(NULL::transfers, jsonb_build_object(
        'id', id, 'transaction_id', transaction_id, 'operation', 'credit', 'debit_holder_id', house,
        'credit_holder_id', holder_id, 'currency', 'USD', 'amount', 5,
        'txid', txid_current(), 'created_at', clock_timestamp()
    ) || %(transfer)s::jsonb)).*
    FROM base
), entry AS (
    INSERT INTO balance_ledger
    SELECT (jsonb_populate_record(NULL::balance_ledger, jsonb_build_object(
        'holder_id', holder_id, 'version', version + 1, 'user_id', user_id, 'currency', 'USD',
        'transaction_id', transaction_id, 'operation', 'credit', 'effect', 'credit', 'amount', 5,
        'available_before', available, 'available_after', available + 5,
        'reserved_before', reserved, 'reserved_after', reserved,
        'transfer_id', id, 'created_at', clock_timestamp()
    ) || %(entry)s::jsonb)).*
    FROM base
    RETURNING holder_id, version, available_after, reserved_after
)
UPDATE user_balances AS b
SET available = e.available_after, reserved = e.reserved_after, version = e.version
FROM entry AS e
WHERE b.holder_id = e.holder_id AND %(has_balance)s
"""
"""A credit of five: as a single call writes it, or with the balance left for the next statement."""

_ORDER = """
WITH base AS (
    SELECT o AS one, o.id AS old_id, uuidv7() AS id
    FROM orders AS o
    WHERE o.status = 'filled' AND o.version = 2
    LIMIT 1
), events AS (
    INSERT INTO order_events
    SELECT (jsonb_populate_record(e, jsonb_build_object('order_id', b.id)
        || CASE e.seq WHEN 1 THEN %(first)s::jsonb ELSE %(second)s::jsonb END)).*
    FROM base AS b
    JOIN order_events AS e ON e.order_id = b.old_id
    WHERE e.seq <> %(left_out)s
)
INSERT INTO orders
SELECT (jsonb_populate_record(one, jsonb_build_object('id', id, 'client_order_id', id::text)
    || %(order)s::jsonb)).*
FROM base
"""

_POSITION = """
WITH base AS (
    SELECT p AS one, p.id AS old_id, uuidv7() AS id
    FROM positions AS p
    WHERE p.version = 2 AND p.quantity = 0
    LIMIT 1
), traded AS (
    INSERT INTO trades
    SELECT (jsonb_populate_record(t, jsonb_build_object('id', uuidv7(), 'position_id', b.id)
        || CASE t.position_version WHEN 1 THEN %(first)s::jsonb ELSE %(second)s::jsonb END)).*
    FROM base AS b
    JOIN trades AS t ON t.position_id = b.old_id
)
INSERT INTO positions
SELECT (jsonb_populate_record(one, jsonb_build_object('id', id) || %(position)s::jsonb)).*
FROM base
"""

_REFUSALS = {"TW011", "TW012", "TW013", "TW017", "TW023", "23503"}


@pytest.fixture(params=["off", "on"], ids=["rows", "batches"])
def engine(open_session: OpenSession, request: pytest.FixtureRequest) -> Session:
    """Give a session whose rows the guards look up one by one, and one with them together."""
    session = open_session()
    session.execute(f"SET tradewright.writes_batches = '{request.param}'".encode())
    return session


@pytest.fixture
def cast(engine: Session) -> Cast:
    return play(engine)


def write(session: Session, statement: str, **parts: Changes) -> str:
    """Write rows with changes; return the SQLSTATE of the refusal, or nothing."""
    names = ("transfer", "entry", "first", "second", "order", "position")
    parameters: dict[str, object] = {name: json.dumps(parts.get(name, {})) for name in names}
    parameters["has_balance"] = value(session, "SHOW tradewright.writes_batches") == "off"
    parameters |= {name: part["value"] for name, part in parts.items() if name not in names}
    try:
        session.execute(statement.encode(), {"left_out": 0, **parameters})
    except psycopg.Error as error:
        return str(error.sqlstate)
    return ""


@pytest.mark.parametrize(
    ("transfer", "entry"),
    [
        ({"amount": 6}, {}),
        ({"transaction_id": new_id_text()}, {}),
        ({"operation": "bonus"}, {}),
        ({"operation": "wallet_to_wallet"}, {"operation": "wallet_to_wallet"}),
        ({"credit_holder_id": "OTHER"}, {}),
        ({"debit_holder_id": new_id_text()}, {}),
        ({"debit_holder_id": "EURO HOUSE"}, {}),
        ({"currency": "EUR"}, {}),
        ({"txid": 1}, {}),
        ({"created_at": "2020-01-01"}, {}),
        ({"created_at": "2120-01-01"}, {}),
        ({"id": new_id_text()}, {}),
        ({"amount": 0.001}, {"amount": 0.001, "available_after": "AVAILABLE + 0.001"}),
        ({}, {"available_before": "AVAILABLE + 1", "available_after": "AVAILABLE + 6"}),
        ({}, {"reserved_before": 1000, "reserved_after": 1000}),
        ({}, {"user_id": "OTHER USER"}),
        ({}, {"currency": "EUR"}),
        ({"currency": "EUR", "debit_holder_id": "EURO HOUSE"}, {"currency": "EUR"}),
        ({"currency": "EUR", "debit_holder_id": "EURO HOUSE"}, {}),
        ({}, {"version": 1000}),
        ({}, {"created_at": "2020-01-01"}),
        ({}, {"created_at": "2120-01-01"}),
        ({}, {"holder_id": "OTHER"}),
        (
            {"debit_holder_id": "WALLET", "credit_holder_id": "HOUSE"},
            {
                "effect": "capture",
                "hold_id": "HOLD OF ANOTHER",
                "available_after": "AVAILABLE",
                "reserved_after": "RESERVED - 5",
            },
        ),
    ],
)
def test_a_movement_with_one_thing_wrong_is_refused(
    engine: Session, cast: Cast, transfer: Changes, entry: Changes
) -> None:
    other_user = open_user(engine)
    other = open_wallet(engine, other_user)
    key = new_id_text()
    hold = ledger.reserve(
        engine, other_user, "USD", Decimal(50), transaction_id=key, purpose="dispute"
    )
    wallet = engine.execute(
        "SELECT available, reserved FROM user_balances WHERE holder_id = %s", (cast.wallet_id,)
    ).fetchone()
    assert wallet is not None
    words = {
        "WALLET": cast.wallet_id,
        "HOUSE": value(engine, "SELECT house_holder('clearing', 'USD')::text"),
        "OTHER": other,
        "OTHER USER": other_user,
        "EURO HOUSE": value(engine, "SELECT house_holder('clearing', 'EUR')::text"),
        "HOLD OF ANOTHER": str(hold.hold_id),
        "AVAILABLE": str(wallet[0]),
        "AVAILABLE + 0.001": str(wallet[0] + Decimal("0.001")),
        "AVAILABLE + 1": str(wallet[0] + 1),
        "AVAILABLE + 6": str(wallet[0] + 6),
        "RESERVED - 5": str(wallet[1] - 5),
    }
    parts = {
        name: {column: words.get(str(one), one) for column, one in part.items()}
        for name, part in (("transfer", transfer), ("entry", entry))
    }
    assert write(engine, _MOVEMENT, wallet={"value": cast.wallet_id}, **parts) in _REFUSALS


def test_a_second_transfer_under_the_key_of_an_entry_is_refused(
    engine: Session, cast: Cast
) -> None:
    statement = (
        "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id, credit_holder_id,"
        " currency, amount) SELECT uuidv7(), transaction_id, operation, debit_holder_id,"
        " credit_holder_id, currency, amount FROM transfers"
        f" WHERE operation = 'credit' AND credit_holder_id = '{cast.wallet_id}' LIMIT 1"
    )
    assert write(engine, statement) == "TW023"


def test_a_movement_as_it_should_be_is_let_through(engine: Session, cast: Cast) -> None:
    wallet: Changes = {"value": cast.wallet_id}
    with engine.transaction():
        assert write(engine, _MOVEMENT, wallet=wallet) == ""
        engine.execute(
            "UPDATE user_balances AS b SET available = e.available_after, version = e.version"
            " FROM balance_ledger AS e WHERE e.holder_id = b.holder_id AND b.holder_id = %s"
            " AND e.version = (SELECT max(version) FROM balance_ledger WHERE holder_id = %s)",
            (cast.wallet_id, cast.wallet_id),
        )
    assert all(not result.broken for result in audit.check_laws(engine).values())


def test_an_entry_without_its_balance_is_refused_but_to_who_says_that_it_comes_next(
    engine: Session, cast: Cast, session_as: Callable[[str], Session]
) -> None:
    setting = value(engine, "SHOW tradewright.writes_batches")
    without: Changes = {"value": False}
    for session in (engine, session_as("app")):
        session.execute(f"SET tradewright.writes_batches = '{setting}'".encode())
        with session.transaction(force_rollback=True):
            state = write(session, _MOVEMENT, wallet={"value": cast.wallet_id}, has_balance=without)
        assert state == ("TW013" if setting == "off" else "")


@pytest.mark.parametrize(
    "parts",
    [
        {"order": {"account_id": new_id_text()}},
        {"order": {"symbol": "NOBODY"}},
        {"order": {"version": 3}},
        {"order": {"version": 1}},
        {"left_out": {"value": 1}},
        {"left_out": {"value": 2}},
        {"first": {"to_status": "pending_new", "event_type": "pending_new"}},
        {"second": {"from_status": "partially_filled"}},
        {"second": {"to_status": "partially_filled"}},
        {"second": {"seq": 3}},
        {"second": {"order_id": new_id_text()}},
    ],
)
def test_an_order_with_one_thing_wrong_is_refused(
    engine: Session, cast: Cast, parts: dict[str, Changes]
) -> None:
    assert write(engine, _ORDER, **parts) in _REFUSALS


def test_an_order_as_it_should_be_is_let_through(engine: Session, cast: Cast) -> None:
    assert write(engine, _ORDER) == ""


@pytest.mark.parametrize(
    "parts",
    [
        {"first": {"account_id": "OTHER"}},
        {"second": {"account_id": "OTHER"}},
        {"first": {"fill_id": new_id_text()}},
        {"second": {"fill_id": new_id_text()}},
        {"first": {"position_quantity": 7}},
        {"first": {"position_realised_pnl": 7}},
        {"second": {"position_quantity": 7}},
        {"second": {"position_realised_pnl": 7}},
        {"second": {"position_average_price": 7}},
        {"second": {"position_version": 3}},
        {"second": {"position_id": new_id_text()}},
        {"position": {"version": 3}},
        {"position": {"average_price": 7}},
        {"position": {"realised_pnl": 7}},
        {"position": {"account_id": "OTHER"}},
    ],
)
def test_a_position_with_one_thing_wrong_is_refused(
    engine: Session, cast: Cast, parts: dict[str, Changes]
) -> None:
    other = open_account(engine, open_user(engine))
    changed = {
        name: {column: other if one == "OTHER" else one for column, one in part.items()}
        for name, part in parts.items()
    }
    assert write(engine, _POSITION, **changed) in _REFUSALS


def test_a_position_as_it_should_be_is_let_through(engine: Session, cast: Cast) -> None:
    assert write(engine, _POSITION) == ""
