"""A view shows rows of a table past its row security.

A view reads with the rights of its owner. Row security does not bind the owner of a table, so
whoever may read the view sees every row: a policy that let a role see none of two rows showed it
both through a view.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (owner = current_user);
    CREATE VIEW open_orders AS SELECT id FROM orders;

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (owner = current_user);
    CREATE VIEW open_orders WITH (security_invoker = true) AS SELECT id FROM orders;

Not reported when the view is or becomes a `security_invoker`, or the table forces row security on
its owner too. A materialized view cannot be one; it is reported where it reads such a table.
"""

from collections.abc import Iterable, Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table
from tradewright.review.schema.tree import option, range_name
from tradewright.review.source.parser import Node

_OFF = frozenset({"false", "off", "no", "0"})


def _check(context: Context, _: Event) -> Iterator[Hit]:
    schema = context.schema
    if not any(table.row_security for table in schema.tables.values()):
        return
    forced, invoking = _said_later(context)
    for view in schema.tables.values():
        if view.relation is Relation.TABLE or view.name in invoking:
            continue
        if _invokes(view.statement.node.get("options")):
            continue
        read = [schema.tables[key] for key in sorted(view.reads) if key in schema.tables]
        hidden = next((t for t in read if t.row_security and t.name not in forced), None)
        if hidden is not None:
            yield _hit(view, hidden)


def _said_later(context: Context) -> tuple[set[str], set[str]]:
    """Return the tables that force row security, and the views that ALTER makes invokers."""
    forced, invoking = set(), set()
    for reading in context.ups():
        for statement in reading.statements:
            if statement.kind != "AlterTableStmt":
                continue
            name = range_name(statement.node.get("relation"))[1]
            for wrapped in statement.node.get("cmds", ()):
                command = wrapped["AlterTableCmd"]
                if command.get("subtype") == "AT_ForceRowSecurity":
                    forced.add(name)
                elif _invokes(command.get("def", {}).get("List", {}).get("items")):
                    invoking.add(name)
    return forced, invoking


def _invokes(options: Iterable[Node] | None) -> bool:
    """Return whether options switch security_invoker on."""
    if not any(
        each.get("DefElem", {}).get("defname") == "security_invoker" for each in options or ()
    ):
        return False
    value = option(list(options or ()), "security_invoker") or {}
    said = value.get("String", {}).get("sval", "true")
    return str(said).lower() not in _OFF


def _hit(view: Table, table: Table) -> Hit:
    kind = str(view.relation)
    message = (
        f'{kind} "{view.full_name}" shows every row of "{table.full_name}", past its row security'
    )
    advice = "Let it read with the rights of whoever asks."
    fix = f"ALTER VIEW {quoted_table(view)} SET (security_invoker = true);"
    if view.relation is Relation.MATERIALIZED_VIEW:
        advice, fix = "Keep its readers few, or filter its rows by a view above it.", ""
    return Hit(view.statement, view.statement.start, message, advice, view.full_name, fix)


RULE = Rule(
    id="view-bypasses-row-security",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
