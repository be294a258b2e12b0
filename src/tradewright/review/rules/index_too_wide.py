"""An index has many columns.

Beyond four, the columns behind the first ones seldom narrow a search further, but each is
written with every row and updated with every change.

Instead of::

    CREATE TABLE t (id uuid PRIMARY KEY, a text, b text, c text, d text, e text);
    CREATE INDEX idx_t_all ON t (a, b, c, d, e);

Use::

    CREATE TABLE t (id uuid PRIMARY KEY, a text, b text, c text, d text, e text);
    CREATE INDEX idx_t_a ON t (a, b);

Not reported when the index is unique, or its further columns stand behind INCLUDE.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_COLUMNS_MAX = 4


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    count = len(node.get("indexParams", ()))
    if count > _COLUMNS_MAX and not node.get("unique"):
        name = str(node.get("idxname", ""))
        message = f'index "{name}" has {count} columns, each written with every row'
        advice = "Keep the columns that the queries search by; put the others behind INCLUDE."
        yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="index-too-wide",
    severity=Severity.INFO,
    category=Category.INDEXING,
    kinds=("IndexStmt",),
    check=_check,
)
