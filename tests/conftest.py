"""One real PostgreSQL per test session (one per xdist worker), one fresh database per test."""

import subprocess
from collections.abc import Iterator
from itertools import count

import pytest

from tradewright.postgres.binaries import programs_folder, server_user
from tradewright.postgres.embedded import EmbeddedServer

_NUMBERS = count(1)


def pytest_report_header() -> str:
    program = programs_folder(server_user()) / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """Run the server of this test session; tests that stop or kill one make their own."""
    with EmbeddedServer.temporary() as running:
        yield running


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[str]:
    """Give the connection string of an empty database, dropped after the test."""
    name = f"test_{next(_NUMBERS)}"
    server.create_database(name)
    yield server.conninfo(name)
    server.drop_database(name)
