"""One real PostgreSQL per test session (one per xdist worker), one fresh database per test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.floor import Floor
from tradewright import migrate
from tradewright.postgres.binaries import ROOT_HOME, programs_folder, server_user
from tradewright.postgres.connect import DEFAULT_SCHEMA, ConnectOptions, Session, connect
from tradewright.postgres.embedded import EmbeddedServer

_NUMBERS = count(1)
_LOGINS = count(1)
_ENGINE_TEMPLATE = "engine_template"

OpenSession = Callable[[], Session]
"""Opens one more session on the engine's database of this test; closed after the test."""

LogIn = Callable[[str], str]
"""Makes somebody who is a member of a role; returns the connection string."""


_MEMORY = Path("/dev/shm")  # noqa: S108 (the kernel's file system in memory)
_MEMORY_BYTES_MIN = 6_000_000_000


def pytest_configure() -> None:
    """Let temporary folders, and with them most servers, live in memory where there is enough.

    Creating a database is creating a thousand files, and on a busy disk each test waits for that.
    Nothing here outlives the machine; a server that is killed loses no page it has written on
    either file system. TMPDIR decides when it is set.
    """
    if "TMPDIR" not in os.environ and _has_memory():
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def _has_memory() -> bool:
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return False
    facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(facts["MemAvailable"].removesuffix("kB")) * 1024
    return min(shutil.disk_usage(_MEMORY).free, available) >= _MEMORY_BYTES_MIN


def pytest_report_header() -> str:
    program = programs_folder(server_user()) / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session", autouse=True)
def _no_homes_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remove at the end what servers of root in our temporary folders have kept elsewhere."""
    yield
    for record in ROOT_HOME.glob("*/folder"):
        if Path(os.fsdecode(record.read_bytes())).is_relative_to(tmp_path_factory.getbasetemp()):
            shutil.rmtree(record.parent)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """Run the server of this test session; tests that stop or kill one make their own.

    It never waits for the disk: nothing here outlives the machine. Its log stays small, because
    it may stand in memory.
    """
    settings = {"fsync": "off", "max_wal_size": "256MB", "wal_recycle": "off"}
    with EmbeddedServer.temporary(settings) as running:
        yield running


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[str]:
    """Give the connection string of an empty database, dropped after the test."""
    name = f"test_{next(_NUMBERS)}"
    server.create_database(name)
    yield server.conninfo(name)
    server.drop_database(name)


@pytest.fixture(scope="session")
def engine_template(server: EmbeddedServer) -> str:
    """Migrate one database to the top, for the others to be copied from."""
    server.create_database(_ENGINE_TEMPLATE)
    migrate_engine(server.conninfo(_ENGINE_TEMPLATE))
    return _ENGINE_TEMPLATE


def migrate_engine(conninfo: str) -> None:
    """Apply all migrations to an empty database."""
    target = migrate.Target(conninfo=conninfo, schema=DEFAULT_SCHEMA)
    migrate.up(target, migrate.find_migrations(migrate.our_migrations()))


@pytest.fixture
def engine_database(server: EmbeddedServer, engine_template: str) -> Iterator[str]:
    """Give the connection string of a database with the engine's schema, dropped after the test."""
    name = f"engine_{next(_NUMBERS)}"
    server.create_database(name, template=engine_template)
    yield server.conninfo(name)
    server.drop_database(name)


@pytest.fixture
def open_session(engine_database: str) -> Iterator[OpenSession]:
    """Give a function that opens sessions on the engine's database as the server's superuser."""
    with ExitStack() as opened:
        options: ConnectOptions = {"autocommit": True}
        yield lambda: opened.enter_context(connect(engine_database, **options))


@pytest.fixture
def engine(open_session: OpenSession) -> Session:
    """Give one session on the engine's database, in autocommit."""
    return open_session()


@pytest.fixture
def log_in(engine_database: str, engine: Session) -> Iterator[LogIn]:
    """Give a function that makes somebody who is a member of a role."""
    made: list[str] = []

    def member(role: str) -> str:
        made.append(f"member_{next(_LOGINS)}")
        text = "CREATE ROLE {} LOGIN PASSWORD 'secret' IN ROLE {}"
        names = sql.Identifier(made[-1]), sql.Identifier(f"tradewright_{role}")
        engine.execute(sql.SQL(text).format(*names))
        return make_conninfo(engine_database, user=made[-1], password="secret")

    yield member
    for name in made:
        engine.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def session_as(log_in: LogIn) -> Iterator[Callable[[str], Session]]:
    """Give a function that opens a session of a member of a role."""
    with ExitStack() as opened:
        yield lambda role: opened.enter_context(connect(log_in(role), autocommit=True))


@pytest.fixture
def floor(engine_database: str, engine: Session) -> Floor:
    """Give the engine's database of this test with pairs and two steady providers listed."""
    return Floor.opened(engine_database, engine)
