"""A trigger fails by its own mistake on every row that comes, changes or goes.

PostgreSQL does not look into a function when it is made. On the shadow each trigger was fired once
for each of its commands, and this one asked for a column, a table or a function that is not there.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO order_log (order_id) VALUES (NEW.id);
        RETURN NEW;
    END;
    $$;
    CREATE TRIGGER orders_are_logged AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    CREATE TABLE order_log (order_id uuid NOT NULL);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO order_log (order_id) VALUES (NEW.id);
        RETURN NEW;
    END;
    $$;
    CREATE TRIGGER orders_are_logged AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();

Not reported when the trigger refuses the row on purpose, or its condition is not met by a made-up
row.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import TriggerFailed
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, TriggerFailed):
        return
    message = f'trigger "{fact.trigger}" fails on {fact.command} of "{fact.table}": {fact.word}'
    advice = "Correct the function, or make what it asks for."
    subject = f"{fact.table}.{fact.trigger}"
    yield Hit(fact.statement, fact.statement.start, message, advice, subject)


RULE = Rule(
    id="trigger-fails",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    kinds=("prove-trigger",),
    check=_check,
    needs="shadow",
)
