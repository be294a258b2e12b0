"""What a rogue client meets that writes past the ledger, the engine and the services.

Every attempt is raw SQL of the owner of the tables, with all triggers on: roles may be granted
wrongly, the guards hold all the same. Each is made twice, for a session that says it writes batches
has its rows looked up another way.
"""

from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest

from tests.cast import Cast, open_user, open_wallet, play, value
from tests.conftest import OpenSession
from tradewright import audit, ledger
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate

APPEND_ONLY = (
    "api_key_revocations",
    "api_keys",
    "audit_archive_counts",
    "audit_archive_segments",
    "audit_log",
    "audit_seals",
    "backup_runs",
    "backup_terms",
    "balance_ledger",
    "circuit_breaker_events",
    "circuit_breakers",
    "client_measures",
    "clock_samples",
    "close_bys",
    "closing_orders",
    "deposit_addresses",
    "exchange_rates",
    "exchanges",
    "fix_messages",
    "fix_sessions",
    "fraud_checks",
    "law_checks",
    "ledger_holders",
    "ledger_seal_segments",
    "ledger_seals",
    "opening_rates",
    "order_events",
    "order_fills",
    "order_replacements",
    "past_account_groups",
    "past_swap_freedoms",
    "payment_refusals",
    "payment_settlement_lines",
    "payment_settlements",
    "payment_transitions",
    "position_amendments",
    "position_rollovers",
    "provider_requests",
    "hedge_fills",
    "routing_rankings",
    "routing_decisions",
    "provider_statement_lines",
    "suspense_items",
    "provider_statement_withdrawals",
    "provider_statements",
    "provider_correction_settlements",
    "provider_corrections",
    "provider_trade_lists",
    "provider_trades",
    "record_seal_segments",
    "record_seals",
    "risk_breaches",
    "stop_outs",
    "swap_terms",
    "trade_adjustments",
    "trade_reversals",
    "trades",
    "trading_days",
    "transfers",
    "unsolicited_fill_resolutions",
    "unsolicited_fills",
    "view_refreshes",
    "wallet_status_changes",
)
KEPT = (
    "alerts",
    "audit_archives",
    "audit_holds",
    "audit_retention",
    "account_groups",
    "accounts",
    "api_key_uses",
    "balance_holds",
    "client_profiles",
    "console_sessions",
    "engines",
    "exposure_totals",
    "house_balances",
    "job_runs",
    "jobs",
    "last_prices",
    "orders",
    "outbox_events",
    "payment_claims",
    "payment_limits",
    "payment_transactions",
    "positions",
    "provider_trade_breaks",
    "receivables",
    "reconciliation_breaks",
    "reporting_views",
    "suspense_returns",
    "risk_limits",
    "trading_halts",
    "turns",
    "user_balances",
    "user_devices",
    "user_ip_addresses",
    "webhook_events",
)
"""Tables whose rows may change but never go."""

TRANSFER = (
    "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id, credit_holder_id,"
    " currency, amount)"
)

TRADE_WITHOUT_PREDECESSOR = (
    "INSERT INTO trades (id, account_id, fill_id, position_id, position_version, effect, quantity,"
    " price, conversion_rate, realised_pnl, commission, position_quantity, position_average_price,"
    " position_realised_pnl) SELECT uuidv7(), account_id, fill_id, position_id, 1000, 'open', 9999,"
    " 0.5, 1, 0, 0, 9999, 0.5, 0 FROM trades LIMIT 1"
)


@pytest.fixture(params=["off", "on"], ids=["rows", "batches"])
def engine(open_session: OpenSession, request: pytest.FixtureRequest) -> Session:
    """Give a session whose rows the guards look up one by one, and one with them together."""
    session = open_session()
    session.execute(f"SET tradewright.writes_batches = '{request.param}'".encode())
    return session


@pytest.fixture
def cast(engine: Session) -> Cast:
    return play(engine)


def refused(session: Session, statement: str) -> str:
    """Run a statement that must be refused; return the SQLSTATE."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement.encode())
    return str(caught.value.sqlstate)


def partitions(session: Session) -> list[str]:
    rows = session.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'audit_log'::regclass ORDER BY 1"
    )
    return [row[0] for row in rows]


ENTRY = (
    "INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id, operation,"
    " effect, amount, available_before, available_after, reserved_before, reserved_after, hold_id)"
)
"""The beginning of an entry that somebody writes by hand."""


@pytest.mark.parametrize("attempt", ["UPDATE", "DELETE", "TRUNCATE"])
def test_append_only_tables_refuse_it(engine: Session, attempt: str) -> None:
    """Case 25."""
    states = {}
    for table in APPEND_ONLY:
        column = value(
            engine,
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::text::regclass AND attnum > 0"
            " AND attidentity = '' ORDER BY attnum LIMIT 1",
            table,
        )
        statement = {
            "UPDATE": f"UPDATE {table} SET {column} = {column}",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table} CASCADE",
        }[attempt]
        states[table] = refused(engine, statement)
    assert states == dict.fromkeys(APPEND_ONLY, "TW010")


def test_every_partition_of_the_audit_log_refuses_all_three(engine: Session) -> None:
    """Case 25, for partitions addressed by their own names."""
    names = partitions(engine)
    states = {
        refused(engine, statement)
        for name in names
        for statement in (
            f"UPDATE {name} SET actor = 'x'",
            f"DELETE FROM {name}",
            f"TRUNCATE {name}",
        )
    }
    assert len(names) >= 13
    assert states == {"TW010"}


def test_a_partition_made_later_is_append_only_too(engine: Session) -> None:
    name = value(engine, "SELECT create_audit_log_partition('2031-05-17')")
    assert name == "audit_log_2031_05"
    assert value(engine, "SELECT create_audit_log_partition('2031-05-01')") == name
    assert refused(engine, f"DELETE FROM {name}") == "TW010"


@pytest.mark.parametrize("attempt", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_kept_tables_refuse_to_lose_rows(engine: Session, attempt: str) -> None:
    """Case 24."""
    states = {table: refused(engine, attempt.format(table)) for table in KEPT}
    assert states == dict.fromkeys(KEPT, "TW010")


def test_every_table_is_append_only_or_kept_or_audited_or_a_list(engine: Session) -> None:
    lists = {
        "exposure_changes",  # taken away when they are rolled up
        "currencies",
        "house_accounts",
        "reference_version",
        "rollover_holidays",
        "schema_migrations",
        "wallet_queues",  # is locked, and empty for ever
    }
    names = engine.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND NOT relispartition"
        " AND c.relnamespace = current_schema()::regnamespace"
    ).fetchall()
    with_audit = engine.execute(
        "SELECT DISTINCT c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
        " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.proname = 'audit_row_change'"
    ).fetchall()
    known = {*APPEND_ONLY, *KEPT, *lists, *(row[0] for row in with_audit)}
    assert {row[0] for row in names} - known == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE user_balances SET available = available + 1",
        "UPDATE user_balances SET available = available + 1, version = version + 1",
        "UPDATE user_balances SET version = version + 1",
        "UPDATE user_balances SET version = version - 1",
        "UPDATE user_balances SET available = available + reserved, reserved = 0",
        "UPDATE accounts SET balance = balance + 1",
        "UPDATE accounts SET balance = balance + 1, version = version + 1",
        "UPDATE accounts SET version = version + 1",
        "UPDATE balance_holds SET remaining = 0",
        "UPDATE balance_holds SET remaining = amount",
        (
            "INSERT INTO balance_holds (holder_id, purpose, amount, remaining)"
            " SELECT holder_id, 'order', 1, 1 FROM user_balances"
        ),
        (
            "INSERT INTO balance_holds (holder_id, purpose, amount, remaining)"
            " SELECT holder_id, 'order', 1, 0 FROM user_balances"
        ),
        (
            "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id,"
            " credit_holder_id, currency, amount, txid) SELECT uuidv7(), uuidv7(), 'fee',"
            " debit_holder_id, credit_holder_id, 'USD', 1, 1 FROM transfers LIMIT 1"
        ),
        (
            "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id,"
            " credit_holder_id, currency, amount, created_at) SELECT uuidv7(), uuidv7(), 'fee',"
            " debit_holder_id, credit_holder_id, 'USD', 1, now() - interval '1 day'"
            " FROM transfers LIMIT 1"
        ),
        (
            f"{ENTRY} SELECT w.holder_id, w.version + 1, w.user_id, w.currency, uuidv7(),"
            " 'release', 'release', 5, w.available, w.available + 5, w.reserved, w.reserved - 5,"
            " h.id FROM user_balances AS w JOIN balance_holds AS h USING (holder_id)"
            " WHERE w.reserved >= 5 AND h.remaining > 5 LIMIT 1"
        ),
    ],
)
def test_money_does_not_move_without_entries(engine: Session, cast: Cast, statement: str) -> None:
    assert refused(engine, statement) == "TW013"


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            (
                f"{ENTRY} SELECT w.holder_id, w.version + 1, w.user_id, w.currency, uuidv7(),"
                " 'release', 'release', 1, w.available, w.available + 2, w.reserved,"
                " w.reserved - 1, h.id FROM user_balances AS w"
                " JOIN balance_holds AS h USING (holder_id)"
                " WHERE w.reserved >= 5 AND h.remaining > 5 LIMIT 1"
            ),
            "balance_ledger_after_follows_from_before",
        ),
        (
            (
                "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id,"
                " credit_holder_id, currency, amount) SELECT uuidv7(), uuidv7(), 'fee',"
                " h.id, h.id, 'USD', 1 FROM house_accounts AS h LIMIT 1"
            ),
            "transfers_holders_differ",
        ),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_by_the_rules_name(
    engine: Session, cast: Cast, statement: str, constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(statement.encode())
    assert caught.value.diag.constraint_name == constraint


def test_a_hold_does_not_expire_before_it_begins(engine: Session, cast: Cast) -> None:
    statement = (
        "WITH hold AS (INSERT INTO balance_holds (holder_id, purpose, amount, remaining,"
        " expires_at) SELECT holder_id, 'order', 1, 1, now() - interval '1 minute'"
        " FROM user_balances WHERE available > 1 LIMIT 1 RETURNING id, holder_id), entry AS ("
        f" {ENTRY} SELECT w.holder_id, w.version + 1, w.user_id, w.currency,"
        " uuidv7(), 'reserve', 'reserve', 1, w.available, w.available - 1, w.reserved,"
        " w.reserved + 1, h.id FROM user_balances AS w JOIN hold AS h USING (holder_id))"
        " UPDATE user_balances AS w SET available = w.available - 1, reserved = w.reserved + 1,"
        " version = w.version + 1 FROM hold AS h WHERE h.holder_id = w.holder_id"
    )
    assert refused(engine, statement) == "TW040"


def test_a_hold_is_set_aside_once(engine: Session, cast: Cast) -> None:
    statement = (
        "WITH hold AS (INSERT INTO balance_holds (holder_id, purpose, amount, remaining)"
        " SELECT holder_id, 'order', 1, 1 FROM user_balances RETURNING id, holder_id)"
        f" {ENTRY} SELECT w.holder_id, w.version + n, w.user_id, w.currency,"
        " uuidv7(), 'reserve', 'reserve', 1, w.available - n + 1, w.available - n,"
        " w.reserved + n - 1, w.reserved + n, h.id"
        " FROM user_balances AS w JOIN hold AS h USING (holder_id), generate_series(1, 2) AS n"
    )
    assert refused(engine, statement) == "23505"


@pytest.mark.parametrize(
    ("key", "operation"),
    [("t.transaction_id", "again"), ("uuidv7()", "credit")],
)
def test_a_transfer_is_entered_once_for_each_side(
    engine: Session, cast: Cast, key: str, operation: str
) -> None:
    statement = (
        f"{ENTRY.replace('hold_id', 'transfer_id')} SELECT w.holder_id, w.version + 1, w.user_id,"
        f" w.currency, {key}, '{operation}', 'credit', t.amount, w.available,"
        " w.available + t.amount, w.reserved, w.reserved, t.id"
        " FROM user_balances AS w JOIN transfers AS t ON t.credit_holder_id = w.holder_id"
        " WHERE t.operation = 'credit' LIMIT 1"
    )
    assert refused(engine, statement) == "23503"


def test_what_is_called_a_reversal_does_not_leave_a_frozen_wallet(
    engine: Session, cast: Cast
) -> None:
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id, "100")
    engine.execute(
        "SELECT set_wallet_status(%s, 'USD', 'frozen', 'asked by the police', uuidv7())", (user_id,)
    )
    statement = (
        f"WITH entry AS ({ENTRY.replace('hold_id', 'transfer_id')} SELECT holder_id, version + 1,"
        " user_id, currency, uuidv7(), 'reversal', 'debit', 30, available, available - 30,"
        f" reserved, reserved, uuidv7() FROM user_balances WHERE holder_id = '{wallet_id}'"
        " RETURNING transfer_id, transaction_id), transfer AS (INSERT INTO transfers (id,"
        " transaction_id, operation, debit_holder_id, credit_holder_id, currency, amount)"
        f" SELECT transfer_id, transaction_id, 'reversal', '{wallet_id}', h.id, 'USD', 30"
        " FROM entry, house_accounts AS h WHERE h.code = 'clearing' AND h.currency = 'USD')"
        " UPDATE user_balances SET available = available - 30, version = version + 1"
        f" WHERE holder_id = '{wallet_id}' AND EXISTS (SELECT FROM entry)"
    )
    assert refused(engine, statement) == "TW031"


def test_a_balance_that_its_entries_lead_to_is_let_through(engine: Session, cast: Cast) -> None:
    engine.execute(
        f"WITH moved AS ({TRANSFER} SELECT n.id, n.id, 'bonus', h.id, a.id, 'USD', 5"
        " FROM (SELECT uuidv7() AS id) AS n, house_accounts AS h, accounts AS a"
        " WHERE h.code = 'dealing' AND a.id = %(id)s RETURNING id), entry AS ("
        f"{ENTRY.replace('hold_id', 'transfer_id')} SELECT a.id, version + 1, user_id,"
        " currency, m.id, 'bonus', 'credit', 5, balance, balance + 5, 0, 0, m.id"
        " FROM accounts AS a, moved AS m WHERE a.id = %(id)s)"
        " UPDATE accounts SET balance = balance + 5, version = version + 1 WHERE id = %(id)s",
        {"id": cast.account_id},
    )
    balance = value(engine, "SELECT balance FROM accounts WHERE id = %s", cast.account_id)
    assert balance == Decimal("514.96")


@pytest.mark.parametrize("role", ["app", "operator"])
@pytest.mark.parametrize(
    "movement",
    [
        ("debit", "wallet", "house"),
        ("credit", "house", "wallet"),
        ("bonus", "house", "account"),
        ("wallet_to_account", "wallet", "account"),
        ("account_to_wallet", "account", "wallet"),
    ],
)
def test_a_clients_transfer_without_its_entries_is_refused_to_whoever_may_write(
    engine: Session,
    cast: Cast,
    session_as: Callable[[str], Session],
    role: str,
    movement: tuple[str, str, str],
) -> None:
    operation, debit, credit = movement
    house = str(value(engine, "SELECT id FROM house_accounts WHERE code = 'clearing'"))
    holders = {"wallet": cast.wallet_id, "account": cast.account_id, "house": house}
    writer = session_as(role)
    setting = value(engine, "SHOW tradewright.writes_batches")
    writer.execute(f"SET tradewright.writes_batches = '{setting}'".encode())
    with pytest.raises(psycopg.Error) as caught:
        writer.execute(
            f"{TRANSFER} VALUES (uuidv7(), uuidv7(), %s, %s, %s, 'USD', 5)",
            (operation, holders[debit], holders[credit]),
        )
    assert caught.value.sqlstate == "TW023"
    told = translate(caught.value)
    assert told.code is ErrorCode.MONEY_TRANSFER_WITHOUT_ENTRIES
    assert told.what.endswith("moves money of a client without an entry of it")
    assert "in one statement" in told.hint


@pytest.mark.parametrize(
    ("holder", "effect", "operation"),
    [("wallet", "debit", "transfer_out"), ("account", "credit", "transfer_in")],
)
def test_between_two_clients_one_entry_is_not_enough(
    engine: Session, cast: Cast, holder: str, effect: str, operation: str
) -> None:
    source = {
        "wallet": "SELECT holder_id AS id, version, user_id, available AS balance, reserved"
        f" FROM user_balances WHERE holder_id = '{cast.wallet_id}'",
        "account": "SELECT id, version, user_id, balance, 0 AS reserved"
        f" FROM accounts WHERE id = '{cast.account_id}'",
    }[holder]
    change = 5 if effect == "credit" else -5
    statement = (
        f"WITH moved AS ({TRANSFER} SELECT n.id, n.id, 'wallet_to_account', '{cast.wallet_id}',"
        f" '{cast.account_id}', 'USD', 5 FROM (SELECT uuidv7() AS id) AS n RETURNING id)"
        f" {ENTRY.replace('hold_id', 'transfer_id')} SELECT h.id, version + 1, user_id, 'USD',"
        f" m.id, '{operation}', '{effect}', 5, balance, balance + {change}, reserved, reserved,"
        f" m.id FROM ({source}) AS h, moved AS m"
    )
    assert refused(engine, statement) == "TW023"


def move_in_house(session: Session, path: str, amount: int, reversed_id: str | None = None) -> str:
    """Write a movement from a house account to another, which takes one back if it is given."""
    houses, moved = ledger.house_holder_ids(session, "USD"), new_id_text()
    holders = [houses[HouseCode(code)] for code in path.split()]
    insert = TRANSFER.replace("amount)", "amount, reverses_id) VALUES (%s, uuidv7(), 'x', %s, %s,")
    session.execute(f"{insert} 'USD', %s, %s)".encode(), (moved, *holders, amount, reversed_id))
    return moved


@pytest.mark.parametrize(
    ("path", "amounts", "sqlstate"),
    [
        ("dealing clearing", [3, 3], "TW020"),
        ("dealing clearing", [6], "TW020"),
        ("clearing dealing", [1], "TW019"),
        ("dealing fees", [1], "TW019"),
    ],
)
def test_what_takes_a_movement_back_stays_within_it(
    engine: Session, cast: Cast, path: str, amounts: list[int], sqlstate: str
) -> None:
    original = move_in_house(engine, "clearing dealing", 5)
    for amount in amounts[:-1]:
        move_in_house(engine, path, amount, original)
    with pytest.raises(psycopg.Error) as caught:
        move_in_house(engine, path, amounts[-1], original)
    assert caught.value.sqlstate == sqlstate


def test_what_takes_a_movement_back_is_not_taken_back(engine: Session, cast: Cast) -> None:
    original = move_in_house(engine, "clearing dealing", 5)
    reversal = move_in_house(engine, "dealing clearing", 5, original)
    with pytest.raises(psycopg.Error) as caught:
        move_in_house(engine, "clearing dealing", 1, reversal)
    assert caught.value.sqlstate == "TW019"


def test_a_transfer_inside_the_house_needs_no_entries(engine: Session, cast: Cast) -> None:
    before = value(engine, "SELECT count(*) FROM transfers")
    engine.execute(
        f"{TRANSFER} SELECT uuidv7(), uuidv7(), 'settlement', a.id, b.id, 'USD', 5"
        " FROM house_accounts AS a, house_accounts AS b"
        " WHERE a.code = 'clearing' AND b.code = 'dealing'".encode()
    )
    assert value(engine, "SELECT count(*) FROM transfers") == before + 1  # type: ignore[operator]


def test_entries_of_one_holder_do_not_explain_another(engine: Session, cast: Cast) -> None:
    other = open_wallet(engine, open_user(engine), "100")
    ledger.credit(
        engine,
        str(value(engine, "SELECT user_id FROM user_balances WHERE holder_id = %s", other)),
        "USD",
        Decimal(5),
        transaction_id=new_id_text(),
    )
    statement = "UPDATE user_balances SET available = 105, version = 2 WHERE holder_id = '{}'"
    assert refused(engine, statement.format(cast.wallet_id)) == "TW013"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE user_balances SET user_id = '{officer_id}'",
        "UPDATE user_balances SET holder_id = uuidv7(), available = 1000000",
        "UPDATE user_balances SET currency = 'EUR'",
        "UPDATE accounts SET user_id = '{officer_id}'",
        "UPDATE accounts SET id = uuidv7(), balance = 1000000",
        "UPDATE accounts SET currency = 'EUR'",
        "UPDATE balance_holds SET purpose = 'order' WHERE id = '{hold_id}'",
        "UPDATE balance_holds SET amount = 1000",
        "UPDATE orders SET side = 'sell' WHERE side = 'buy'",
        "UPDATE orders SET client_order_id = 'x'",
        "UPDATE orders SET id = uuidv7()",
        "UPDATE positions SET symbol = 'XAUUSD'",
        "UPDATE positions SET id = uuidv7(), quantity = 5, is_open = true, closed_at = NULL",
        "UPDATE payment_transactions SET amount = amount * 2",
        "UPDATE payment_transactions SET user_id = '{officer_id}'",
    ],
)
def test_nothing_becomes_somebody_elses_or_something_else(
    engine: Session, cast: Cast, statement: str
) -> None:
    words = statement.format(officer_id=cast.officer_id, hold_id=cast.hold_id)
    assert refused(engine, words) == "TW010"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO user_balances (user_id, currency, available) VALUES ('{user}', 'USD', 5)",
        "INSERT INTO user_balances (user_id, currency, reserved) VALUES ('{user}', 'USD', 5)",
        "INSERT INTO user_balances (user_id, currency, version) VALUES ('{user}', 'USD', 5)",
        (
            "INSERT INTO accounts (id, user_id, currency, leverage, balance)"
            " VALUES (uuidv7(), '{user}', 'USD', 30, 5)"
        ),
        (
            "INSERT INTO accounts (id, user_id, currency, leverage, version)"
            " VALUES (uuidv7(), '{user}', 'USD', 30, 5)"
        ),
    ],
)
def test_a_holder_is_not_opened_with_money_in_it(engine: Session, statement: str) -> None:
    assert refused(engine, statement.format(user=open_user(engine))) == "TW013"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET version = version + 1",
        "UPDATE orders SET version = version - 1",
        "UPDATE orders SET status = 'canceled'",
        (
            "UPDATE orders SET filled_quantity = filled_quantity - 1, version = version,"
            " remaining_quantity = remaining_quantity + 1 WHERE filled_quantity > 0"
        ),
        (
            "INSERT INTO orders SELECT uuidv7(), account_id, 'rogue', symbol, side, order_type,"
            " time_in_force, origin, book, quantity, filled_quantity, remaining_quantity,"
            " average_price, limit_price, stop_price, stop_loss, take_profit, status, is_routed,"
            " refused_by, refusal_code, metadata, version FROM orders LIMIT 1"
        ),
    ],
)
def test_an_order_does_not_move_without_events(engine: Session, cast: Cast, statement: str) -> None:
    assert refused(engine, statement) == "TW011"


@pytest.mark.parametrize(
    ("from_status", "to_status"),
    [
        ("filled", "new"),
        ("filled", "canceled"),
        ("canceled", "new"),
        ("rejected", "new"),
        ("partially_filled", "new"),
        ("partially_filled", "rejected"),
        (None, "filled"),
        (None, "canceled"),
        ("new", "unknown"),
        ("nowhere", "new"),
        ("expired", "new"),
        ("pending_cancel", "pending_replace"),
    ],
)
def test_an_event_of_a_forbidden_step_is_refused(
    engine: Session, cast: Cast, from_status: str | None, to_status: str
) -> None:
    seq = 1 if from_status is None else 3
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(
            "INSERT INTO order_events (order_id, seq, event_type, from_status, to_status, actor)"
            " VALUES (%s, %s, 'restated', %s, %s, 'rogue')",
            (new_id_text(), seq, from_status, to_status),
        )
    assert caught.value.diag.constraint_name == "order_events_step_allowed"


def test_events_that_do_not_begin_where_the_order_stands_do_not_move_it(
    engine: Session, cast: Cast
) -> None:
    with pytest.raises(psycopg.Error) as caught, engine.transaction():  # noqa: PT012
        engine.execute(
            "INSERT INTO order_events (order_id, seq, event_type, from_status, to_status, actor)"
            " VALUES (%s, 3, 'canceled', 'new', 'canceled', 'rogue')",
            (cast.order_ids[0],),
        )
        engine.execute(
            "UPDATE orders SET version = 3, status = 'canceled' WHERE id = %s",
            (cast.order_ids[0],),
        )
    assert caught.value.sqlstate == "TW011"


def test_events_of_no_order_do_not_stay(engine: Session) -> None:
    statement = (
        "INSERT INTO order_events (order_id, seq, event_type, from_status, to_status, actor)"
        " VALUES (uuidv7(), 1, 'new', NULL, 'new', 'rogue')"
    )
    assert refused(engine, statement) == "23503"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE positions SET quantity = 5, is_open = true, closed_at = NULL",
        "UPDATE positions SET realised_pnl = 1000000",
        "UPDATE positions SET average_price = 2",
        "UPDATE positions SET version = version + 1",
        (
            "INSERT INTO positions (id, account_id, symbol, quantity, average_price, is_open,"
            " version) SELECT uuidv7(), account_id, symbol, 5, 1.1, true, 1 FROM positions"
            " WHERE position_mode = 'netting'"
        ),
        (
            f"WITH jump AS ({TRADE_WITHOUT_PREDECESSOR}) UPDATE positions SET quantity = 9999,"
            " average_price = 0.5, realised_pnl = 0, version = 1000, is_open = true,"
            " closed_at = NULL"
        ),
        TRADE_WITHOUT_PREDECESSOR,
    ],
)
def test_a_position_does_not_move_without_trades(
    engine: Session, cast: Cast, statement: str
) -> None:
    assert refused(engine, statement) == "TW012"


@pytest.mark.parametrize(
    ("status", "target"),
    [
        ("succeeded", "pending"),
        ("succeeded", "canceled"),
        ("failed", "succeeded"),
        ("canceled", "processing"),
        ("processing", "canceled"),
        ("processing", "pending"),
        ("requires_approval", "succeeded"),
        ("requires_approval", "pending"),
    ],
)
def test_a_payment_does_not_take_a_forbidden_step(
    engine: Session, status: str, target: str
) -> None:
    ended = "('succeeded', 'failed', 'canceled')"
    step = (
        "UPDATE payment_transactions SET status = '{0}',"
        f" completed_at = CASE WHEN '{{0}}' IN {ended} THEN now() END"
    )
    _pending_withdrawal(engine)
    steps = ("processing", status) if status == "succeeded" else (status,)
    with engine.transaction(force_rollback=True):
        for known in steps:
            engine.execute(step.format(known).encode())
        assert refused(engine, step.format(target)) == "TW014"


def _pending_withdrawal(session: Session) -> None:
    session.execute(
        "INSERT INTO payment_transactions"
        " (id, user_id, kind, currency, amount, counted_rate, counted_amount)"
        " VALUES (uuidv7(), %s, 'withdrawal', 'USD', 5, 1, 5)",
        (open_user(session),),
    )


@pytest.mark.parametrize("status", ["pending", "requires_approval", "processing"])
def test_an_open_payment_has_not_ended_and_an_ended_one_has(engine: Session, status: str) -> None:
    _pending_withdrawal(engine)
    statement = f"UPDATE payment_transactions SET status = '{status}', completed_at = now()"
    assert refused(engine, statement) == "23514"


def test_nobody_approves_a_withdrawal_of_his_own(engine: Session, cast: Cast) -> None:
    statement = "UPDATE payment_transactions SET approved_by = user_id"
    assert refused(engine, statement) == "23514"


def test_after_all_these_attempts_the_laws_hold(engine: Session, cast: Cast) -> None:
    for statement in (
        "UPDATE user_balances SET available = available + 1",
        "UPDATE balance_holds SET remaining = 0",
        "UPDATE positions SET realised_pnl = 1000000",
        "DELETE FROM transfers",
    ):
        assert refused(engine, statement).startswith("TW01")
    laws = audit.check_laws(engine)
    broken = {law: result for law, result in laws.items() if result.broken}
    assert len(laws) > 20
    assert broken == {}


def test_a_guard_planned_while_tables_are_small_reads_no_more_as_they_grow(engine: Session) -> None:
    """Plans are kept by a session: a guard finds each row by its key, or all would be read."""
    wallets = [(user_id, open_wallet(engine, user_id)) for user_id in _users(engine, 30)]
    user_id = wallets[0][0]
    engine.execute("VACUUM (ANALYZE)")
    _move(engine, user_id, 20)
    read = [_move(engine, user_id, 60) for _ in range(4)]
    assert read[-1] < read[0] * 1.1, f"rows read by index in equal rounds: {read}"


def _users(session: Session, count: int) -> list[str]:
    return [open_user(session) for _ in range(count)]


def _move(session: Session, user_id: str, times: int) -> int:
    """Credit and reserve, and return how many rows the ledger's indexes have read for it."""
    before = _rows_read(session)
    for _ in range(times):
        ledger.credit(session, user_id, "USD", Decimal(1), transaction_id=new_id_text())
        key = new_id_text()
        cent = Decimal("0.01")
        ledger.reserve(session, user_id, "USD", cent, transaction_id=key, purpose="order")
    return _rows_read(session) - before


def _rows_read(session: Session) -> int:
    session.execute("SELECT pg_stat_force_next_flush()")
    tables = "('balance_ledger', 'balance_holds', 'transfers', 'user_balances', 'ledger_holders')"
    count = value(
        session,
        f"SELECT sum(idx_tup_read)::integer FROM pg_stat_user_indexes WHERE relname IN {tables}",
    )
    assert isinstance(count, int)
    return count
