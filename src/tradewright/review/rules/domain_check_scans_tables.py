"""A constraint is added to a domain whose columns already hold rows.

PostgreSQL scans every table with a column of the domain before the constraint stands, and takes a
SHARE lock on each: nothing can be written to any of them until the last one has been read. Two
million rows in one table took 390 ms; NOT VALID took 0.3 ms and no lock.

Instead of::

    ALTER DOMAIN score ADD CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100);

Use::

    ALTER DOMAIN score ADD CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100) NOT VALID;

Validate it in a later file, which takes the same locks at an hour that you choose.

Not reported with NOT VALID, and when only tables of the same unapplied set use the domain.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Table
from tradewright.review.schema.tree import range_name, strings, type_name

_CHECKED = frozenset({"C", "O"})
"""ADD CONSTRAINT and SET NOT NULL, in the parser's letters."""


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    constraint = node.get("def", {}).get("Constraint", {})
    if node.get("subtype") not in _CHECKED or constraint.get("skip_validation"):
        return
    name = strings(node.get("typeName"))[-1]
    users = list(_users(context, name))
    standing = [table.full_name for table in users if not context.is_new(table, event.source)]
    if not standing and (users or name in context.schema.domains):
        return
    shown = ", ".join(f'"{each}"' for each in dict.fromkeys(standing)) or "every table that uses it"
    message = f'a new constraint of domain "{name}" blocks writes to {shown} while rows are read'
    advice = "Add it NOT VALID, and validate it in a later file."
    yield Hit(event.statement, event.statement.start, message, advice, name)


def _users(context: Context, domain: str) -> Iterator[Table]:
    """Yield the tables of which a statement gives a column the domain."""
    for statement in (each for reading in context.ups() for each in reading.statements):
        if statement.kind not in {"CreateStmt", "AlterTableStmt"} or not statement.says(domain):
            continue
        types = (column.get("typeName") for column in statement.nodes("ColumnDef"))
        if any(type_name(each) == domain.lower() for each in types):
            table = context.schema.table(range_name(statement.node.get("relation")))
            if table is not None:
                yield table


RULE = Rule(
    id="domain-check-scans-tables",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AlterDomainStmt",),
    check=_check,
    needs="model",
)
