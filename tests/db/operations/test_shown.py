"""What the documentation shows of the doctor and of backups runs, on a house that is right."""

from pathlib import Path

import pytest

from tests.e2e.docs_session import first_failure
from tests.style.house import ROOT


@pytest.mark.parametrize("page", ["how-to/back-up.md", "how-to/doctor.md", "reference/doctor.md"])
def test_what_is_shown_of_operations_runs(
    page: str, house: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", house)
    failed = first_failure([ROOT / "docs" / page], tmp_path)
    assert not failed, f"docs/{failed}"
