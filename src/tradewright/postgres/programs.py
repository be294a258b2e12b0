"""PostgreSQL's own programs: found by the server's major version, run without secrets in sight.

A backup is made and read by programs of the version that wrote the data; another one refuses, or
worse. Passwords go by the environment and never stand on a command line, where every user of the
machine could read them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tradewright.core.errors import DatabaseError, ErrorCode, StateError
from tradewright.postgres.binaries import programs_folder, server_user

_PLACES = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/usr/local/pgsql/bin")
_SECRETS = ("password", "sslpassword")


def find_programs(major: int, given: Path | None = None) -> Path:
    """Return the folder of the programs of a major version: a given one, ours, or the system's.

    Raises:
        StateError: BACKUP_PROGRAMS_MISSING, with what was found in each place.

    """
    seen: list[str] = []
    for folder in [given] if given is not None else [*_folders(major)]:
        found = _major_of(folder)
        if found == major:
            return folder
        seen.append(f"{folder} has {'none' if found is None else f'those of {found}'}")
    raise StateError(
        ErrorCode.BACKUP_PROGRAMS_MISSING,
        f"no programs of PostgreSQL {major} were found",
        why=f"A backup needs those of the server's own version; {'; '.join(seen)}.",
        hint=f"Install PostgreSQL {major} (no server needs to run), or name the folder of its "
        "programs with --programs.",
        facts={"major": major},
    )


def run_program(command: Sequence[str | Path], conninfo: str | None = None) -> str:
    """Run a program, on a database when one is named; return what it wrote.

    Raises:
        DatabaseError: BACKUP_PROGRAM_FAILED, with what the program said.

    """
    done = try_program(command, conninfo)
    if done.returncode != 0:
        name = Path(command[0]).name
        raise DatabaseError(
            ErrorCode.BACKUP_PROGRAM_FAILED,
            f"{name} ended with {done.returncode}",
            why=done.stdout.strip(),
            hint="Do what it says, and run the command again; what was begun is removed.",
            facts={"program": name},
        )
    return done.stdout


def try_program(
    command: Sequence[str | Path], conninfo: str | None = None, *, option: str = "--dbname="
) -> subprocess.CompletedProcess[str]:
    """Run a program as `run_program`; return how it ended, whatever that is.

    Where a program takes the database without an option, that is empty.
    """
    words, environment = [str(word) for word in command], {**os.environ, "LC_ALL": "C"}
    if conninfo is not None:
        place, secret = without_secrets(conninfo)
        environment |= secret
        words.append(f"{option}{place}")
    return subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment,
    )


def without_secrets(conninfo: str) -> tuple[str, dict[str, str]]:
    """Divide a connection string: what may stand on a command line, and the environment's part."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    secrets = {name: parameters.pop(name, "") for name in _SECRETS}
    password = secrets["password"]
    return make_conninfo(**parameters), {"PGPASSWORD": password} if password else {}


def _folders(major: int) -> Iterator[Path]:
    """Return where the programs may be: with our package, with the system, on the path."""
    try:
        yield programs_folder(server_user())
    except StateError as error:
        if error.code != ErrorCode.EMBEDDED_NOT_INSTALLED:
            raise
    for place in _PLACES:
        yield Path(place.format(major=major))
    on_path = shutil.which("pg_basebackup")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _major_of(folder: Path) -> int | None:
    """Return the major version of the programs in a folder, or None."""
    if not (folder / "pg_basebackup").exists():
        return None
    told = try_program([folder / "pg_basebackup", "--version"]).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", told)
    return None if found is None else int(found[1])
