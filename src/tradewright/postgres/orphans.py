"""Servers whose process was killed before it could remove them.

Each temporary server's folder names the process that made it. The next one to make a temporary
server in the same place stops and removes those whose maker is gone. Makers are compared only
within one process namespace: elsewhere the same number is another process.
"""

import os
from collections.abc import Iterator
from pathlib import Path

PREFIX = "tradewright-"
MAKER = "maker"
"""The file that names who has made a folder."""


def record_maker(folder: Path) -> None:
    """Write down that this process made `folder` and will remove it."""
    (folder / MAKER).write_text(_identity(os.getpid()))


def orphaned_folders(parent: Path) -> Iterator[Path]:
    """Return the folders in `parent` whose maker, a process of this namespace, is gone."""
    for record in parent.glob(f"{PREFIX}*/{MAKER}"):
        try:
            maker = record.read_text()
        except OSError:
            continue
        pid, _, rest = maker.partition(" ")
        is_of_this_namespace = rest.endswith(_namespace())
        if pid.isdigit() and is_of_this_namespace and maker != _identity(int(pid)):
            yield record.parent


def children_of(pid: int) -> list[int]:
    """Return the processes of a server; left alone they outlive it until they notice."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _identity(pid: int) -> str:
    """Return process id, start time and namespace: together they never name two processes."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "gone"
    return f"{pid} {started} {_namespace()}"


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
