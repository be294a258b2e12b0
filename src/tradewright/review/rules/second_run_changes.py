"""A second run of a file succeeds and leaves another schema than the first.

Whoever runs it twice, to be sure, gets constraints or indexes under made-up names beside those
that are there. Nothing says so.

Instead of::

    CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, quantity numeric(20, 8) NOT NULL);
    ALTER TABLE orders ADD CHECK (quantity > 0);

Use::

    CREATE TABLE IF NOT EXISTS orders (
        id uuid PRIMARY KEY,
        quantity numeric(20, 8) NOT NULL CHECK (quantity > 0)
    );

Not reported when the second run fails, or leaves the schema as it was.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import SecondRun
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, SecondRun) or fact.word is not None:
        return
    message = f"a second run of this file changes the schema again: {'; '.join(fact.differences)}"
    advice = "Name what the file makes, and guard it with IF NOT EXISTS or OR REPLACE."
    yield Hit(fact.statement, fact.statement.start, message, advice, event.source.label)


RULE = Rule(
    id="second-run-changes",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("prove-second-run",),
    check=_check,
    needs="shadow",
)
