"""A foreign key lets in a row that refers to nothing.

Each key of the finished schema was offered such a row. PostgreSQL checks a key only if it is
ENFORCED, and of several columns it checks none when one of them is NULL.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT payments_user_exists REFERENCES users (id) NOT ENFORCED
    );

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT payments_user_exists REFERENCES users (id)
    );

Not reported when a trigger of the table refuses the row with foreign_key_violation, or the row
could not be tried.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import OrphanTrial, OrphanVerdict
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, OrphanTrial) or fact.verdict is not OrphanVerdict.ACCEPTED:
        return
    key = fact.key
    reason = f", for {fact.why}" if fact.why else ""
    message = f'foreign key "{key.name}" let in a row that refers to nothing{reason}'
    advice = "Enforce the key, or refuse such rows in a trigger with foreign_key_violation."
    yield Hit(fact.statement, fact.statement.start, message, advice, str(key))


RULE = Rule(
    id="orphan-accepted",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("prove-orphan",),
    check=_check,
    needs="shadow",
)
