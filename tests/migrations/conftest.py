"""Small folders of migrations, and a look at what they left in the database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradewright.migrate import Target
from tradewright.postgres.connect import Session, connect


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
