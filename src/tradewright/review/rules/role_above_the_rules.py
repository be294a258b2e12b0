"""A role is made a superuser, or is let past row security or into replication.

A superuser passes every grant, every row security policy and, with one statement, every trigger. A
migration that makes one gives it to whoever can run migrations, and to whoever reads the file.

Instead of::

    CREATE ROLE trading_app LOGIN SUPERUSER;

Use::

    CREATE ROLE trading_app LOGIN;
    GRANT SELECT, INSERT ON orders TO trading_app;

Not reported when the word is taken away: NOSUPERUSER, NOBYPASSRLS, NOREPLICATION.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import kind_of

_ABOVE = {"superuser": "SUPERUSER", "bypassrls": "BYPASSRLS", "isreplication": "REPLICATION"}


def _check(_: Context, event: Event) -> Iterator[Hit]:
    role = event.node.get("role")
    name = event.node.get("role", "") if isinstance(role, str) else (role or {}).get("rolename", "")
    for wrapped in event.node.get("options", ()):
        option = kind_of(wrapped)[1]
        word = _ABOVE.get(option.get("defname", ""))
        if word is None or not option.get("arg", {}).get("Boolean", {}).get("boolval", False):
            continue
        message = f'role "{name}" is given {word}: no grant and no policy holds for it'
        advice = "Grant what the role needs on the objects that it needs."
        yield Hit(event.statement, event.statement.start, message, advice, f"{name}.{word}")


RULE = Rule(
    id="role-above-the-rules",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("CreateRoleStmt", "AlterRoleStmt"),
    check=_check,
)
