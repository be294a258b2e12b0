"""How much processor time a server has used: what a figure costs, whatever else the machine does.

Rates suffer from whoever shares the machine; time on the processor hardly does. So each figure of
rate has one of cost beside it.
"""

import os
from pathlib import Path

from tradewright.postgres.embedded import EmbeddedServer

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _KERNEL, _CHILDREN_USER, _CHILDREN_KERNEL = 1, 11, 12, 13, 14
"""Places after the name in /proc/<pid>/stat (proc_pid_stat(5))."""


def server_cpu_seconds(server: EmbeddedServer) -> float:
    """Return the processor time of the server and all its sessions so far, ended ones too.

    A session that ends while it is read would be missed, or counted twice: then it is read again.
    """
    pid = server.pid
    if pid is None:
        return 0.0
    own = _fields(Path(f"/proc/{pid}/stat"))
    while True:
        living = sum(
            fields[_USER] + fields[_KERNEL]
            for fields in map(_fields, Path("/proc").glob("[0-9]*/stat"))
            if fields and fields[_PARENT] == pid
        )
        before, own = own, _fields(Path(f"/proc/{pid}/stat"))
        ended = own[_CHILDREN_USER] + own[_CHILDREN_KERNEL]
        if ended == before[_CHILDREN_USER] + before[_CHILDREN_KERNEL]:
            return (own[_USER] + own[_KERNEL] + ended + living) / _TICKS


def _fields(path: Path) -> list[int]:
    """Return the numbers after the state; nothing when the process has ended meanwhile."""
    try:
        after_name = path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [0, *(int(word) for word in after_name[1:])]
