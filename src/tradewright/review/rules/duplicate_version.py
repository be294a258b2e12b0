"""Two migrations carry the same version.

Runners apply one of them, or both in an order that differs between machines, and many refuse to
start.

Instead of::

    -- 004_add_orders.sql and 004_add_users.sql

Use::

    -- 004_add_orders.sql and 005_add_users.sql

Not reported when the files are the two directions of one migration, are repeatable ones of
Flyway, or are folders of Prisma, which goes by their whole names. <!-- examples: prose -->
"""

from collections.abc import Iterator
from pathlib import Path

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Source, Statement

_BY_NAME = frozenset({"sqitch", "prisma"})
"""Layouts in which a number at the beginning of a name says nothing to the runner."""


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for readings in (list(context.ups()), list(context.downs())):
        seen: dict[tuple[str, tuple[int, ...]], Source] = {}
        for reading in readings:
            source = reading.source
            numbers = tuple(part for part in source.version[1:] if isinstance(part, int))
            if source.version[0] != 0 or source.repeatable or source.layout in _BY_NAME:
                continue
            first = seen.setdefault((_folder(source), numbers), source)
            if first.path != source.path:
                version = ".".join(map(str, numbers))
                place = Statement(source, "file", "", 0, 0)
                message = f'version {version} is already taken by "{_shown(first)}"'
                advice = "Give the newer file the next free version."
                yield Hit(place, 0, message, advice, f"version {version}:{source.label}")


def _shown(source: Source) -> str:
    """Return the name that carries the version: the file's, or that of its folder."""
    path = Path(source.path)
    return path.parent.name if source.layout == "folders" else path.name


def _folder(source: Source) -> str:
    folder = source.path.rpartition("/")[0]
    return folder.rpartition("/")[0] if source.layout == "folders" else folder


RULE = Rule(
    id="duplicate-version",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("schema",),
    check=_check,
)
