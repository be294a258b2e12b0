"""Where the server's programs lie: a copy that the server's user can reach must run as well."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradewright.postgres import binaries
from tradewright.postgres.binaries import ServerUser, programs_folder


def private_user() -> ServerUser:
    """Return a user that may not enter the private folders of whoever runs the tests."""
    return ServerUser(os.geteuid(), os.getegid(), switch=True)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Let no user reach the installed programs, so that they are copied; once for all tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binaries, "ROOT_HOME", tmp_path_factory.mktemp("copied") / "home")
        patched.setattr(ServerUser, "can_reach", lambda _self, _path: False)
        yield programs_folder(private_user())


@pytest.mark.parametrize("program", ["initdb", "postgres", "psql", "pg_dump"])
def test_a_copied_program_finds_its_libraries(copied: Path, program: str) -> None:
    done = subprocess.run(
        [copied / program, "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "PostgreSQL" in done.stdout


def test_a_copy_can_be_read_by_everybody(copied: Path) -> None:
    site = copied.parents[2]
    files = [path for path in site.rglob("*") if not path.is_symlink()]
    closed = [path for path in [site, *files] if path.stat().st_mode & 0o444 != 0o444]
    assert closed == []
    assert (copied / "initdb").stat().st_mode & 0o111 == 0o111


def test_a_second_search_finds_the_same_copy(copied: Path) -> None:
    home = copied.parents[3]
    assert programs_folder(private_user()) == copied
    assert len(list(home.iterdir())) == 1
