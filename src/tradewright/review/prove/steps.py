"""What a proof sends: every migration with its way back, in the runner's order."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tradewright.review.prove.model import Untried
from tradewright.review.prove.play import pieces_of
from tradewright.review.prove.verdict import extension_of
from tradewright.review.source.placeholders import stand_in
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Direction, Source, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration: what its up and its down send."""

    source: Source
    up: tuple[Statement, ...]
    down: tuple[Statement, ...] | None
    down_source: Source | None


def unread_of(readings: Iterable[Reading]) -> list[Untried]:
    """Return what was too large to be read, and so is not sent either."""
    return [
        Untried(
            statement=Statement(reading.source, "unread", "{}", piece.start, piece.end),
            reason=piece.message,
        )
        for reading in readings
        for piece in reading.unread
    ]


def steps_of(readings: Iterable[Reading]) -> list[Step]:
    """Pair every up with its down, in the runner's order."""
    readings = list(readings)
    downs = {_pair(r.source): r for r in readings if r.source.direction is Direction.DOWN}
    steps = []
    for reading in readings:
        if reading.source.direction is Direction.UP:
            down = downs.get(_pair(reading.source))
            steps.append(
                Step(
                    source=reading.source,
                    up=tuple(pieces_of(reading)),
                    down=None if down is None else tuple(_way_back(reading, down)),
                    down_source=None if down is None else down.source,
                )
            )
    return steps


_SCHEMA = re.compile(r"(?!pg_|public$|information_schema$)[^\W\d]\w*")


def without_shared(differences: tuple[str, ...], steps: Iterable[Step]) -> tuple[str, ...]:
    """Leave out extensions that are made IF NOT EXISTS: others may use them, so they stay."""
    if not any(each.startswith("added extension ") for each in differences):
        return differences
    made = (statement for step in steps for statement in step.up)
    names = [extension_of(each) for each in made if each.node.get("if_not_exists")]
    shared = {f"added extension {name}" for plain in names for name in (plain, f'"{plain}"')}
    return tuple(each for each in differences if each not in shared)


_CHANGESET = re.compile(rb"^[ \t]*--[ \t]*changeset\b", re.IGNORECASE | re.MULTILINE)


def _way_back(up: Reading, down: Reading) -> list[Statement]:
    """Return what takes a migration back; Liquibase begins with the last changeset of a file."""
    pieces = pieces_of(down)
    if up.source.layout != "liquibase":
        return pieces
    begins = [match.start() for match in _CHANGESET.finditer(up.source.data)]
    return sorted(pieces, key=lambda each: (-bisect_right(begins, each.start), each.start))


def _pair(source: Source) -> str:
    """Return what an up and its down have in common."""
    flyway = source.layout == "flyway" and not source.repeatable
    return source.label.partition("__")[0] if flyway else source.label


def schemas_stood_in(steps: Iterable[Step], made: Collection[str]) -> list[str]:
    """Return the schemas that only placeholders name: their runner makes them, and no file."""
    found = set()
    for source in (step.source for step in steps):
        for _, placeholder in source.placeholders:
            name = stand_in(placeholder)
            if f"{name}." in source.text and name.lower() not in made:
                found.add(name.lower())
        for each in source.values:
            name = each.value[1:-1] if each.value.startswith('"') else each.value.lower()
            if _SCHEMA.fullmatch(name) and f"{each.value}." in source.text and name not in made:
                found.add(name)
    return sorted(found)
