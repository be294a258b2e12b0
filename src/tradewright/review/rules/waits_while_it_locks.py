"""A migration sleeps, or locks whole tables by hand.

Every lock of a migration's transaction is held until it ends. pg_sleep holds them for nothing, and
LOCK TABLE without a mode takes ACCESS EXCLUSIVE, which readers wait for too.

Instead of::

    LOCK TABLE orders;
    SELECT pg_sleep(5);

Use::

    LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;

Not reported for a lock that readers pass, and for tables that the same file creates.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import function_calls, range_name

_ACCESS_EXCLUSIVE = 8
_SLEEPS = frozenset({"pg_sleep", "pg_sleep_for", "pg_sleep_until"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    statement = event.statement
    if event.kind == "SelectStmt":
        slept = next((name for name, _ in function_calls(event.node) if name in _SLEEPS), None)
        if slept is not None:
            message = f"{slept} holds every lock of this transaction while nothing is done"
            advice = "Wait outside, between transactions."
            yield Hit(statement, statement.start, message, advice, slept)
        return
    if event.node.get("mode") != _ACCESS_EXCLUSIVE:
        return
    names = [range_name(wrapped.get("RangeVar")) for wrapped in event.node.get("relations", ())]
    for name in names:
        table = context.schema.table(name)
        if table is not None and context.is_new(table, event.source):
            continue
        message = f'"{name[1]}" is locked against readers too, until the transaction ends'
        advice = (
            "Name the weakest mode that is enough: IN SHARE ROW EXCLUSIVE MODE keeps writers out."
        )
        yield Hit(statement, statement.start, message, advice, name[1])


RULE = Rule(
    id="waits-while-it-locks",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("LockStmt", "SelectStmt"),
    check=_check,
    needs="model",
)
