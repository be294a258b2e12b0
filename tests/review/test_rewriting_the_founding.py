"""The founding migrations, rewritten by the command, applied and used on a real server.

What no tool can know is corrected by hand first: an audit log that is partitioned, a trigger on a
table without the column it writes, and an extension that the server lacks. All the rest, the file
of MySQL with its procedure above all, is the rewriting's own work.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tradewright import migrate
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Severity
from tradewright.review.result import review_folder
from tradewright.review.rewrite.conversion import converted
from tradewright.review.rewrite.model import Proposal
from tradewright.review.rewrite.rounds import corrected
from tradewright.review.rewrite.service import fix_folder, write_changes
from tradewright.review.rewrite.tree import Tree
from tradewright.review.settings import Settings

FOUNDING = Path(__file__).parent / "founding"
USER = "0198c5f0-0000-7000-8000-000000000001"


def corrected_by_hand(folder: Path) -> Path:
    shutil.copytree(FOUNDING, folder)
    for path in folder.glob("*.sql"):
        text = path.read_text("utf-8").replace('CREATE EXTENSION IF NOT EXISTS "uuid-ossp";', "")
        path.write_text(text.replace("uuid_generate_v4()", "gen_random_uuid()"), "utf-8")
    audit = folder / "003_add_audit_tables.sql"
    text = audit.read_text("utf-8").replace("    id UUID PRIMARY KEY", "    id UUID NOT NULL", 1)
    begin, _, rest = text.partition("transaction-time-in-audit\n);")
    text = f"{begin}\n) PARTITION BY RANGE (created_at);{rest}"
    trigger = text.index("CREATE TRIGGER update_order_events_updated_at")
    audit.write_text(text[:trigger] + text[text.index("-- Down Migration") :], "utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the founding migrations with the few corrections that only a person can make."""
    return corrected_by_hand(tmp_path_factory.mktemp("founding") / "migrations")


@pytest.fixture(scope="module")
def proposal(folder: Path, server: EmbeddedServer) -> Proposal:
    """Rewrite the folder and write the result into it."""
    offered = fix_folder(folder, server=server)
    write_changes(folder, offered)
    return offered


@pytest.fixture
def target(database: str, folder: Path, proposal: Proposal) -> migrate.Target:
    """Give a database to which the rewritten migrations are applied, each by its runner."""
    target = migrate.Target(conninfo=database, schema="shop")
    migrate.up(target, migrate.find_migrations(folder))
    return target


@pytest.fixture
def session(target: migrate.Target) -> Iterator[Session]:
    with connect(target.conninfo, schema=target.schema, autocommit=True) as opened:
        opened.execute(
            "INSERT INTO users (id, email, password_hash) VALUES (%s, 'a', 'x')", (USER,)
        )
        yield opened


def credit(session: Session, amount: str, *, user: str = USER, payment: str = "t") -> None:
    session.execute("SELECT credit_user_balance(%s, 'USD', %s, %s)", (user, amount, payment))


def test_nothing_critical_is_left(folder: Path, proposal: Proposal) -> None:
    left = review_folder(folder, Settings()).findings
    loud = [f"{f.rule}: {f.message}" for f in left if f.severity is Severity.CRITICAL]
    assert loud == []


def test_each_file_gets_a_way_back(folder: Path, proposal: Proposal) -> None:
    names = {change.path for change in proposal.changes if change.before is None}
    assert names == {f"{path.stem}.down.sql" for path in FOUNDING.glob("*.sql")}


def test_what_the_server_refuses_is_withdrawn_alone_and_said(proposal: Proposal) -> None:
    assert [reason.subject for reason in proposal.withdrawn] == [
        "text-id-among-uuids: payment_limits.id"
    ]
    assert "default-card" in proposal.withdrawn[0].why
    assert proposal.unconverted == ()


def test_a_second_rewriting_finds_only_what_was_withdrawn(folder: Path, proposal: Proposal) -> None:
    tree = Tree.of_folder(folder, Settings())
    assert converted(tree, frozenset(tree.files)).paths == frozenset()
    again = corrected(tree, frozenset(tree.files))
    assert [f"{fix.rule}: {fix.subject}" for fix in again.fixes] == [
        reason.subject for reason in proposal.withdrawn
    ]


def test_the_procedure_credits_a_wallet_and_writes_the_ledger(session: Session) -> None:
    credit(session, "10.000000001", payment="one")
    credit(session, "2.5", payment="two")
    balances = session.execute("SELECT available_balance FROM user_balances").fetchall()
    assert [str(row[0]) for row in balances] == ["12.50000000"]
    ledger = session.execute("SELECT transaction_id, amount FROM balance_ledger ORDER BY id")
    assert [(name, str(amount)) for name, amount in ledger] == [
        ("one", "10.00000000"),
        ("two", "2.50000000"),
    ]


def test_a_credit_to_nobody_is_refused_now(session: Session) -> None:
    nobody = "0198c5f0-0000-7000-8000-000000000002"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        credit(session, "1", user=nobody)


def test_the_default_limit_is_written_once(session: Session, folder: Path) -> None:
    text = (folder / "006_add_payment_tables.sql").read_text("utf-8")
    insert = text[text.index("INSERT INTO payment_limits") :].partition(";")[0]
    session.execute(insert.encode())
    assert session.execute("SELECT count(*) FROM payment_limits").fetchall() == [(1,)]


def test_the_downs_take_everything_back(target: migrate.Target, folder: Path) -> None:
    migrate.down(target, migrate.find_migrations(folder), to=0)
    with connect(target.conninfo, schema=target.schema) as session:
        left = session.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'S') AND relname NOT LIKE 'schema_migrations%%'"
        ).fetchall()
    assert left == []
