"""Nothing in the repository names the machine that it was written on or a package registry.

What is tracked must mean the same on every machine: no home folder, no mount, no address that a
package was once fetched from.
"""

import re
import subprocess
from pathlib import Path

from tests.style.house import ROOT, broken, shown

MACHINE_PATH = re.compile(r"(?<![\w.~$})>-])/(?:work|root|home|opt|Users|mnt|media)/[\w.]")
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|crates|rubygems)\.(?:org|com|io)\b"
    r"|(?:test\.)?pypi\.org|registry\.[a-z]+\.[a-z]+|proxy\.golang"
    r"|(?:--index-url|--extra-index-url|--find-links|--trusted-host)[ =]\S*[/.]"
    r"|file:///"
)
BINARY_SUFFIXES = frozenset({".gz", ".png", ".jpg", ".parquet", ".woff2", ".ico"})
SELF = Path(__file__)


def tracked_files(root: Path) -> list[Path]:
    """Return the files that git tracks or would; without git, every file not in a hidden folder."""
    command = [
        "git",
        "-C",
        str(root),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        skipped = {".venv", "__pycache__", ".git"}
        return [p for p in root.rglob("*") if p.is_file() and not skipped & set(p.parts)]
    return [root / name for name in listing.split("\0") if (root / name).is_file()]


def machine_traces(path: Path) -> list[str]:
    """Return the lines of a file that name a folder of one machine or a package registry."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [
        f"{shown(path)}:{number}: {line.strip()[:80]}"
        for number, line in enumerate(lines, start=1)
        if MACHINE_PATH.search(line) or REGISTRY.search(line)
    ]


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    files = [p for p in tracked_files(ROOT) if p.suffix not in BINARY_SUFFIXES and p != SELF]
    offences = [offence for path in files for offence in machine_traces(path)]
    assert not offences, broken(
        "No tracked file names a folder of one machine or the address of a package registry.",
        "\n".join(offences),
        "Write a relative path, a temporary folder, or nothing.",
    )


def test_this_repository_has_files_to_search() -> None:
    assert ROOT / "pyproject.toml" in tracked_files(ROOT)


def test_machine_paths_and_registries_are_found(tmp_path: Path) -> None:
    path = tmp_path / "setup.cfg"
    path.write_text(
        "cache = /home/ann/cache\n"
        "--extra-index-url https://mirror.example.org/simple\n"
        "see https://files.pythonhosted.org/x.whl\n"
        "find file:///srv/wheels\n"
        "data = /root/data\n"
    )
    assert [offence.split(":")[1] for offence in machine_traces(path)] == ["1", "2", "3", "4", "5"]


def test_relative_paths_and_other_addresses_pass(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "docs/home/page and /tmp/x and https://www.example.org/home/page and ~/work/x\n"
    )
    assert machine_traces(path) == []


def test_files_are_listed_where_there_is_no_git(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "skipped.py").touch()
    (tmp_path / "kept.py").touch()
    assert tracked_files(tmp_path) == [tmp_path / "kept.py"]
