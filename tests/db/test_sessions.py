"""Sessions, pools, retries, named queries and translated refusals, on a real server."""

import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.cast import value
from tradewright.core.errors import (
    DatabaseError,
    ErrorCode,
    InputError,
    InternalError,
    RetryableError,
)
from tradewright.postgres.connect import Limits, Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.pool import open_pool
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import run_transaction, same_connection


def _show(connection: Session, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_a_session_has_its_schema_zone_deadlines_and_planner_settings(database: str) -> None:
    limits = Limits(lock_timeout_ms=1234)
    with connect(database, schema='odd"name', limits=limits, writer=True) as connection:
        assert not connection.autocommit
        assert _show(connection, "search_path") == '"odd""name", pg_temp'
        assert _show(connection, "TimeZone") == "UTC"
        assert _show(connection, "lock_timeout") == "1234ms"
        assert _show(connection, "transaction_timeout") == "1min"
        assert _show(connection, "plan_cache_mode") == "force_generic_plan"
        connection.rollback()
        assert _show(connection, "lock_timeout") == "1234ms"


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        connect(f"host={tmp_path} user=u password=sesame dbname=d")
    assert caught.value.code == ErrorCode.DATABASE_UNREACHABLE
    assert str(tmp_path) in caught.value.what
    assert "sesame" not in str(caught.value.as_dict())
    assert caught.value.hint.startswith("Check")


def test_a_wrong_password_is_refused_without_being_shown(database: str) -> None:
    wrong = psycopg.conninfo.make_conninfo(database, password="sesame")
    with pytest.raises(DatabaseError) as caught:
        connect(wrong)
    assert "password authentication failed" in caught.value.why
    assert "sesame" not in str(caught.value.as_dict())


def test_a_short_password_hides_no_other_words_and_one_with_an_at_is_not_shown(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatabaseError) as caught:
        connect(f"host={tmp_path} user=u password=o dbname=d")
    assert "No such file" in caught.value.why
    with pytest.raises(DatabaseError) as caught:
        connect("postgresql://u:secret@sesame@127.0.0.1:1/d")
    assert "sesame" not in str(caught.value.as_dict())
    assert "127.0.0.1:1" in caught.value.what


@pytest.mark.parametrize("url", ["sesame", "postgresql://u:ses ame@h/d", "host=h password='sesame"])
def test_a_malformed_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(InputError) as caught:
        connect(url)
    assert caught.value.code == ErrorCode.INPUT_DATABASE_URL_MALFORMED
    assert "ame" not in caught.value.what
    assert caught.value.__suppress_context__


def test_an_old_server_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradewright.postgres.connect.SERVER_VERSION_MIN", 990000)
    with pytest.raises(DatabaseError) as caught:
        connect(database)
    assert caught.value.code == ErrorCode.DATABASE_TOO_OLD


def test_pooled_sessions_are_prepared_and_survive_a_lost_backend(database: str) -> None:
    with open_pool(database, size=1, schema="here") as pool:
        with pool.connection() as connection:
            first = connection.info.backend_pid
            assert _show(connection, "search_path") == '"here", pg_temp'
        with connect(database, autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))
        with pool.connection() as connection:
            assert connection.info.backend_pid != first
            assert _show(connection, "search_path") == '"here", pg_temp'


def test_a_pool_on_an_unreachable_server_gives_up_with_our_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_pool(f"host={tmp_path}", connect_timeout_seconds=1)
    assert caught.value.code == ErrorCode.DATABASE_UNREACHABLE


def _two_accounts(database: str) -> None:
    with connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA tradewright")
        connection.execute("CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)")
        connection.execute("INSERT INTO accounts VALUES (1, 10), (2, 10)")


def _balances(database: str) -> list[int]:
    with connect(database) as connection:
        rows = connection.execute("SELECT balance FROM accounts ORDER BY id").fetchall()
    return [row[0] for row in rows]


def test_a_lost_update_under_repeatable_read_is_run_again(database: str) -> None:
    _two_accounts(database)
    runs = 0

    def work(connection: Session) -> None:
        nonlocal runs
        runs += 1
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT balance FROM accounts")
        if runs == 1:
            with connect(database) as other:
                other.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 1")
        connection.execute("UPDATE accounts SET balance = balance + 5 WHERE id = 1")

    with connect(database) as connection:
        run_transaction(same_connection(connection), work)
    assert runs == 2
    assert _balances(database) == [16, 10]


def test_conflicts_end_after_the_last_attempt_with_a_retryable_error(database: str) -> None:
    _two_accounts(database)
    runs = 0

    def work(connection: Session) -> None:
        nonlocal runs
        runs += 1
        connection.execute("SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE NOWAIT")

    with connect(database) as holder, connect(database) as connection:
        holder.execute("SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE")
        with pytest.raises(RetryableError) as caught:
            run_transaction(same_connection(connection), work, attempts=3)
    assert caught.value.code == ErrorCode.DATABASE_LOCK_TIMEOUT
    assert runs == 3


def test_a_session_lost_before_commit_is_replaced_and_the_work_runs_again(database: str) -> None:
    _two_accounts(database)
    runs = 0

    def work(connection: Session) -> None:
        nonlocal runs
        runs += 1
        connection.execute("UPDATE accounts SET balance = balance + 5 WHERE id = 1")
        if runs == 1:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with open_pool(database, size=1) as pool:
        run_transaction(pool.connection, work)
    assert _balances(database) == [15, 10]


@pytest.mark.parametrize(("idempotent", "runs_expected"), [(False, 1), (True, 2)])
def test_a_session_lost_during_commit_is_run_again_only_when_that_does_no_harm(
    database: str,
    *,
    idempotent: bool,
    runs_expected: int,
) -> None:
    _two_accounts(database)
    with connect(database, autocommit=True) as connection:
        connection.execute(
            """
            CREATE SEQUENCE deaths;
            CREATE FUNCTION die_once() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('deaths') = 1 THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER die AFTER UPDATE ON accounts
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die_once();
            """,
        )
    runs = 0

    def work(connection: Session) -> None:
        nonlocal runs
        runs += 1
        connection.execute("UPDATE accounts SET balance = 7 WHERE id = 1")

    with open_pool(database, size=1) as pool:
        if idempotent:
            run_transaction(pool.connection, work, idempotent=True)
        else:
            with pytest.raises(DatabaseError) as caught:
                run_transaction(pool.connection, work)
            assert caught.value.code == ErrorCode.DATABASE_OUTCOME_UNKNOWN
    assert runs == runs_expected


def test_an_error_of_the_work_itself_rolls_back_and_is_not_run_again(database: str) -> None:
    _two_accounts(database)

    def work(connection: Session) -> None:
        connection.execute("UPDATE accounts SET balance = 0")
        raise LookupError

    with connect(database) as connection, pytest.raises(LookupError):
        run_transaction(same_connection(connection), work)
    assert _balances(database) == [10, 10]


def test_a_deadlock_is_run_again_and_both_transactions_commit(database: str) -> None:
    _two_accounts(database)
    with connect(database) as other, connect(database) as connection:
        other.execute("SET deadlock_timeout = '10s'")
        connection.execute("SET deadlock_timeout = '50ms'")
        connection.commit()
        other.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2")
        runs = 0

        def work(session: Session) -> None:
            nonlocal runs
            runs += 1
            session.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 1")
            if runs == 1:
                other.pgconn.send_query(b"UPDATE accounts SET balance = balance + 1 WHERE id = 1")
                _until_waiting(database, other.info.backend_pid)
            if runs == 2:
                while (result := other.pgconn.get_result()) is not None:
                    assert result.status == psycopg.pq.ExecStatus.COMMAND_OK
                other.commit()
            session.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2")

        # The first run's own update of row 1 is released by its rollback, which lets `other` on.
        def careful(session: Session) -> None:
            nonlocal runs
            if runs == 1:
                while (result := other.pgconn.get_result()) is not None:
                    assert result.status == psycopg.pq.ExecStatus.COMMAND_OK
                other.commit()
            work(session)

        run_transaction(same_connection(connection), careful)
    assert runs == 2
    assert _balances(database) == [12, 12]


def _until_waiting(database: str, backend_pid: int) -> None:
    with connect(database, autocommit=True) as watcher:
        for _ in range(500):
            row = watcher.execute(
                "SELECT wait_event_type = 'Lock', pg_sleep(0.01) FROM pg_stat_activity"
                " WHERE pid = %s",
                (backend_pid,),
            ).fetchone()
            if row is not None and row[0]:
                return
    pytest.fail("the other session never waited")


def _refused(connection: Session, statement: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    return caught.value


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT 1 / 0", ErrorCode.DATABASE_VALUE_REFUSED),
        ("INSERT INTO accounts VALUES (1, 1)", ErrorCode.DATABASE_CONSTRAINT_VIOLATED),
        ("SELECT no_such_column", ErrorCode.DATABASE_STATEMENT_FAILED),
        ("SET statement_timeout = 20; SELECT pg_sleep(5)", ErrorCode.DATABASE_TIMEOUT),
        ("BEGIN READ ONLY; DELETE FROM accounts", ErrorCode.DATABASE_READ_ONLY),
        ("SET ROLE pg_monitor; DELETE FROM accounts", ErrorCode.DATABASE_PERMISSION_DENIED),
    ],
)
def test_refusals_are_told_apart_by_their_state(
    database: str,
    statement: str,
    code: ErrorCode,
) -> None:
    _two_accounts(database)
    with connect(database, autocommit=True) as connection:
        connection.execute("GRANT USAGE ON SCHEMA tradewright TO pg_monitor")
        assert translate(_refused(connection, statement)).code == code


def test_a_functions_detail_and_hint_become_why_and_hint(database: str) -> None:
    statement = (
        "DO $$ BEGIN RAISE EXCEPTION 'wallet is short' USING ERRCODE = 'TW999',"
        " DETAIL = 'It holds 1.', HINT = 'Deposit.'; END $$"
    )
    with connect(database, autocommit=True) as connection:
        refusal = translate(_refused(connection, statement))
    assert (refusal.what, refusal.why, refusal.hint) == (
        "wallet is short",
        "It holds 1.",
        "Deposit.",
    )
    assert refusal.facts["sqlstate"] == "TW999"


def test_a_violated_constraint_is_named_in_the_facts(database: str) -> None:
    _two_accounts(database)
    with connect(database, autocommit=True) as connection:
        refusal = translate(_refused(connection, "INSERT INTO accounts VALUES (1, 1)"))
    assert refusal.facts["constraint"] == "accounts_pkey"
    assert refusal.facts["table"] == "accounts"


def test_the_server_itself_ending_is_a_lost_connection() -> None:
    with EmbeddedServer.temporary({"shared_buffers": "16MB"}) as own:
        connection = connect(own.conninfo(), autocommit=True)
        own.kill()
        assert (
            translate(_refused(connection, "SELECT 1")).code == ErrorCode.DATABASE_CONNECTION_LOST
        )
        connection.close()


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> str:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    (folder / name / "queries.sql").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_named_queries_are_read_without_purpose_and_semicolon(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = _package(
        tmp_path,
        monkeypatch,
        "two_queries",
        """\
        -- Queries of a room.

        -- name: one
        -- Give one.
        SELECT 1;

        -- name: semi
        -- Give a semicolon.
        SELECT
            ';';
        """,
    )
    queries = load_queries(package)
    assert dict(queries) == {"one": "SELECT 1", "semi": "SELECT\n    ';'"}
    with pytest.raises(TypeError):
        queries["three"] = "SELECT 3"  # type: ignore[index]


def test_a_fragment_stands_in_each_query_that_uses_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = _package(
        tmp_path,
        monkeypatch,
        "with_a_fragment",
        """\
        -- name: some
        -- Some pairs.
        SELECT
            -- use: pair,
            %(third)s;

        -- fragment: pair
        -- Two numbers.
            1,
            2

        -- name: pairs
        -- All pairs.
        SELECT
            -- use: pair
        ;
        """,
    )
    assert dict(load_queries(package)) == {
        "some": "SELECT\n    1,\n    2,\n    %(third)s",
        "pairs": "SELECT\n    1,\n    2",
    }


@pytest.mark.parametrize(
    ("label", "text", "why"),
    [
        ("twice", "-- name: a\n-- A.\nSELECT 1;\n-- name: a\n-- A.\nSELECT 2;\n", "twice"),
        ("purposeless", "-- name: a\nSELECT 1;\n", "purpose"),
        ("open_ended", "-- name: a\n-- A.\nSELECT 1\n", "semicolon"),
        ("badly_named", "-- name: A b\n-- A.\nSELECT 1;\n", "snake_case"),
        ("unknown", "-- name: a\n-- A.\nSELECT\n-- use: b\n;\n", "no fragment 'b'"),
        ("unused", "-- fragment: b\n-- B.\n1\n-- name: a\n-- A.\nSELECT 1;\n", "uses"),
        ("purposeless_fragment", "-- fragment: b\n1\n", "purpose"),
        ("like_its_query", "-- fragment: a\n-- A.\n1\n-- name: a\n-- A.\nSELECT 1;\n", "twice"),
    ],
)
def test_a_malformed_query_file_is_a_defect(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    label: str,
    text: str,
    why: str,
) -> None:
    package = _package(tmp_path, monkeypatch, f"malformed_{label}", text)
    with pytest.raises(InternalError) as caught:
        load_queries(package)
    assert why in caught.value.why


def test_numbers_in_documents_come_back_to_the_last_digit(engine: Session) -> None:
    written = "99999999999.99999999"
    assert value(engine, "SELECT jsonb_build_array(%s::numeric, 0.00001)", written) == [
        Decimal(written),
        Decimal("0.00001"),
    ]
