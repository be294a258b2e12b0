"""Behind a real PgBouncer: session mode works, transaction mode is refused with the reason.

Runs where a `pgbouncer` is installed (or PGBOUNCER names one).
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import Target, down, find_migrations, up
from tradewright.postgres.binaries import server_user, short_temporary_folder
from tradewright.postgres.connect import connect

Write = Callable[..., Path]

PROGRAM = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer is installed")

FILES = {
    "_001_a": "CREATE TABLE a (id int);",
    "_001_a__down": "DROP TABLE a;",
    "_002_b": "CREATE INDEX CONCURRENTLY idx_a_id ON a (id);",
    "_002_b__down": "DROP INDEX CONCURRENTLY idx_a_id;",
}


@contextmanager
def _pooled(conninfo: str, mode: str) -> Iterator[str]:
    """Run a PgBouncer in `mode` before the database and give the way through it."""
    server = conninfo_to_dict(conninfo)
    user = server_user()
    folder = short_temporary_folder(user)
    (folder / "users").write_text(f'"{server["user"]}" "{server["password"]}"\n')
    (folder / "ini").write_text(
        "[databases]\n"
        f"* = host={server['host']} port={server['port']}\n"
        "[pgbouncer]\n"
        f"pool_mode = {mode}\n"
        "listen_port = 6432\n"
        f"unix_socket_dir = {folder}\n"
        "auth_type = scram-sha-256\n"
        f"auth_file = {folder}/users\n",
    )
    for name in ("users", "ini"):
        user.own(folder / name)
    pooler = subprocess.Popen(
        [str(PROGRAM), str(folder / "ini")],
        user=user.uid,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    through = make_conninfo(conninfo, host=str(folder), port=6432)
    try:
        _wait_for(through)
        yield through
    finally:
        pooler.terminate()
        pooler.wait(10)
        shutil.rmtree(folder)


def _wait_for(conninfo: str) -> None:
    deadline = monotonic_seconds() + 10
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            assert monotonic_seconds() < deadline
            pause(0.05)
        else:
            return


def test_a_session_pool_applies_and_rolls_back(write: Write, database: str) -> None:
    migrations = find_migrations(write(**FILES))
    with _pooled(database, "session") as through:
        target = Target(conninfo=through, schema="shop")
        assert len(up(target, migrations)) == 2
        assert len(down(target, migrations, to=0)) == 2


def test_a_session_through_a_pool_keeps_its_settings(database: str) -> None:
    with (
        _pooled(database, "session") as through,
        connect(through, schema="shop", autocommit=True) as session,
    ):
        shown = session.execute("SHOW search_path").fetchone()
    assert shown == ('"shop", pg_temp',)


def test_a_transaction_pool_is_refused_before_anything_runs(write: Write, database: str) -> None:
    migrations = find_migrations(write(**FILES))
    with _pooled(database, "transaction") as through:
        target = Target(conninfo=through, schema="shop")
        with pytest.raises(MigrationError) as caught:
            up(target, migrations)
        assert caught.value.code == ErrorCode.MIGRATION_POOLED
        assert "transaction mode" in caught.value.what
    with connect(database) as session:
        assert session.execute("SELECT to_regnamespace('shop')").fetchone() == (None,)
