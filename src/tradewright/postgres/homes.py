"""Where a server keeps its files when its user cannot reach the folder that was named.

A root process runs the server as an unprivileged user, who often may not enter the folder. The
files then stand in a home of their own beneath ROOT_HOME, and the folder keeps the home's name: a
folder that is moved takes its data along, and one that was removed and named again begins empty.
"""

import contextlib
import os
import re
import secrets
from pathlib import Path

from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.binaries import ROOT_HOME, ServerUser

_RECORD = "server-home"
_FOLDER_RECORD = "folder"
"""Tells people, in the home, which folder it is for."""

_BEGUN = frozenset(
    {
        *("data.new", "in-use", "left-running", "lock", "log", "maker", "password", "socket"),
        "socket-folder",
    }
)
"""What stands in the folder of a server that was interrupted while it was made."""

_NAME = re.compile("[0-9a-f]{16}")


def home_of(folder: Path) -> Path:
    """Return where the files of the server in `folder` stand: there, until a home is recorded."""
    with contextlib.suppress(OSError):
        name = (folder / _RECORD).read_text()
        if _NAME.fullmatch(name):
            return ROOT_HOME / name
    return folder


def refuse_production() -> None:
    """Refuse to run a server of our own where TRADEWRIGHT_ENV says production.

    Raises:
        StateError: EMBEDDED_IN_PRODUCTION.

    """
    if os.environ.get("TRADEWRIGHT_ENV") == "production":
        raise StateError(
            ErrorCode.EMBEDDED_IN_PRODUCTION,
            "the embedded server refuses to run in production",
            why="TRADEWRIGHT_ENV is 'production'; an embedded server has no backup or standby.",
            hint="Give the production server with --database URL or DATABASE_URL.",
        )


def require_ours(folder: Path) -> None:
    """Refuse a folder in which others keep their files: a server would settle among them.

    Raises:
        StateError: EMBEDDED_FOLDER_UNUSABLE.

    """
    if not folder.is_dir() or _is_of_a_server(folder):
        return
    others = sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in _BEGUN and not path.name.startswith(f"{_RECORD}.")
    )
    if others:
        inner = next((path for path in sorted(folder.iterdir()) if _is_of_a_server(path)), None)
        raise StateError(
            ErrorCode.EMBEDDED_FOLDER_UNUSABLE,
            f'folder "{folder}" holds files, and no server',
            why=f'A server has a folder for itself, and "{others[0]}" is none of its files.',
            hint=f'Name "{inner}", where a server is.'
            if inner
            else "Name the folder of a server, one that is empty, or one that is not there yet.",
            facts={"folder": folder},
        )


def _is_of_a_server(folder: Path) -> bool:
    return (folder / _RECORD).exists() or (folder / "data/PG_VERSION").exists()


def require_server(folder: Path) -> None:
    """Refuse a folder that has no server, before anything is made in it.

    Raises:
        StateError: EMBEDDED_SERVER_MISSING, or EMBEDDED_FOLDER_UNUSABLE for the files of others.

    """
    require_ours(folder)
    if not (home_of(folder.resolve()) / "data/PG_VERSION").exists():
        raise StateError(
            ErrorCode.EMBEDDED_SERVER_MISSING,
            f'folder "{folder}" has no server',
            why="Only what is there can be looked at or changed; nothing was made.",
            hint="Name the folder of a server, or make one with `tradewright migrate up --keep "
            "FOLDER`.",
            facts={"folder": folder},
        )


def make_home(folder: Path, user: ServerUser) -> Path:
    """Return the home of the server in `folder`, made if need be; safe beside other processes."""
    if home_of(folder) == folder and not user.can_reach(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _record_name(folder)
    home = home_of(folder)
    is_new = not home.exists()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new or home != folder:  # who made it may have been killed before it was given away
        user.own(home)
    if home != folder:
        (home / _FOLDER_RECORD).write_bytes(os.fsencode(folder))
    return home


def _record_name(folder: Path) -> None:
    """Write the name of a new home, whole or not at all; the first of several processes wins."""
    draft = folder / f"{_RECORD}.{os.getpid()}"
    draft.write_text(secrets.token_hex(8))
    with contextlib.suppress(FileExistsError):
        os.link(draft, folder / _RECORD)
    draft.unlink()
