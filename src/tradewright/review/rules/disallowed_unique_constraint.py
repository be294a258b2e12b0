"""A unique or exclusion constraint or a primary key is added to an existing table.

PostgreSQL builds its index under an ACCESS EXCLUSIVE lock.

Instead of::

    ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);

Use::

    -- tradewright: no-transaction
    CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
    ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;

The index of an exclusion constraint cannot be built beforehand: keep the table small, or the time
short. Not reported when USING INDEX is given, or the table is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import list_of, quoted, quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constraints_of, range_name, strings
from tradewright.review.source.parser import Node

_KEYS = frozenset({"CONSTR_UNIQUE", "CONSTR_PRIMARY"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    for constraint in constraints_of(event.node):
        if constraint.get("contype") == "CONSTR_EXCLUSION":
            yield _exclusion(event, constraint, shown)
        elif constraint.get("contype") in _KEYS and not constraint.get("indexname"):
            yield _key(event, constraint, shown)


def _key(event: Event, constraint: Node, shown: str) -> Hit:
    added = event.node["def"].get("ColumnDef", {}).get("colname", "")
    columns = tuple(strings(constraint.get("keys"))) or (added,)
    name = constraint.get("conname") or f"{'_'.join((shown, *columns))}_key"
    told = ", ".join(columns)
    message = f'adding the key ({told}) locks "{shown}" while its index is built'
    advice = "Build the unique index CONCURRENTLY first, then add the key USING INDEX."
    if added:
        advice = f"Add the column alone, and {advice[0].lower()}{advice[1:]}"
    written = quoted_name(range_name(event.statement.node.get("relation")))
    fix = f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name[:63])} ON {written} ({list_of(columns)});"
    offset = event.statement.place(constraint)
    return Hit(event.statement, offset, message, advice, f"{shown}({told})", fix)


def _exclusion(event: Event, constraint: Node, shown: str) -> Hit:
    name = constraint.get("conname") or f"{shown}_excl"
    message = f'adding exclusion constraint "{name}" locks "{shown}" while its index is built'
    advice = "Add it while the table is small, or in a quiet hour under a lock_timeout."
    return Hit(event.statement, event.statement.place(constraint), message, advice, name)


RULE = Rule(
    id="disallowed-unique-constraint",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint", "AT_AddColumn"),
    check=_check,
    needs="model",
)
