"""One real PostgreSQL per test session (one per xdist worker), one fresh database per test."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.floor import Floor
from tradewright import migrate
from tradewright.postgres.binaries import programs_folder, server_user
from tradewright.postgres.connect import DEFAULT_SCHEMA, ConnectOptions, Session, connect
from tradewright.postgres.embedded import EmbeddedServer

_NUMBERS = count(1)
_ENGINE_TEMPLATE = "engine_template"

OpenSession = Callable[[], Session]
"""Opens one more session on the engine's database of this test; closed after the test."""


def pytest_report_header() -> str:
    program = programs_folder(server_user()) / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """Run the server of this test session; tests that stop or kill one make their own.

    It never waits for the disk: nothing here outlives the machine.
    """
    with EmbeddedServer.temporary({"fsync": "off"}) as running:
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
def floor(engine_database: str, engine: Session) -> Floor:
    """Give the engine's database of this test with pairs and two steady providers listed."""
    return Floor.opened(engine_database, engine)
