"""Backups on the disk: each a folder of its own beside the others, with a manifest in it.

A backup is made under another name and gets its own when it is whole and verified, so what bears
the name of a backup is one. What a killed process has left is removed by the next that makes or
prunes backups in the same place.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tradewright.core.errors import ErrorCode, InputError
from tradewright.operations.backup.model import FORMAT, BackupKind, Manifest
from tradewright.postgres.orphans import MAKER, PREFIX, orphaned_folders, record_maker

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
DATA = "data"
DUMP = "house.dump"
SERVER_MANIFEST = f"{DATA}/backup_manifest"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: its folder, and what is written down of it."""

    folder: Path
    manifest: Manifest


def find_backup(folder: Path) -> Backup:
    """Read the backup in a folder.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE.

    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise _unusable(folder, f"Its {MANIFEST} cannot be read: {error}.") from None
    if manifest.format != FORMAT:
        raise _unusable(folder, f"Its format is {manifest.format}, and this release reads {FORMAT}")
    return Backup(folder, manifest)


def list_backups(folder: Path) -> list[Backup]:
    """Read all backups in a folder, the oldest first.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE when there is no such folder, or one cannot be read.

    """
    if not folder.is_dir():
        raise _unusable(folder, "There is no such folder.")
    found = [
        find_backup(path.parent)
        for path in folder.glob(f"*/{MANIFEST}")
        if not path.parent.name.startswith(PREFIX)
    ]
    return sorted(found, key=lambda backup: (backup.manifest.started_at, backup.manifest.name))


def latest_backup(folder: Path) -> Backup:
    """Return the newest backup in a folder.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE when there is none.

    """
    found = list_backups(folder)
    if not found:
        raise _unusable(folder, "No backup is in it.")
    return found[-1]


def chain_of(backup: Backup) -> list[Backup]:
    """Return what is needed to restore a backup: the full one first, the backup itself last.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE when a base is not beside it.

    """
    chain = [backup]
    while (base := chain[0].manifest.base) is not None:
        if base in {each.manifest.name for each in chain}:
            raise _unusable(backup.folder, f"It builds on {base}, which builds on it.")
        chain.insert(0, find_backup(backup.folder.resolve().parent / base))
    return chain


def to_prune(backups: Sequence[Backup], keep: int) -> list[Backup]:
    """Return the backups that are neither among the newest nor needed by one, the newest first.

    The newest are counted for each house by itself, and its dumps apart from its copies: those of
    another, or of another kind, are no reason to let go of one.
    """
    by_name = {backup.manifest.name: backup for backup in backups}
    kinds: dict[tuple[object, ...], list[Backup]] = {}
    for backup in backups:
        kinds.setdefault(_house_and_way(backup.manifest), []).append(backup)
    needed: set[str] = set()
    for backup in [each for alike in kinds.values() for each in alike[-keep:] if keep]:
        name: str | None = backup.manifest.name
        while name is not None and name not in needed:
            needed.add(name)
            name = by_name[name].manifest.base if name in by_name else None
    return [backup for backup in reversed(backups) if backup.manifest.name not in needed]


def _house_and_way(manifest: Manifest) -> tuple[object, ...]:
    """Return what backups have in common that may stand for each other."""
    if manifest.kind is BackupKind.LOGICAL:
        return (manifest.origin.database, manifest.origin.schema)
    return (manifest.system_id,)


def prune(backups: Iterable[Backup]) -> None:
    """Remove backups; one that is half removed bears no name of a backup any more."""
    for backup in backups:
        aside = backup.folder.parent / f"{PREFIX}{backup.manifest.name}"
        record_maker(backup.folder)
        backup.folder.rename(aside)
        shutil.rmtree(aside)


def begin_folder(parent: Path, name: str) -> Path:
    """Make the folder in which a backup is written until it is whole."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in orphaned_folders(parent):
        _remove_orphan(left)
    folder = parent / f"{PREFIX}{name}"
    folder.mkdir(mode=0o700)
    record_maker(folder)
    return folder


def _remove_orphan(folder: Path) -> None:
    """Remove what a killed process has left; its maker's name goes last, so that the next tries it.

    A program that it had started may still write there, until it misses what was removed.
    """
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != MAKER:
            path.unlink(missing_ok=True)
    if [path.name for path in folder.iterdir()] == [MAKER]:
        shutil.rmtree(folder, ignore_errors=True)


def write_manifest(folder: Path, manifest: Manifest, files: Sequence[str]) -> None:
    """Write the manifest, and the sums by which it and some files of the backup are known."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / MANIFEST).write_bytes(text + b"\n")
    sums = [f"{sha256_of(folder / name)}  {name}\n" for name in (MANIFEST, *files)]
    (folder / SUMS).write_text("".join(sums))


def end_folder(folder: Path, name: str) -> Path:
    """Give a whole backup its name, on the disk too."""
    for written in (folder / MANIFEST, folder / SUMS, folder):
        _sync(written)
    whole = folder.parent / name
    folder.rename(whole)
    (whole / MAKER).unlink()
    _sync(folder.parent)
    return whole


def sha256_of(file: Path) -> str:
    """Return the sum of a file, in hexadecimal."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unusable(folder: Path, why: str) -> InputError:
    return InputError(
        ErrorCode.BACKUP_FOLDER_UNUSABLE,
        f'folder "{folder}" cannot be used as a backup',
        why=why,
        hint="Name the folder of a backup, with those that it builds on beside it: see "
        "tradewright backup list.",
        facts={"folder": folder},
    )
