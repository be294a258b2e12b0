"""A statement could not be tried on the shadow.

It needs a superuser, an extension that is not there, or more time than a proof gives. This says
nothing against the statement, only that nobody has tried it.

Instead of::

    COPY (SELECT 1) TO PROGRAM 'cat > /tmp/rows';

Use::

    SELECT 1;

Not reported when the statement ran, or was refused on its own account (`does-not-apply`).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import Untried
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, Untried):
        return
    more = f"; {fact.followers} later ones neither, for the same reason" if fact.followers else ""
    message = f"this could not be tried on the shadow: {fact.reason}{more}"
    advice = "Try it on a copy of the real server."
    subject = f"{event.source.label}:{fact.statement.kind}"
    yield Hit(fact.statement, fact.statement.start, message, advice, subject)


RULE = Rule(
    id="not-proven",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("prove-untried",),
    check=_check,
    needs="shadow",
)
