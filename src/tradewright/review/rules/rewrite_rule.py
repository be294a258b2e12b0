"""A rule rewrites statements on a table.

CREATE RULE changes the text of every later statement, before it runs: a DELETE does nothing and
says so to nobody, a volatile default is evaluated twice, RETURNING stops working, COPY passes it
by. A trigger sees rows, and can refuse.

Instead of::

    CREATE RULE orders_stay AS ON DELETE TO orders DO INSTEAD NOTHING;

Use::

    CREATE TRIGGER orders_stay BEFORE DELETE ON orders
        FOR EACH ROW EXECUTE FUNCTION refuse_change();

Not reported for rules of views (ON ... TO a view DO INSTEAD), which INSTEAD OF triggers do as well.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    name = range_name(node.get("relation"))
    table = context.schema.table(name)
    if table is not None and table.relation is not Relation.TABLE:
        return
    silent = node.get("instead") and not node.get("actions")
    command = str(node.get("event", "")).removeprefix("CMD_")
    does = (
        f"makes every {command} do nothing, in silence" if silent else f"rewrites every {command}"
    )
    message = f'rule "{node.get("rulename", "")}" of "{name[1]}" {does}'
    advice = "Use a trigger."
    yield Hit(event.statement, event.statement.start, message, advice, name[1])


RULE = Rule(
    id="rewrite-rule",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("RuleStmt",),
    check=_check,
    needs="model",
)
