"""Read the catalog of a schema; every definition is PostgreSQL's own text for it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from types import MappingProxyType

from psycopg import IsolationLevel, sql

from tradewright.migrate.catalog.model import Catalog, CatalogKey
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

HISTORY_TABLE = "schema_migrations"

Objects = dict[CatalogKey, tuple[str, ...]]

_QUERIES = (
    "schemas",
    "extensions",
    "relations",
    "columns",
    "constraints",
    "indexes",
    "functions",
    "triggers",
    "rules",
    "policies",
    "types",
    "statistics",
    "default_grants",
)


def take_catalog(session: Session, schema: str, *, skip: Iterable[str] = ()) -> Catalog:
    """Read the catalog of `schema` from one snapshot of the database.

    The runner's own table of history and the relations named in `skip` are left out, with all that
    belongs to them. The session must not be inside a transaction.
    """
    level, session.isolation_level = session.isolation_level, IsolationLevel.REPEATABLE_READ
    try:
        with session.transaction():
            return read_catalog(session, schema, skip=skip)
    finally:
        session.isolation_level = level


def read_catalog(session: Session, schema: str, *, skip: Iterable[str] = ()) -> Catalog:
    """Read the catalog inside the session's transaction, whose search_path is empty afterwards."""
    objects: dict[CatalogKey, tuple[str, ...]] = {}
    for part in read_parts(session, schema, skip=skip).values():
        objects.update(part)
    return Catalog(MappingProxyType(objects))


def read_parts(
    session: Session, schema: str, *, skip: Iterable[str] = (), only: Collection[int] | None = None
) -> dict[int, Objects]:
    """Read the catalog as `read_catalog` does, by the id of what each object belongs to.

    Columns, constraints, indexes, triggers, rules and policies belong to their table; all else is
    its own. With `only`, nothing but what belongs to these ids is read.
    """
    facts = {
        "schema": schema,
        "quoted_schema": sql.Identifier(schema).as_string(session),
        "skip": [HISTORY_TABLE, *skip],
        "only": None if only is None else list(only),
    }
    queries = load_queries("tradewright.migrate.catalog")
    parts: dict[int, Objects] = defaultdict(dict)
    session.execute(queries["empty_search_path"])
    for name in _QUERIES:
        for kind, identity, lines, part in session.execute(queries[name], facts):
            parts[part][CatalogKey(kind, identity)] = _lines(lines)
    return dict(parts)


def _lines(lines: list[str | None]) -> tuple[str, ...]:
    """Drop the facts that are as always, and call the grantee of everybody by its name."""
    return tuple(
        line.removesuffix(" -") + " public"
        if line.startswith("grant: ") and line[-2:] == " -"
        else line
        for line in lines
        if line is not None
    )
