"""Away from the comfortable case: ordinary roles, prepared schemas, a server that dies."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.migrate import Target, down, find_migrations, our_migrations, up
from tradewright.migrate.rehearsal import rehearse
from tradewright.migrate.upkeep import find_drift
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

Write = Callable[..., Path]

FILES = {
    "_001_a": "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);",
    "_001_a__down": "DROP TABLE a;",
    "_002_b": "CREATE INDEX CONCURRENTLY i ON a (id);\nINSERT INTO a VALUES (2);",
    "_002_b__down": "DROP INDEX CONCURRENTLY i;\nDELETE FROM a WHERE id = 2;",
}

UP = """
import sys
from tradewright.migrate import Target, find_migrations, our_migrations, up
up(Target(conninfo=sys.argv[1]), find_migrations(our_migrations()))
"""


@pytest.fixture
def clerk(target: Target, session: Session) -> Iterator[Target]:
    """Make a role without any special right and aim as it."""
    session.execute("CREATE ROLE clerk LOGIN PASSWORD 'pen'")
    yield replace(target, conninfo=make_conninfo(target.conninfo, user="clerk", password="pen"))
    session.execute("DROP OWNED BY clerk CASCADE")
    session.execute("DROP ROLE clerk")


def test_an_ordinary_role_that_may_create_schemas_is_enough(
    write: Write,
    clerk: Target,
    session: Session,
) -> None:
    session.execute(f"GRANT CREATE ON DATABASE {session.info.dbname} TO clerk")
    migrations = find_migrations(write(**FILES))
    assert [file.migration.version for file in rehearse(clerk, migrations)] == [1, 2]
    assert len(up(clerk, migrations)) == 2
    assert find_drift(clerk, migrations) == []
    assert len(down(clerk, migrations, to=0)) == 2


def test_a_role_that_owns_a_prepared_schema_needs_no_right_on_the_database(
    write: Write,
    clerk: Target,
    session: Session,
) -> None:
    session.execute("CREATE SCHEMA shop AUTHORIZATION clerk")
    assert len(up(clerk, find_migrations(write(**FILES)))) == 2


def test_a_role_that_may_not_make_the_schema_is_told_so(write: Write, clerk: Target) -> None:
    with pytest.raises(DatabaseError) as caught:
        up(clerk, find_migrations(write(**FILES)))
    assert caught.value.code == ErrorCode.DATABASE_PERMISSION_DENIED


def test_files_that_want_the_public_schema_get_it(write: Write, target: Target) -> None:
    public = replace(target, schema="public")
    folder = write(_001_citext="CREATE EXTENSION citext;\nCREATE TABLE public.names (name citext);")
    up(public, find_migrations(folder))
    with connect(target.conninfo, schema="public") as session:
        assert session.execute("SELECT count(*) FROM schema_migrations").fetchone() == (1,)


@pytest.mark.parametrize("version", [2, 3])
def test_our_migrations_survive_a_server_that_dies_in_the_middle(version: int) -> None:
    """Kill the server while a file waits half-way: 002 runs statement by statement, 003 whole."""
    migrations = find_migrations(our_migrations())
    with EmbeddedServer.temporary({"shared_buffers": "32MB"}) as server:
        target = Target(conninfo=server.conninfo())
        up(target, migrations, to=version - 1)
        holder = connect(server.conninfo())
        holder.execute("LOCK TABLE positions IN SHARE UPDATE EXCLUSIVE MODE")
        victim = subprocess.Popen(
            [sys.executable, "-c", UP, target.conninfo],
            stderr=subprocess.DEVNULL,
        )
        _until_it_waits(server)
        server.kill()
        assert victim.wait(60) != 0
        holder.close()
        server.start()
        up(target, migrations)
        with connect(server.conninfo(), autocommit=True) as session:
            counted = session.execute(
                "SELECT count(*), count(finished_at),"
                " (SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indisready)"
                " FROM schema_migrations",
            ).fetchone()
        assert counted is not None
        assert counted[0] == counted[1] == len(migrations)


def _until_it_waits(server: EmbeddedServer) -> None:
    deadline = monotonic_seconds() + 60
    with psycopg.connect(server.conninfo(), autocommit=True) as watcher:
        while monotonic_seconds() < deadline:
            waiting = watcher.execute(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tradewright migrate'"
                " AND wait_event_type = 'Lock'",
            ).fetchone()
            if waiting:
                return
            pause(0.02)
    pytest.fail("the runner never waited")
