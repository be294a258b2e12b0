"""Row security is enabled, and no policy says whose rows are seen.

Without a policy every row is hidden, and every INSERT refused, for all roles but the table's owner:
the application reads an empty table from the moment of the migration, without an error.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (owner = current_user);

Not reported when any file makes a policy for the table. Where nobody but the owner is to read it,
ignore this with that reason.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name
from tradewright.review.source.text import Statement


def _check(context: Context, _: Event) -> Iterator[Hit]:
    enabled: dict[tuple[str, str], Statement] = {}
    ruled: set[tuple[str, str]] = set()
    key = context.schema.key
    for statement in (each for reading in context.ups() for each in reading.statements):
        if statement.kind == "AlterTableStmt" and statement.says("AT_EnableRowSecurity"):
            enabled[key(range_name(statement.node.get("relation")))] = statement
        elif statement.kind == "CreatePolicyStmt":
            ruled.add(key(range_name(statement.node.get("table"))))
        elif statement.kind == "DoStmt" and "policy" in statement.text.lower():
            return
    for name, statement in enabled.items():
        table = context.schema.tables.get(name)
        if name in ruled or table is None or not table.row_security:
            continue
        message = f'row security hides every row of "{table.full_name}": it has no policy'
        advice = "Say whose rows are seen: CREATE POLICY ... USING (...)."
        yield Hit(statement, statement.start, message, advice, table.full_name)


RULE = Rule(
    id="row-security-without-policy",
    severity=Severity.MINOR,
    category=Category.SECURITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
