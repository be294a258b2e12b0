"""A column has a type that does not exist in PostgreSQL.

The statement parses, because any name may be a type, and fails when it is run. Most often the
name comes from another database.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, created_at DATETIME NOT NULL);

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, created_at timestamptz NOT NULL);

Not reported when an earlier statement creates the type (enum, domain, composite, table), when an
extension of the files brings it, when the name carries a schema, or, unless it is a name of another
database, when the folder does not begin at the beginning.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import is_exact_quantity
from tradewright.review.model import Category, Severity
from tradewright.review.origin import begins_at_beginning
from tradewright.review.rewrite.spans import retyped
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.builtins import EXTENSION_OF, types
from tradewright.review.source.dialects import FOREIGN_TYPES

_PSEUDO = frozenset(
    {
        "serial",
        "bigserial",
        "smallserial",
        "integer",
        "bigint",
        "smallint",
        "real",
        "boolean",
        "double precision",
        "decimal",
        "character varying",
        "character",
        "",
    }
)


_NUMBERS = frozenset({"double", "number", "binary_double", "binary_float"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is None or table is None:
        return
    name = column.type.removesuffix("[]")
    if name in _PSEUDO or "." in name or _is_known(context, name):
        return
    dialect, instead = FOREIGN_TYPES.get(name, ("", ""))
    if not dialect and not begins_at_beginning(context):
        return
    origin = f" (it is {dialect})" if dialect else ""
    message = f'type "{name}" of column "{table.full_name}.{column.name}" does not exist{origin}'
    advice = f"Use {instead}." if instead else "Create the type first, or correct its name."
    hit = Hit(event.statement, column.offset, message, advice, f"{table.full_name}.{column.name}")
    sure = _sure_type(name, column.name, instead)
    if sure:
        hit.fix = partial(retyped, column, sure)
    yield hit


def _sure_type(foreign: str, column: str, instead: str) -> str:
    """Return the one type to use instead; empty where there is a choice."""
    if foreign in _NUMBERS and is_exact_quantity(column):
        return "numeric(20, 8)"
    first = instead.partition(", or ")[0]
    return first if instead and " or " not in first else ""


def _is_known(context: Context, name: str) -> bool:
    schema = context.schema
    if name in types() or name in schema.types or name in {n.lower() for n in schema.types}:
        return True
    if name in EXTENSION_OF or any(key[1] == name for key in schema.tables):
        return True
    return (
        bool(schema.extensions - {"plpgsql", "uuid-ossp", "pgcrypto"}) and name not in FOREIGN_TYPES
    )


RULE = Rule(
    id="missing-type",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("column",),
    check=_check,
    needs="model",
    fixable=True,
)
