"""A placeholder of a template was left in the SQL.

The text was meant to pass through a template engine or a deployment script first. Sent as it is,
the server refuses it, or, inside a string, stores the placeholder.

Instead of::

    CREATE ROLE {{ app_role }};

Use::

    CREATE ROLE app;

Not reported when the braces stand in a comment, a quoted body or JSON text; Flyway's
`${placeholders}` are not reported in a Flyway project.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.dialects import mask

PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}|\$\{[A-Za-z_][\w:.]*\}|%\([A-Za-z_]\w*\)s|<%=?[^%\n]*%>|"
    r"@@[A-Za-z_]+@@|(?<![:\w]):'?[A-Za-z_]\w*'?(?=\s*[;,)])"
)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.refusal is None:
        return
    broken = event.refusal.broken
    for match in PLACEHOLDER.finditer(mask(broken.text)):
        if event.source.layout == "flyway" and match.group().startswith("${"):
            continue
        offset = broken.start + len(broken.text[: match.start()].encode())
        message = f"placeholder {match.group()} was left in the SQL"
        advice = "Write the value, or render the template before the review."
        yield Hit(event.statement, offset, message, advice, f"{event.source.label}:{match.group()}")


RULE = Rule(
    id="template-placeholder",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("refusal",),
    check=_check,
    downs=True,
)
