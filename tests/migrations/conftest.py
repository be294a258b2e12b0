"""Small folders of migrations, and a look at what they left in the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tradewright.migrate import Target, shadow
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a folder: keyword `_001_init` is 001_init.sql, `__down` its way back."""

    def write(**texts: str) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        for keyword, text in texts.items():
            name = keyword.removeprefix("_").replace("__down", ".down")
            (folder / f"{name}.sql").write_text(text)
        return folder

    return write


@pytest.fixture
def target(database: str) -> Target:
    """Aim at an empty database, impatiently."""
    return Target(conninfo=database, schema="shop", lock_timeout_ms=200, attempts=2, wait_seconds=5)


@pytest.fixture
def session(target: Target) -> Iterator[Session]:
    """Open a second session beside the runner, in autocommit."""
    with connect(target.conninfo, schema=target.schema, autocommit=True) as opened:
        yield opened


@pytest.fixture
def ask(session: Session) -> Callable[[str], list[tuple[object, ...]]]:
    """Run one query beside the runner and return its rows."""

    def ask(query: str) -> list[tuple[object, ...]]:
        cursor = session.execute(query)
        return list(cursor.fetchall()) if cursor.description else []

    return ask


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[EmbeddedServer]:
    """Run one scratch server for the tests of what happens on a shadow."""
    with shadow.scratch_server() as server:
        yield server


@pytest.fixture
def lent_scratch_server(scratch_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shadow be made on the scratch server that runs; its databases go with each shadow."""

    @contextmanager
    def lent() -> Iterator[EmbeddedServer]:
        try:
            yield scratch_server
        finally:
            for name in ("seeds", "shadow"):
                scratch_server.drop_database(name)

    monkeypatch.setattr(shadow, "scratch_server", lent)
