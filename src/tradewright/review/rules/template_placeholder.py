"""A placeholder of a template was left in the SQL.

The text was meant to pass through a template engine or a deployment script first. Sent as it is,
the server refuses it, or, inside a string, stores the placeholder.

Instead of::

    CREATE ROLE {{ app_role }};

Use::

    CREATE ROLE app;

The rest of the file is read, and tried on the shadow, with a name in its place. Each placeholder is
reported once, where it first stands.

Not reported when it stands in a comment, a string or JSON text, is Flyway's `${name}` in a Flyway
project, or has a value: `--placeholder app_role=app`, or `placeholders` in the settings.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Statement


def _check(context: Context, _: Event) -> Iterator[Hit]:
    told: set[str] = set()
    for reading in context.readings:
        source = reading.source
        if context.unapplied is not None and source.path not in context.unapplied:
            continue
        for offset, name in source.placeholders:
            filled = source.layout == "flyway" and name.startswith("${")
            if name in told or filled or source.standing:
                continue
            told.add(name)
            place = Statement(source, "file", "", 0, 0)
            message = f"placeholder {name} was left in the SQL"
            advice = "Write the value, or give it to the review: --placeholder NAME=VALUE."
            yield Hit(place, offset, message, advice, name)


RULE = Rule(
    id="template-placeholder",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("schema",),
    check=_check,
)
