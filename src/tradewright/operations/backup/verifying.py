"""Whether a backup on the disk is what it was when it was made, file by file."""

import re
from collections.abc import Iterator
from pathlib import Path

from tradewright.operations.backup.folders import (
    DATA,
    DUMP,
    MANIFEST,
    SERVER_MANIFEST,
    SUMS,
    Backup,
    chain_of,
    sha256_of,
)
from tradewright.operations.backup.model import BackupKind
from tradewright.postgres.programs import find_programs, try_program

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def verify_backup(backup: Backup, programs: Path | None = None) -> list[str]:
    """Return what has changed in a backup and in those that it builds on; nothing is good.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE when a base is missing.
        StateError: BACKUP_PROGRAMS_MISSING.

    """
    chain = chain_of(backup)
    return [
        told if each is backup else f"{each.manifest.name}: {told}"
        for each in chain
        for told in verify_folder(each, programs)
    ]


def verify_folder(backup: Backup, programs: Path | None = None) -> list[str]:
    """Return what has changed in the folder of one backup."""
    is_dump = backup.manifest.kind is BackupKind.LOGICAL
    told = [*_wrong_sums(backup.folder, {MANIFEST, DUMP if is_dump else SERVER_MANIFEST})]
    if backup.manifest.kind is not BackupKind.LOGICAL:
        told += _wrong_files(backup, programs)
    return told


def _wrong_sums(folder: Path, names: set[str]) -> Iterator[str]:
    """Compare the files whose sums we keep, which must be those of these names."""
    try:
        lines = (folder / SUMS).read_text(errors="replace").splitlines()
    except OSError as error:
        yield f"{SUMS} cannot be read: {error.strerror}"
        return
    kept = {found[2] for line in lines if (found := _LINE.fullmatch(line))}
    yield from (f"{SUMS} has no sum of {name}" for name in sorted(names - kept))
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            yield f"{SUMS} was changed"
        elif not (folder / found[2]).is_file():
            yield f"{found[2]} is gone"
        else:
            yield from _wrong_sum(folder / found[2], *found.groups())


def _wrong_sum(file: Path, wanted: str, name: str) -> Iterator[str]:
    try:
        if sha256_of(file) != wanted:
            yield f"{name} was changed"
    except OSError as error:
        yield f"{name} cannot be read: {error.strerror}"


def _wrong_files(backup: Backup, programs: Path | None) -> Iterator[str]:
    """Let pg_verifybackup compare all files with the server's own manifest, and read the WAL."""
    folder = find_programs(backup.manifest.origin.server_version // 10_000, programs)
    done = try_program([folder / "pg_verifybackup", "--quiet", backup.folder / DATA])
    if done.returncode == 0:
        return
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines() if "rror: " in line]
    yield from (line.removeprefix("error: ") for line in lines or [done.stdout.strip()])
