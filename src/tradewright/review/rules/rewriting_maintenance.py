"""VACUUM FULL or CLUSTER stands in a migration.

Both write the whole table anew under an ACCESS EXCLUSIVE lock, need its size again on disk, and
VACUUM cannot run in a transaction at all.

Instead of::

    -- tradewright: no-transaction
    VACUUM FULL orders;

Use::

    -- tradewright: no-transaction
    VACUUM (ANALYZE) orders;

Not reported when VACUUM runs without FULL. Tools such as pg_repack do it without the lock.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, option, range_name


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
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


RULE = Rule(
    id="rewriting-maintenance",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("VacuumStmt", "ClusterStmt"),
    check=_check,
)
