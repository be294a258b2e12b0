"""A shadow: a scratch server with a database like the target's, where trying costs nothing.

It starts empty, or holds the schema and history of the target, but never its users' rows. It runs
on this machine; from the real server pg_dump reads the catalog only.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from psycopg import sql

from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.migrate.model import PlannedFile, Target
from tradewright.migrate.service import run_planned
from tradewright.migrate.store import Store
from tradewright.postgres.connect import NO_LIMITS, Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.programs import without_secrets

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "20",
}


@contextmanager
def empty_shadow(target: Target) -> Iterator[Target]:
    """Give a target like `target` in an empty database that has the same roles."""
    with _scratch_server(target) as server:
        yield _empty_database(server, target, "shadow")


@contextmanager
def shadow_copy(target: Target, applied: Sequence[PlannedFile]) -> Iterator[Target]:
    """Give a target whose database has the schema and history of `target`, without its rows.

    Only the rows that the `applied` files themselves wrote (currencies, limits, settings) are
    there, because later files may refer to them; they come from running those files once more.

    Raises:
        DatabaseError: DATABASE_SHADOW_FAILED with what pg_dump or psql said.

    """
    with _scratch_server(target) as server:
        seeds = _empty_database(server, target, "seeds")
        run_planned(seeds, applied)
        shadow = _empty_database(server, target, "shadow")
        _restore(shadow, _dump(target, "--section=pre-data"))
        rows = _dump(seeds, "--section=data", "--exclude-table=*.schema_migrations")
        _restore(shadow, rows, strict=False)
        _copy_history(target, shadow)
        _restore(shadow, _dump(target, "--section=post-data"))
        yield shadow


@contextmanager
def scratch_server() -> Iterator[EmbeddedServer]:
    """Run a server for trying things; it is stopped and removed on leaving."""
    with EmbeddedServer.temporary(_SETTINGS, is_scratch=True) as server:
        yield server


@contextmanager
def _scratch_server(target: Target) -> Iterator[EmbeddedServer]:
    with scratch_server() as server:
        everywhere = replace(target, conninfo=server.conninfo())
        with _session(target) as real, _session(everywhere) as copy:
            _copy_roles(real, copy)
        yield server


def _empty_database(server: EmbeddedServer, target: Target, name: str) -> Target:
    server.create_database(name)
    return replace(target, conninfo=server.conninfo(name))


def _dump(target: Target, *options: str) -> str:
    program = EmbeddedServer.programs() / "pg_dump"
    command = [str(program), "--no-owner", "--no-tablespaces", *options]
    return run_client(command, target.conninfo)


def _restore(shadow: Target, dumped: str, *, strict: bool = True) -> None:
    """Run a dump; when not strict, leave out what a table that has drifted cannot hold."""
    program = EmbeddedServer.programs() / "psql"
    stop = f"--set=ON_ERROR_STOP={int(strict)}"
    run_client([str(program), "-X", "--quiet", stop], shadow.conninfo, given=dumped)


def _copy_roles(real: Session, copy: Session) -> None:
    """Make the roles that grants and policies may name; they cannot log in."""
    store = Store("unused")
    known = set(store.role_names(copy))
    for name in store.role_names(real):
        if name not in known:
            copy.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))


def _copy_history(target: Target, shadow: Target) -> None:
    store = Store(target.schema)
    with _session(target) as real, _session(shadow) as copy:
        if not store.exists(real):
            return
        with (
            real.cursor().copy(store.query("history_out")) as out,
            copy.cursor().copy(store.query("history_in")) as into,
        ):
            for block in out:
                into.write(block)


@contextmanager
def _session(target: Target) -> Iterator[Session]:
    session = connect(target.conninfo, schema=target.schema, autocommit=True, limits=NO_LIMITS)
    try:
        yield session
    finally:
        session.close()


def run_client(command: list[str], conninfo: str, *, given: str | None = None) -> str:
    """Run one of PostgreSQL's client programs; the password goes by its environment.

    Raises:
        DatabaseError: DATABASE_SHADOW_FAILED with what the program said.

    """
    place, secret = without_secrets(conninfo)
    done = subprocess.run(
        [*command, f"--dbname={place}"],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **secret},
    )
    if done.returncode != 0:
        raise DatabaseError(
            ErrorCode.DATABASE_SHADOW_FAILED,
            "the shadow of the database could not be made",
            why=done.stderr.strip(),
            hint="An extension that the embedded server lacks cannot be copied; rehearse on a "
            "restored backup of the real server instead.",
        )
    return done.stdout
