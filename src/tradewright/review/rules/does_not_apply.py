"""PostgreSQL refuses a statement of the migration.

The file was applied to a shadow database as its runner would, and the server said no: the text,
a name, a type, a key or the data that earlier files left. What later statements fail to find
because of it is counted here and not reported again.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    CREATE TABLE fills (id uuid PRIMARY KEY, order_id text NOT NULL REFERENCES orders (id));

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    CREATE TABLE fills (id uuid PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders (id));

Not reported when the read stage has found the reason at the same statement (its finding then
carries the server's words), or when the shadow's own limits were in the way (`not-proven`).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.made import made_by
from tradewright.review.prove.model import Refused
from tradewright.review.rule import Context, Event, Hit, Rule

_NOT_THERE = frozenset({"42P01", "3F000", "42883", "42704"})
"""Refusals for want of a table, schema, function or type."""


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, Refused):
        return
    message = f"PostgreSQL refuses this: {fact.word}"
    if fact.followers:
        noun = "statement fails" if fact.followers == 1 else "statements fail"
        message += f"; {fact.followers} later {noun} for want of it"
    hint = fact.word.hint.rstrip(".")
    advice = f"{hint}." if hint else _advice(fact.word.sqlstate)
    subject = next(iter(made_by(fact.statement)), "") or event.source.label
    yield Hit(fact.statement, fact.offset, message, advice, f"{subject}:{fact.word.sqlstate}")


def _advice(sqlstate: str) -> str:
    if sqlstate in _NOT_THERE:
        return "Make it in an earlier file; if it stood before the first, tell by --schema FILE."
    return "Correct the statement; a shadow shows when it applies."


RULE = Rule(
    id="does-not-apply",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("prove-refused",),
    check=_check,
    needs="shadow",
)
