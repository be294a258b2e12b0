"""Whether a backup or a drill has the room on its disk that it will take, before it begins.

What is found out half way is found out late: a disk that is filled stops others too. The figures
are the server's own, and above what it will be; what others write meanwhile nobody knows.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tradewright.core.errors import ErrorCode, StateError

_WAL = 256 * 1024**2
"""What a scratch server writes beside its data, and a copy takes along of the WAL, at most."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is needed in a folder and what is free there, in bytes."""

    folder: Path
    needed: int
    free: int

    def __str__(self) -> str:
        return (
            f"about {_told(self.needed)} are needed in {self.folder}, {_told(self.free)} are free"
        )


def require_room(folder: Path, size: int, *, hint: str) -> Room:
    """Return the room in a folder, which may not be there yet, for so many bytes and some WAL.

    Raises:
        StateError: BACKUP_ROOM_SHORT.

    """
    there = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
    room = Room(folder, size + _WAL, shutil.disk_usage(there).free)
    if room.free < room.needed:
        raise StateError(
            ErrorCode.BACKUP_ROOM_SHORT,
            f'folder "{folder}" has no room for it',
            why=f"{str(room)[0].upper()}{str(room)[1:]}; nothing was begun.",
            hint=hint,
            facts={"folder": folder, "needed_bytes": room.needed, "free_bytes": room.free},
        )
    return room


def _told(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 10**9 else f"{size / 1e6:,.0f} MB"
