"""VACUUM FULL, CLUSTER or a move of a table stands in a migration.

They write the whole table anew under an ACCESS EXCLUSIVE lock and need its size again on disk;
VACUUM cannot run in a transaction at all. So do SET LOGGED, SET TABLESPACE and SET UNLOGGED, after
which a crash of the server empties the table.

Instead of::

    -- tradewright: no-transaction
    VACUUM FULL orders;

Use::

    -- tradewright: no-transaction
    VACUUM (ANALYZE) orders;

Not reported when VACUUM runs without FULL, or the table that is moved is created in the same
unapplied set. Tools such as pg_repack do it without the lock.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, option, range_name

_MOVES = {
    "AT_SetLogged": "SET LOGGED",
    "AT_SetUnLogged": "SET UNLOGGED",
    "AT_SetTableSpace": "SET TABLESPACE",
}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if event.kind in _MOVES:
        yield from _move(context, event)
        return
    if event.kind == "VacuumStmt":
        full = option(node.get("options"), "full")
        if full is None or not node.get("is_vacuumcmd"):
            return
        names = [
            range_name(r.get("relation"))[1] for r in find(node.get("rels", []), "VacuumRelation")
        ]
        command, name = "VACUUM FULL", ", ".join(names) or "every table"
    else:
        command, name = "CLUSTER", range_name(node.get("relation"))[1] or "every table"
    message = f"{command} rewrites {name} under an exclusive lock"
    advice = "Leave it out; use pg_repack where the room is needed."
    yield Hit(event.statement, event.statement.start, message, advice, name)


def _move(context: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or context.is_new(table, event.source) or table.partition_columns is not None:
        return
    message = f"{_MOVES[event.kind]} rewrites {table.full_name} under an exclusive lock"
    advice = "Leave it out, or do it in a quiet hour."
    if event.kind == "AT_SetUnLogged":
        message += ", and a crash will empty it"
        advice = "Keep it logged; only what can be made again may be lost."
    yield Hit(event.statement, event.statement.start, message, advice, table.full_name)


RULE = Rule(
    id="rewriting-maintenance",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("VacuumStmt", "ClusterStmt", *_MOVES),
    check=_check,
)
