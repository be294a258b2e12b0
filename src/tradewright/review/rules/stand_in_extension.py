"""An extension was replaced by a small stand-in on the shadow.

The embedded server lacks it. The stand-in has its usual functions with the right types, good
enough to try migrations, and good for nothing else. Servers without the extension refuse the file.

Instead of::

    CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuid_generate_v4());

Use::

    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuidv7());

Not reported when the server has the extension itself.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import StandIn, StandInOf
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, StandIn) or fact.of is not StandInOf.EXTENSION:
        return
    message = f'a stand-in took the place of extension "{fact.name}" on the shadow'
    advice = "Make sure that each server has it; uuidv7(), sha256() and others need none."
    yield Hit(fact.statement, fact.statement.start, message, advice, fact.name)


RULE = Rule(
    id="stand-in-extension",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("prove-stand-in",),
    check=_check,
    needs="shadow",
)
