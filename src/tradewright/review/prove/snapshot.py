"""A whole database as comparable text: the catalogs of all its schemas but the system's.

A proof looks hundreds of times at a schema of which one file changes little. So a snapshot may be
taken near an earlier one: what no transaction has written to since, and what depends on nothing
that was written to, is not read again. What PostgreSQL says of an object changes with its own rows
in the catalogs, with those of what it names, or with the surroundings (roles, names of schemas,
extensions), after whose change all is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tradewright.migrate.catalog import Catalog, CatalogKey, Objects, compare, read_parts
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

DIFFERENCES_MAX = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A table with all that is on it, or another thing that stands by itself.

    `written` is the last transaction that wrote to its rows of the catalogs, with their number. A
    transaction that has ended by a rollback never comes again, so equal pairs are equal rows.
    """

    written: tuple[int, int]
    objects: Objects


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The parts of a database by their ids, and a digest of what surrounds them."""

    surroundings: str = ""
    parts: Mapping[int, Part] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return the number of objects."""
        return sum(len(part.objects) for part in self.parts.values())

    def catalog(self) -> Catalog:
        """Return the whole as one catalog."""
        return _catalog(self.parts.values())

    def differences(self, after: "Snapshot") -> tuple[str, ...]:
        """Return what `after` has otherwise, as `told_differences` tells it."""
        ids = self.parts.keys() | after.parts.keys()
        unlike = [each for each in ids if self.parts.get(each) is not after.parts.get(each)]
        old, new = (
            _catalog(parts[each] for each in unlike if each in parts)
            for parts in (self.parts, after.parts)
        )
        return told_differences(old, new)


def take_snapshot(session: Session, near: Snapshot | None = None) -> Snapshot:
    """Read every schema, inside the session's transaction or in one of its own.

    Inside a transaction the search_path is empty afterwards, so it is to be rolled back, or ended
    without another look.
    """
    with session.transaction():
        return _snapshot(session, near or Snapshot())


def _snapshot(session: Session, near: Snapshot) -> Snapshot:
    queries = load_queries("tradewright.review.prove")
    ((surroundings,),) = session.execute(queries["surroundings"], {}).fetchall()
    known = near.parts if near.surroundings == surroundings else {}
    rows = session.execute(queries["written"], {}).fetchall()
    written = {home: (last, number) for home, _, last, number in rows}
    stale = _stale(session, known, written)
    objects = _objects(session, {home: schema for home, schema, _, _ in rows if home in stale})
    parts = {
        home: Part(now, objects.get(home, {})) if home in stale else known[home]
        for home, now in written.items()
    }
    return Snapshot(surroundings, parts)


def _stale(
    session: Session, known: Mapping[int, Part], written: Mapping[int, tuple[int, int]]
) -> set[int]:
    """Return what is new, what was written to, and what depends on the latter."""
    new = written.keys() - known.keys()
    changed = [home for home in written if home not in new and known[home].written != written[home]]
    if not changed:
        return set(new)
    query = load_queries("tradewright.review.prove")["dependants"]
    rows = session.execute(query, {"homes": changed}).fetchall()
    return {*new, *changed, *(home for (home,) in rows)} & written.keys()


def _objects(session: Session, schemas: Mapping[int, str]) -> dict[int, Objects]:
    """Read what belongs to these ids, each in its schema."""
    homes: dict[str, list[int]] = defaultdict(list)
    for home, schema in schemas.items():
        homes[schema].append(home)
    found: dict[int, Objects] = {}
    for schema, only in sorted(homes.items()):
        for home, objects in read_parts(session, schema, only=only).items():
            found[home] = {_named(key, schema): lines for key, lines in objects.items()}
    return found


def _named(key: CatalogKey, schema: str) -> CatalogKey:
    if schema == "public" or key.kind == "extension":
        return key
    return CatalogKey(key.kind, f"{schema}.{key.name}")


def _catalog(parts: Iterable[Part]) -> Catalog:
    objects: Objects = {}
    for part in parts:
        objects.update(part.objects)
    return Catalog(MappingProxyType(objects))


def told_differences(before: Catalog, after: Catalog) -> tuple[str, ...]:
    """Return what differs, each object on a line of its own; the first few, then how many more."""
    found = [" ".join(each.render().split()) for each in compare(before, after)]
    if len(found) <= DIFFERENCES_MAX:
        return tuple(found)
    rest = len(found) - DIFFERENCES_MAX
    return (*found[:DIFFERENCES_MAX], f"and {rest} more")
