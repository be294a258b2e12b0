"""A migration names a role that no migration makes.

On a fresh server the file fails there. The shadow made the role and went on.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    GRANT SELECT ON orders TO reporting;

Use::

    CREATE ROLE reporting NOLOGIN;
    CREATE TABLE orders (id uuid PRIMARY KEY);
    GRANT SELECT ON orders TO reporting;

Not reported when an earlier statement makes the role.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import StandIn, StandInOf
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, StandIn) or fact.of is not StandInOf.ROLE:
        return
    message = f'role "{fact.name}" is made by no migration; the shadow made one'
    advice = "Make the role where servers are set up, or in a migration that minds its existence."
    yield Hit(fact.statement, fact.statement.start, message, advice, fact.name)


RULE = Rule(
    id="stand-in-role",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("prove-stand-in",),
    check=_check,
    needs="shadow",
)
