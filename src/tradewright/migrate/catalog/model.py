"""A catalog as a value, and the difference between two of them; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import ndiff
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType


@dataclass(frozen=True, slots=True, order=True)
class CatalogKey:
    """One object: its kind in words and its name within the schema."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every object of a schema with the lines that define it."""

    objects: Mapping[CatalogKey, tuple[str, ...]]

    def text(self) -> str:
        """Return the whole catalog as text, one object after another in the order of names."""
        return "".join(
            f"{key}\n" + "".join(f"    {line}\n" for line in lines)
            for key, lines in sorted(self.objects.items())
        )

    def digest(self) -> str:
        """Return the sha256 of the text; equal digests mean equal schemas."""
        return sha256(self.text().encode()).hexdigest()

    def without(self, *beginnings: str) -> "Catalog":
        """Return the catalog without the lines that begin so, for example `owner:` and `grant:`.

        Between two servers whose roles differ these lines say nothing about the schema.
        """
        kept = {
            key: tuple(line for line in lines if not line.startswith(beginnings))
            for key, lines in self.objects.items()
        }
        return Catalog(MappingProxyType(kept))


class Change(StrEnum):
    """What happened to an object between two catalogs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One object that two catalogs do not agree on."""

    change: Change
    key: CatalogKey
    before: tuple[str, ...]
    after: tuple[str, ...]

    def render(self) -> str:
        """Return the object's name and, where it changed, the lines that went and came."""
        if self.change is not Change.CHANGED:
            return f"{self.change} {self.key}"
        lines = (line for line in ndiff(self.before, self.after) if line[0] in "+-")
        return "\n".join([f"changed {self.key}", *(f"    {line}" for line in lines)])


def compare(before: Catalog, after: Catalog) -> list[Difference]:
    """Return what `after` has that `before` has not, lacks, or defines otherwise."""
    keys = before.objects.keys() | after.objects.keys()
    return [
        _difference(key, before.objects.get(key), after.objects.get(key))
        for key in sorted(k for k in keys if before.objects.get(k) != after.objects.get(k))
    ]


def _difference(
    key: CatalogKey, old: tuple[str, ...] | None, new: tuple[str, ...] | None
) -> Difference:
    change = Change.ADDED if old is None else Change.REMOVED
    if old is not None and new is not None:
        change = Change.CHANGED
    return Difference(change=change, key=key, before=old or (), after=new or ())
