"""What people install is the wheel: it holds every file of the package, and works by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what is committed or about to be."""
    place = tmp_path_factory.mktemp("wheel")
    tree = place / "tree"
    for name in _files_of_the_project():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    _run("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", place, tree)
    [built] = place.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    wanted = {
        str(Path(name).relative_to("src"))
        for name in _files_of_the_project()
        if name.startswith("src/")
    }
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_the_command_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    installed, folder = tmp_path / "installed", tmp_path / "migrations"
    ZipFile(wheel).extractall(installed)
    folder.mkdir()
    (folder / "001_init.sql").write_text("CREATE TABLE fills (id uuid PRIMARY KEY, price float);\n")
    found = _run("-c", "import tradewright; print(tradewright.__file__)", path=installed).stdout
    assert Path(found.strip()).is_relative_to(installed)
    review = ("-m", "tradewright", "review", folder, "--no-prove", "--json")
    answer = _run(*review, check=False, path=installed)
    rules = {finding["rule"] for finding in json.loads(answer.stdout)["findings"]}
    assert "money-in-float" in rules


def _files_of_the_project() -> list[str]:
    """Return the paths of what the project keeps, whether it is committed yet or not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    roots = ("src/", "pyproject.toml", "README.md", "LICENSE")
    return [name for name in names if name.startswith(roots) and (ROOT / name).is_file()]


def _run(
    *words: str | Path, check: bool = True, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ | ({} if path is None else {"PYTHONPATH": str(path)}),
        cwd="/",
        capture_output=True,
        text=True,
        check=check,
    )
