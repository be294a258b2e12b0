"""A whole database as comparable text: the catalogs of all its schemas but the system's."""

from types import MappingProxyType

from tradewright.migrate.catalog import Catalog, CatalogKey, compare, read_catalog
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

DIFFERENCES_MAX = 8


def take_snapshot(session: Session) -> Catalog:
    """Read every schema, inside the session's transaction or in one of its own.

    Inside a transaction the search_path is empty afterwards, so it is to be rolled back.
    """
    with session.transaction():
        return _snapshot(session)


def _snapshot(session: Session) -> Catalog:
    objects: dict[CatalogKey, tuple[str, ...]] = {}
    query = load_queries("tradewright.review.prove")["schemas"]
    for (schema,) in session.execute(query).fetchall():
        for key, lines in read_catalog(session, schema).objects.items():
            name = key.name if schema == "public" else f"{schema}.{key.name}"
            objects[CatalogKey(key.kind, name)] = lines
    return Catalog(MappingProxyType(objects))


def told_differences(before: Catalog, after: Catalog) -> tuple[str, ...]:
    """Return what differs, each object on a line of its own; the first few, then how many more."""
    found = [" ".join(each.render().split()) for each in compare(before, after)]
    if len(found) <= DIFFERENCES_MAX:
        return tuple(found)
    rest = len(found) - DIFFERENCES_MAX
    return (*found[:DIFFERENCES_MAX], f"and {rest} more")
