"""An index or a stored column uses a function that is not immutable.

PostgreSQL refuses it, because the value could differ when it is looked up: now(), random(), and
whatever depends on the session's time zone or settings.

Instead of::

    CREATE TABLE trades (id uuid PRIMARY KEY, at timestamptz NOT NULL);
    CREATE INDEX idx_trades_day ON trades (date_trunc('day', at));

Use::

    CREATE TABLE trades (id uuid PRIMARY KEY, at timestamptz NOT NULL);
    CREATE INDEX idx_trades_day ON trades (date_trunc('day', at AT TIME ZONE 'UTC'));

Not reported when the function is immutable for the types used, or is one of the files' own.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.builtins import unstable_functions
from tradewright.review.schema.catalog import Table
from tradewright.review.schema.tree import find, function_calls, range_name, strings
from tradewright.review.source.parser import Node

_BY_ZONE = frozenset({"date_trunc", "date", "to_char"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    statement = event.statement
    if event.kind == "IndexStmt":
        if not (statement.has("FuncCall") or statement.has("SQLValueFunction")):
            return
        table = context.schema.table(range_name(event.node.get("relation")))
        name = str(event.node.get("idxname", "index"))
        parts = [event.node.get("indexParams", []), event.node.get("whereClause", {})]
    else:
        if event.column is None or not event.column.generated:
            return
        table, name = event.table, event.column.name
        parts = [c["raw_expr"] for c in _generated(event)]
        if not parts:
            return
    for call, node in function_calls(parts):
        by_zone = call in _BY_ZONE and _reads_zone(table, node)
        if by_zone or call in unstable_functions():
            yield _hit(event, name, f"{call}()", node)
    for node in find(parts, "SQLValueFunction"):
        yield _hit(event, name, "the current time or user", node)


def _generated(event: Event) -> Iterator[Node]:
    if event.column is None or not event.column.generated:
        return
    for definition in event.statement.nodes("ColumnDef"):
        if definition.get("colname") == event.column.name:
            for constraint in find(definition.get("constraints", []), "Constraint"):
                if constraint.get("contype") == "CONSTR_GENERATED":
                    yield constraint


def _reads_zone(table: Table | None, call: Node) -> bool:
    """Return whether a timestamptz column is an argument as it is, so that the zone matters."""
    for argument in call.get("args", ()):
        if "ColumnRef" in argument and table is not None:
            name = strings(argument["ColumnRef"].get("fields"))[-1]
            column = table.columns.get(name)
            if column is not None and column.type == "timestamptz":
                return True
    return False


def _hit(event: Event, name: str, what: str, node: Node) -> Hit:
    message = f'"{name}" uses {what}, which is not immutable: PostgreSQL refuses it'
    advice = "Fix the time zone with AT TIME ZONE 'UTC', or compute the value in the query."
    return Hit(event.statement, event.statement.place(node), message, advice, name)


RULE = Rule(
    id="index-on-unstable-expression",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("IndexStmt", "column"),
    check=_check,
    of=frozenset({"generated"}),
    needs="model",
)
