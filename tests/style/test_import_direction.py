"""The contracts of import-linter in pyproject.toml hold, and would break if they were crossed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.style.house import PACKAGE, ROOT


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in `project`/src."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_down() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/upward.py", "import tradewright.postgres"),
        ("ledger/sideways.py", "import tradewright.liquidity"),
        ("review/across.py", "import tradewright.ledger"),
        ("trading/across.py", "import tradewright.migrate"),
        ("unplaced/__init__.py", ""),
    ],
)
def test_a_crossed_contract_is_found(tmp_path: Path, module: str, line: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "src" / "tradewright")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "src" / "tradewright" / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'"""A module that crosses a contract."""\n\n{line}\n')
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 broken" in result.stdout or "2 broken" in result.stdout
