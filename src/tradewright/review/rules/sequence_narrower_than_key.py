"""A key is bigint, and its sequence still ends at 2,147,483,647.

ALTER COLUMN ... TYPE bigint widens a serial's column and leaves its sequence an integer, and a
sequence made AS integer feeds a bigint no further. INSERT fails at the old bound, on the day that
the change was to prevent. (An identity column widens its sequence by itself.)

Instead of::

    CREATE TABLE orders (id serial PRIMARY KEY);
    ALTER TABLE orders ALTER COLUMN id TYPE bigint;

Use::

    CREATE TABLE orders (id serial PRIMARY KEY);
    ALTER TABLE orders ALTER COLUMN id TYPE bigint;
    ALTER SEQUENCE orders_id_seq AS bigint;

Not reported for identity columns, and when ALTER SEQUENCE ... AS bigint stands anywhere in the
files.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, Table
from tradewright.review.schema.tree import constant_text, find, option, range_name, type_name
from tradewright.review.source.text import Statement

_NARROW = frozenset({"integer", "smallint"})
_SERIAL = frozenset({"serial", "serial4", "smallserial", "serial2"})


def _check(context: Context, _: Event) -> Iterator[Hit]:
    narrow = _narrow_sequences(context)
    if not narrow:
        return
    for table in context.schema.tables.values():
        for column in table.columns.values():
            name = _feeds(table, column) if column.type == "bigint" else ""
            if name in narrow:
                statement = narrow[name]
                shown = f"{table.full_name}.{column.name}"
                message = f'"{shown}" is bigint, but its sequence "{name}" ends at 2,147,483,647'
                advice = "Widen the sequence too."
                fix = f"ALTER SEQUENCE {quoted(name)} AS bigint;"
                yield Hit(statement, statement.start, message, advice, shown, fix)


def _narrow_sequences(context: Context) -> dict[str, Statement]:
    """Return the sequences that are integer in the end, with what made or outgrew them."""
    found: dict[str, Statement] = {}
    for statement in (each for reading in context.ups() for each in reading.statements):
        match statement.kind:
            case "CreateSeqStmt" | "AlterSeqStmt":
                name = range_name(statement.node.get("sequence"))[1]
                kind = option(statement.node.get("options"), "as") or {}
                if type_name(kind.get("TypeName")) in _NARROW:
                    found[name] = statement
                elif kind:
                    found.pop(name, None)
            case "CreateStmt" | "AlterTableStmt":
                found |= dict.fromkeys(_of_serials(statement), statement)
    return found


def _of_serials(statement: Statement) -> Iterator[str]:
    """Yield the sequences that serial columns of a statement make."""
    if "serial" not in statement.tree:
        return
    table = range_name(statement.node.get("relation"))[1]
    for column in find(statement.node, "ColumnDef"):
        if type_name(column.get("typeName")) in _SERIAL:
            yield f"{table}_{column.get('colname')}_seq"


def _feeds(table: Table, column: Column) -> str:
    """Return the sequence that a column's values come from, by its default or by its serial."""
    call = (column.default or {}).get("FuncCall", {})
    arguments = call.get("args", [])
    named = constant_text(arguments[0] if arguments else None) or ""
    return named.rpartition(".")[2].strip('"') or f"{table.name}_{column.name}_seq"


RULE = Rule(
    id="sequence-narrower-than-key",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
