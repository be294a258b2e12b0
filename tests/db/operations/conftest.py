"""A house as it should be: migrated by a role that nobody logs in as, on a server that keeps all.

The server summarizes its WAL, so that incremental backups can be made of it. Tests may change its
settings and must put them back.
"""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.conftest import migrate_engine
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

_SETTINGS = {
    "max_connections": "25",
    "max_prepared_transactions": "2",
    "max_wal_size": "256MB",
    "shared_buffers": "32MB",
    "summarize_wal": "on",
    "wal_recycle": "off",
}
_NUMBERS = count(1)
OWNER = "keeper"


@pytest.fixture(scope="session")
def house_server() -> Iterator[EmbeddedServer]:
    """Run the server of these tests, with a template of a migrated house."""
    with EmbeddedServer.temporary(_SETTINGS) as server:
        server.create_database("house_template")
        conninfo = server.conninfo("house_template")
        with psycopg.connect(conninfo, autocommit=True) as session:
            session.execute(f"CREATE ROLE {OWNER} NOLOGIN CREATEROLE".encode())
            session.execute(f"GRANT CREATE ON DATABASE house_template TO {OWNER}".encode())
        migrate_engine(make_conninfo(conninfo, options=f"-c role={OWNER}"))
        yield server


@pytest.fixture
def house(house_server: EmbeddedServer) -> Iterator[str]:
    """Give the connection string of a house of this test's own."""
    name = f"house_{next(_NUMBERS)}"
    house_server.create_database(name, template="house_template")
    yield house_server.conninfo(name)
    house_server.drop_database(name)


@pytest.fixture
def master(house: str) -> Iterator[Session]:
    """Give a session of the superuser on the house, in autocommit."""
    with connect(house, autocommit=True) as session:
        yield session
