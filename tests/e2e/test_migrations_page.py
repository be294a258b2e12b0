"""What docs/how-to/apply-migrations.md shows runs as it stands there."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.docs_session import first_failure, steps
from tradewright.postgres.binaries import server_user, short_temporary_folder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "apply-migrations.md"


def test_the_session_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = short_temporary_folder(server_user())
    try:
        assert len(steps(PAGE)) > 8
        assert first_failure([PAGE], folder) == ""
    finally:
        shutil.rmtree(folder)
