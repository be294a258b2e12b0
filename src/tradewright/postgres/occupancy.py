"""Who uses the server in a folder: several processes at a time may, and the last stops it.

Each holds a shared lock on a file for as long as it uses the server; the system lets go of it
however a process ends. Whoever has started the server and leaves before others notes that it was
left running, and the last of them stops it. A server that somebody else runs is left alone.
"""

import fcntl
import os
from pathlib import Path


class Occupancy:
    """The use of a server's home by this process; callers hold the lock of the home."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def begin(self, home: Path) -> None:
        """Say that this process uses the server; saying it again changes nothing."""
        if self._handle is None:
            self._handle = os.open(home / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def end(self, home: Path, *, started_here: bool) -> bool:
        """Say that it uses it no more; return whether it is for this process to stop it."""
        note = home / "left-running"
        is_alone = self._is_alone()
        self.forget()
        if not is_alone and started_here:
            note.touch()
        is_ours = is_alone and (started_here or note.exists())
        if is_ours:
            note.unlink(missing_ok=True)
        return is_ours

    def forget(self) -> None:
        """Let go of the lock, whatever becomes of the server."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _is_alone(self) -> bool:
        if self._handle is None:
            return True
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
