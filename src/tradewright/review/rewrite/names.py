"""Names as they must be written in SQL: bare where PostgreSQL reads them back, else quoted."""

from functools import cache

from tradewright.review.schema.catalog import DEFAULT_SCHEMA, Table
from tradewright.review.source.parser import ParseError, parse


def quoted(name: str) -> str:
    """Return a name so that PostgreSQL reads exactly it."""
    return name if _is_bare(name) else '"' + name.replace('"', '""') + '"'


@cache
def _is_bare(name: str) -> bool:
    if not (name.isidentifier() and name.isascii() and name == name.lower()):
        return False
    try:
        parse(f"CREATE TABLE {name} ({name} integer)".encode())
    except ParseError:
        return False
    return True


def quoted_table(table: Table) -> str:
    """Return a table's name, with its schema where that is not the usual one."""
    name = quoted(table.name)
    return name if table.schema == DEFAULT_SCHEMA else f"{quoted(table.schema)}.{name}"


def quoted_name(parts: tuple[str, str]) -> str:
    """Return a name as (schema or empty, name), so that PostgreSQL reads exactly it."""
    return ".".join(quoted(part) for part in parts if part)


def list_of(columns: tuple[str, ...]) -> str:
    """Return columns as they stand between brackets."""
    return ", ".join(map(quoted, columns))
