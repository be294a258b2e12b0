"""A unique constraint or primary key is added to an existing table.

PostgreSQL builds its index under an ACCESS EXCLUSIVE lock.

Instead of::

    ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);

Use::

    -- tradewright: no-transaction
    CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
    ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;

Not reported when USING INDEX is given, or the table is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constraints_of, range_name, strings


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    for constraint in constraints_of(event.node):
        if constraint.get("contype") not in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}:
            continue
        if constraint.get("indexname"):
            continue
        columns = ", ".join(strings(constraint.get("keys"))) or event.node["def"].get(
            "ColumnDef", {}
        ).get("colname", "")
        name = constraint.get("conname") or f"{shown}_key"
        message = f'adding the key ({columns}) locks "{shown}" while its index is built'
        advice = "Build the unique index CONCURRENTLY first, then add the key USING INDEX."
        fix = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {shown} ({columns});"
        offset = event.statement.place(constraint)
        yield Hit(event.statement, offset, message, advice, f"{shown}({columns})", fix)


RULE = Rule(
    id="disallowed-unique-constraint",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint", "AT_AddColumn"),
    check=_check,
    needs="model",
)
