"""The search for a Python: it takes the first that will do and says what is missing otherwise."""

import os
import subprocess
import sys
from pathlib import Path

from tests.style.house import ROOT


def find_python(folder: Path, *, python: str = "") -> subprocess.CompletedProcess[str]:
    """Run the search with `folder` as the only place to find a Python."""
    path = f"{folder}:/usr/bin:/bin" if python else str(folder)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "find-python"],
        env={"PATH": path, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def write_python(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_will_do_is_taken(tmp_path: Path) -> None:
    good = write_python(tmp_path, "python3.11", f'exec {sys.executable} "$@"')
    result = find_python(tmp_path)
    assert (result.returncode, result.stdout) == (0, f"{good}\n")


def test_the_named_python_is_the_only_one_tried(tmp_path: Path) -> None:
    write_python(tmp_path, "python3.11", f'exec {sys.executable} "$@"')
    result = find_python(tmp_path, python=str(tmp_path / "absent"))
    assert result.returncode == 1
    assert "found no Python named" in result.stderr


def test_no_python_at_all_is_told(tmp_path: Path) -> None:
    result = find_python(tmp_path)
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; found no Python." in result.stderr
    assert "hint: Install Python" in result.stderr


def test_an_old_python_is_told_with_its_version(tmp_path: Path) -> None:
    script = 'case "$2" in *version_info\\[*) echo 3.9.2;; *) exit 1;; esac'
    old = write_python(tmp_path, "python3", script)
    result = find_python(tmp_path)
    assert result.returncode == 1
    assert f"found only {old} (3.9.2)" in result.stderr


def test_a_python_without_venv_is_told_with_the_package_to_install(tmp_path: Path) -> None:
    script = 'case "$2" in *version_info\\[*) echo 3.11.2;; *ensurepip*) exit 1;; *) exit 0;; esac'
    bare = write_python(tmp_path, "python3", script)
    result = find_python(tmp_path)
    assert result.returncode == 1
    assert f"venv or ensurepip is missing from {bare} (3.11.2)" in result.stderr
    assert "python3-venv" in result.stderr


def test_an_old_python_is_passed_over_for_a_good_one(tmp_path: Path) -> None:
    script = 'case "$2" in *version_info\\[*) echo 3.9.2;; *) exit 1;; esac'
    write_python(tmp_path, "python3.13", script)
    good = write_python(tmp_path, "python3", f'exec {sys.executable} "$@"')
    assert find_python(tmp_path).stdout == f"{good}\n"


def test_the_search_can_be_run(tmp_path: Path) -> None:
    assert os.access(ROOT / "tools" / "find-python", os.X_OK)
