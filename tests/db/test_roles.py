"""What the roles may do and may not: on every table of the catalog, and the engine run as one.

Which tables are append-only is read from their guards, so a table that is added is tried here
without a change.
"""

import re
from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from tests.cast import open_account, open_user, open_wallet, play, value
from tests.conftest import LogIn, migrate_engine
from tests.floor import Floor, buy, deal, sell
from tests.news import deposited
from tradewright import audit, ledger, migrate, payments
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.demo import DayOptions, plan_day, run_day
from tradewright.demo.progress import open_progress
from tradewright.ledger import Exchange, sealing
from tradewright.payments import ClaimKind, ClaimOrder, PaymentStatus
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.routing.model import Book
from tradewright.trading.house_store import roll_up_exposures
from tradewright.trading.model import OrderStatus
from tradewright.wiring import House

ROLES = ("app", "operator", "reader")
ATTEMPTS = ("UPDATE", "DELETE", "TRUNCATE")
APPEND_ONLY = (
    "SELECT relname FROM pg_class AS c WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = current_schema()::regnamespace AND EXISTS (SELECT FROM pg_trigger AS t"
    " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE t.tgrelid = c.oid AND"
    " p.proname = 'refuse_change' AND tgtype & 56 = 56) ORDER BY relname"
)


def tables(session: Session, query: str) -> list[str]:
    return [row[0] for row in session.execute(query.encode())]


def attempt(session: Session, table: str, what: str) -> str | None:
    """Try to change, delete or truncate a table; return the SQLSTATE of the refusal."""
    column = value(
        session,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::text::regclass AND attnum > 0"
        " AND attidentity = '' ORDER BY attnum LIMIT 1",
        table,
    )
    statement = {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[what]
    try:
        session.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.mark.parametrize("what", ATTEMPTS)
def test_every_append_only_table_refuses_it_to_its_owner_by_trigger(
    engine: Session, what: str
) -> None:
    """Case 25, as owner."""
    names = tables(engine, APPEND_ONLY)
    assert len(names) > 20
    assert {name: attempt(engine, name, what) for name in names} == dict.fromkeys(names, "TW010")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", ATTEMPTS)
def test_every_append_only_table_refuses_it_to_every_role_by_grant(
    engine: Session, session_as: Callable[[str], Session], role: str, what: str
) -> None:
    """Case 25, as the application, as an operator, as a reader."""
    session, names = session_as(role), tables(engine, APPEND_ONLY)
    assert {name: attempt(session, name, what) for name in names} == dict.fromkeys(names, "42501")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_delete_truncate_or_put_triggers_on_anything(
    engine: Session, role: str
) -> None:
    rows = engine.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')"
        " AND relnamespace = current_schema()::regnamespace"
        " AND has_table_privilege(%s, oid, 'DELETE, TRUNCATE, TRIGGER, REFERENCES, MAINTAIN')",
        (f"tradewright_{role}",),
    ).fetchall()
    assert rows == []


def test_every_table_is_read_by_every_role_and_written_by_no_reader(engine: Session) -> None:
    rows = engine.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition"
        " AND relnamespace = current_schema()::regnamespace AND NOT ("
        " has_table_privilege('tradewright_app', oid, 'SELECT')"
        " AND has_table_privilege('tradewright_operator', oid, 'SELECT')"
        " AND has_table_privilege('tradewright_reader', oid, 'SELECT')"
        " AND NOT has_table_privilege('tradewright_reader', oid, 'INSERT, UPDATE'))"
    ).fetchall()
    assert rows == []


def test_rights_are_what_the_view_says_after_all_migrations(engine: Session) -> None:
    """A later migration that adds a table has to give the rights again."""
    said = {
        (table, role, what, column)
        for table, role, rights in engine.execute(
            "SELECT table_name, role_name, rights FROM engine_rights"
        )
        for what, *columns in (re.split(r"[ ,()]+", right.rstrip(")")) for right in rights)
        for column in columns or [None]
    }
    given = engine.execute(
        "SELECT r.table_name, r.role_name, g.privilege_type, g.column_name FROM engine_rights AS r"
        " CROSS JOIN LATERAL (SELECT a.privilege_type, NULL, a.grantee FROM pg_class AS c,"
        " aclexplode(c.relacl) AS a WHERE c.oid = r.table_id UNION ALL"
        " SELECT a.privilege_type, c.attname, a.grantee FROM pg_attribute AS c,"
        " aclexplode(c.attacl) AS a WHERE c.attrelid = r.table_id"
        ") AS g (privilege_type, column_name, grantee)"
        " WHERE g.grantee = to_regrole(engine_role(r.role_name))"
    ).fetchall()
    assert set(given) == said
    assert ("accounts", "app", "UPDATE", "balance") in said


def test_nobody_else_may_call_any_function(engine: Session) -> None:
    rows = engine.execute(
        "SELECT p.oid::regprocedure FROM pg_proc AS p, aclexplode(coalesce(p.proacl,"
        " acldefault('f', p.proowner))) AS g WHERE g.grantee = 0"
        " AND p.pronamespace = current_schema()::regnamespace"
    ).fetchall()
    assert rows == []


def test_functions_of_their_owner_are_few_and_pin_their_search_path(engine: Session) -> None:
    rows = engine.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        " AND prosecdef AND array_to_string(proconfig, ' ') LIKE '%search_path=%pg_temp%'"
        " ORDER BY 1"
    ).fetchall()
    owners = value(
        engine,
        "SELECT count(*) FROM pg_proc WHERE prosecdef"
        " AND pronamespace = current_schema()::regnamespace",
    )
    assert [row[0] for row in rows] == [
        "announce_state",
        "audit_row_change",
        "block_denied_accounts",
        "premake_audit_log_partitions",
        "prune_records",
        "prune_view_refreshes",
        "queue_for_wallet",
        "refresh_reporting_view",
        "roll_up_exposures",
        "roll_up_house_balances",
        "seal_audit_log",
        "seal_ledger",
        "seal_records",
    ]
    assert owners == len(rows)


@pytest.mark.parametrize(
    "statement",
    [
        (
            "INSERT INTO audit_log (actor, table_name, row_id, action, changes)"
            " VALUES ('ann', 'users', uuidv7(), 'insert', '{}')"
        ),
        "INSERT INTO ledger_seals SELECT * FROM ledger_seals",
        "INSERT INTO record_seals SELECT * FROM record_seals",
        "SELECT seal_records()",
        "INSERT INTO audit_seals SELECT * FROM audit_seals",
        "INSERT INTO outbox_events SELECT * FROM outbox_events",
        "INSERT INTO payment_transitions VALUES ('deposit', 'failed', 'succeeded')",
        "UPDATE house_balances SET received = 0",
        "INSERT INTO exposure_totals (symbol, net) VALUES ('EURUSD', 1)",
        "DELETE FROM exposure_changes",
        "UPDATE payment_limits SET amount_max = 1e9",
        "UPDATE users SET kyc_level = 4",
        "INSERT INTO users (email, kyc_level) VALUES ('a@b.example', 4)",
        "INSERT INTO users (email, client_class) VALUES ('a@b.example', 'professional')",
        "UPDATE accounts SET leverage = 500",
        "UPDATE accounts SET group_code = 'standard'",
        "UPDATE accounts SET book = 'A'",
        "UPDATE accounts SET status = 'active'",
        "UPDATE accounts SET stop_out_level = 1",
        "UPDATE accounts SET balance = balance, user_id = user_id",
        "INSERT INTO accounts (id, book) SELECT id, 'A' FROM accounts",
        "INSERT INTO accounts (id, balance) SELECT id, 1e6 FROM accounts",
        "INSERT INTO routing_overrides SELECT * FROM routing_overrides",
        "INSERT INTO user_roles (user_id, role) SELECT id, 'payments_officer' FROM users",
        "UPDATE instruments SET leverage_max = 500",
        "SELECT seal_ledger()",
        "SELECT premake_audit_log_partitions(24)",
        "SELECT prune_records()",
        "INSERT INTO audit_holds (actor, reason) VALUES ('x', 'x')",
        "UPDATE audit_retention SET months_online = 1",
        "UPDATE audit_archives SET state = 'purged'",
        "SELECT drop_archived_month('2020-01-01')",
        "SELECT grant_engine_rights()",
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE balance_ledger DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_may_not(
    engine: Session, session_as: Callable[[str], Session], statement: str
) -> None:
    play(engine)
    with pytest.raises(psycopg.Error) as caught:
        session_as("app").execute(statement.encode())
    assert caught.value.sqlstate == "42501"


def test_a_temporary_table_does_not_stand_in_for_a_real_one(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    """A guard that looked into it would let money out of nothing."""
    cast, session = play(engine), session_as("app")
    session.execute("CREATE TEMPORARY TABLE balance_ledger AS TABLE balance_ledger")
    session.execute("UPDATE pg_temp.balance_ledger SET version = version + 1")
    with pytest.raises(psycopg.Error) as caught:
        session.execute(
            "UPDATE user_balances SET version = version + 1 WHERE holder_id = %s",
            (cast.wallet_id,),
        )
    assert caught.value.sqlstate == "TW013"
    session.execute("DROP TABLE pg_temp.balance_ledger")


def test_a_client_whom_the_application_opens_is_retail_and_unverified(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    """Whoever holds the application may open clients, on the terms of a stranger."""
    app = session_as("app")
    app.execute("INSERT INTO users (email) VALUES ('a@b.example')")
    user_id = str(value(app, "SELECT id FROM users WHERE email = 'a@b.example'"))
    account_id = open_account(app, user_id)
    user = app.execute("SELECT client_class, kyc_level FROM users WHERE id = %s", (user_id,))
    assert user.fetchone() == ("retail", 0)
    account = app.execute("SELECT group_code, book FROM accounts WHERE id = %s", (account_id,))
    assert account.fetchone() == ("standard", "B")


def test_the_engine_books_orders_as_the_application(floor: Floor, log_in: LogIn) -> None:
    account_id, passed_on = floor.account("10000"), floor.account("10000", book=Book.A)
    poor = floor.account("4000")
    floor.conninfo = log_in("app")
    with floor.engine() as engine:
        opened = deal(engine, buy(account_id))
        closed = deal(engine, sell(account_id))
        resting = deal(engine, buy(account_id, limit_price="0.9"))
        deal(engine, buy(passed_on))
        deal(engine, buy(poor))
        floor.quote(engine, "EURUSD", "1.04000", "1.04010")
    assert [opened.status, closed.status] == [OrderStatus.FILLED, OrderStatus.FILLED]
    assert resting.status is OrderStatus.NEW
    assert floor.position(passed_on) == 100_000
    assert floor.one("SELECT forgiven FROM stop_outs WHERE account_id = %s", poor) > 0
    assert floor.broken_laws() == {}


ADVISORY_NAMES = (
    "tradewright.reference_version",
    "tradewright.hedging.EURUSD",
    "house_holder",
    "roll_up_house_balances",
    "seal_ledger",
    "seal_audit_log",
)
LOCKED_TABLES = (
    *("reference_version", "hedges", "house_accounts", "house_balances", "exposure_totals"),
    *("ledger_seals", "record_seals", "turns", "audit_log"),
)


def test_a_reader_cannot_stop_trading_by_any_lock_that_it_may_take(
    floor: Floor, log_in: LogIn
) -> None:
    account_id = floor.account("10000")
    with floor.engine() as engine, connect(log_in("reader")) as reader, reader.transaction():
        for name in ADVISORY_NAMES:
            reader.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (name,))
        for table in (*LOCKED_TABLES, "accounts", "orders", "instruments"):
            reader.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE".encode())
        opened = deal(engine, buy(account_id))
        floor.session.execute("SET lock_timeout = '5s'")
        floor.session.execute("UPDATE instruments SET is_tradable = false")
        denied = deal(engine, buy(account_id))
        sealing.seal(floor.session)
        ledger.roll_up_house_balances(floor.session)
        roll_up_exposures(floor.session)
    assert opened.status is OrderStatus.FILLED
    assert denied.refusal_code is ErrorCode.INSTRUMENT_NOT_TRADABLE


@pytest.mark.parametrize("statement", ["LOCK TABLE {} IN ROW SHARE MODE", "TABLE {} FOR KEY SHARE"])
@pytest.mark.parametrize("table", LOCKED_TABLES)
def test_a_reader_cannot_lock_what_the_house_waits_for(
    session_as: Callable[[str], Session], table: str, statement: str
) -> None:
    reader = session_as("reader")
    with pytest.raises(psycopg.Error) as caught, reader.transaction():
        reader.execute(statement.format(table).encode())
    assert caught.value.sqlstate == "42501"


def test_payments_go_their_way_as_the_application(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    app, officer_id = session_as("app"), open_user(engine, role="payments_officer")
    user_id, deposit_id, withdrawal_id = open_user(engine), new_id_text(), new_id_text()
    with app.transaction():
        paid_in = payments.deposit(
            app, payment_id=deposit_id, user_id=user_id, currency="USD", amount=Decimal(900)
        )
        payments.request_withdrawal(
            app, payment_id=withdrawal_id, user_id=user_id, currency="USD", amount=Decimal(50)
        )
    order = ClaimOrder(
        claim_id=new_id_text(), kind=ClaimKind.REFUND, amount=Decimal(100), reason="asked"
    )
    with app.transaction():
        if payments.find_payment(app, withdrawal_id).status is PaymentStatus.REQUIRES_APPROVAL:
            payments.approve_payment(app, withdrawal_id, officer_id)
        paid_out = payments.complete_withdrawal(app, withdrawal_id)
    by_card = deposited(app, user_id)
    with app.transaction():
        payments.request_refund(app, order, payment_id=by_card.id, officer_id=officer_id)
    assert (paid_in.status, paid_out.status) == (PaymentStatus.SUCCEEDED, PaymentStatus.SUCCEEDED)
    assert value(app, "SELECT available FROM user_balances WHERE user_id = %s", user_id) == 850
    assert value(app, "SELECT count(*) FROM outbox_events") > 4  # type: ignore[operator]
    audit.require_laws(audit.check_laws(app))


def test_the_ledger_works_for_the_application(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    app = session_as("app")
    user_id = open_user(engine)
    open_wallet(app, user_id, "100")
    account_id = open_account(app, user_id)
    ledger.transfer_to_account(app, account_id, Decimal(40), transaction_id=new_id_text())
    hold = ledger.reserve(
        app, user_id, "USD", Decimal(30), transaction_id=new_id_text(), purpose="order"
    )
    ledger.capture(app, str(hold.hold_id), transaction_id=new_id_text(), amount=Decimal(10))
    ledger.release(app, str(hold.hold_id), transaction_id=new_id_text())
    exchange = Exchange(
        from_currency="USD",
        to_currency="EUR",
        amount=Decimal(5),
        mid_rate=Decimal("0.9"),
        spread=Decimal("0.01"),
    )
    ledger.exchange(app, user_id, exchange, transaction_id=new_id_text())
    assert ledger.expire_holds(app).released == 0
    audit.require_laws(audit.check_laws(app))


def test_an_operator_seals_rolls_up_and_makes_partitions(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    play(engine)
    operator = session_as("operator")
    assert sealing.seal(operator) > (0, 0)
    ledger.roll_up_house_balances(operator)
    assert value(operator, "SELECT premake_audit_log_partitions(14)") == 2
    assert sealing.verify(operator).is_good
    assert audit.verify(operator).is_good


def test_a_reader_verifies_and_checks_the_laws(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    play(engine)
    sealing.seal(engine)
    reader = session_as("reader")
    assert sealing.verify(reader).is_good
    audit.require_laws(audit.check_laws(reader))


def test_a_day_is_traded_by_an_operator(log_in: LogIn) -> None:
    """An operator may list what is traded, and all that the application may."""
    options = DayOptions(quotes=None, traders=5, orders=60, seed=4, keep=None, resume=False)
    plan = plan_day(options)
    house = House(log_in("operator"), None)
    summary = run_day(house, plan, open_progress(options), tag="roles", on_turn=lambda *_: None)
    assert summary.is_sound
    assert summary.orders > 0


def test_each_broker_has_roles_of_its_own(database: str) -> None:
    """Two schemas of one database, the second with a prefix that it was given."""
    migrations = migrate.find_migrations(migrate.our_migrations())
    with connect(database, autocommit=True) as session:
        for schema, prefix in (("north", None), ("south", "southern broker")):
            text = "ALTER DATABASE {} SET app.role_prefix = {}"
            name = sql.Identifier(session.info.dbname)
            session.execute(sql.SQL(text).format(name, sql.Literal(prefix or "")))
            migrate.up(migrate.Target(conninfo=database, schema=schema), migrations)
        holders = session.execute(
            "SELECT nspname, array_agg(DISTINCT g.grantee::regrole::text) FROM pg_namespace AS n,"
            " pg_class AS c, aclexplode(c.relacl) AS g WHERE n.oid = c.relnamespace"
            " AND relname = 'trades' AND nspname IN ('north', 'south') AND g.grantee <> c.relowner"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert holders == [
            ("north", ["north_app", "north_operator", "north_reader"]),
            ("south", [f'"southern broker_{role}"' for role in ROLES]),
        ]
        migrate.down(migrate.Target(conninfo=database, schema="south"), migrations, to=0)
        left = {row[0] for row in session.execute("SELECT rolname FROM pg_roles")}
        assert left & {f"southern broker_{role}" for role in ROLES} == set()
        session.execute("CREATE ROLE a_reader IN ROLE north_reader")
        text = "ALTER DATABASE {} RESET app.role_prefix"
        session.execute(sql.SQL(text).format(sql.Identifier(session.info.dbname)))
        migrate.down(migrate.Target(conninfo=database, schema="north"), migrations, to=0)
        left = {row[0] for row in session.execute("SELECT rolname FROM pg_roles")}
        assert left & {f"north_{role}" for role in ROLES} == {"north_reader"}
        session.execute("DROP ROLE a_reader")
        session.execute("DROP ROLE north_reader")


def test_a_role_that_another_database_needs_stays(
    server: EmbeddedServer, engine: Session, database: str
) -> None:
    migrate_engine(database)
    target = migrate.Target(conninfo=database, schema="tradewright")
    migrate.down(target, migrate.find_migrations(migrate.our_migrations()), to=0)
    assert value(engine, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^tradewright_'") == 3


def test_what_a_role_may_not_is_told_as_such(session_as: Callable[[str], Session]) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_wallet(session_as("reader"), new_id_text())
    assert caught.value.code == ErrorCode.DATABASE_PERMISSION_DENIED
