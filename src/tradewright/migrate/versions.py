"""Versions of migrations: whole numbers, and numbers with dots that sort between them.

A dotted version is a decimal fraction with nine digits for each part behind the first: 1.2.10
is 1.000000002000000010. So versions of both kinds compare, sort and stand in one numeric column.
Below zero stand the repeatable migrations, which have a name and no version.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

Version = int | Decimal

PART_DIGITS = 9


def version_of(parts: Sequence[int]) -> Version | None:
    """Return the version of these parts; None when one behind the first is too long."""
    while len(parts) > 1 and parts[-1] == 0:
        parts = parts[:-1]
    first, *rest = parts
    if not rest:
        return first
    if any(len(str(part)) > PART_DIGITS for part in rest):
        return None
    return Decimal(f"{first}.{''.join(f'{part:0{PART_DIGITS}}' for part in rest)}")


def parse_version(text: str) -> Version | None:
    """Return the version that a person writes as 3 or 1.2.10; None for anything else."""
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return version_of([int(part) for part in parts])


def version_text(version: Version) -> str:
    """Return a version as a person writes it; a repeatable migration has none."""
    if version < 0:
        return "repeatable"
    first, _, rest = f"{Decimal(version):f}".partition(".")
    parts = [rest[at : at + PART_DIGITS] for at in range(0, len(rest), PART_DIGITS)]
    return ".".join([first, *(str(int(part.ljust(PART_DIGITS, "0"))) for part in parts)])


def repeatable_version(name: str) -> int:
    """Return the number below zero under which history keeps a repeatable migration."""
    return -1 - int.from_bytes(sha256(name.encode()).digest()[:6])


def stored_version(value: Decimal | int) -> Version:
    """Return a version as the database gives it back: whole where it has no fraction."""
    whole = int(value)
    return whole if whole == value else Decimal(value)
