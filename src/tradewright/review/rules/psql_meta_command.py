r"""A command of psql stands in the migration.

Lines such as `\i other.sql` or `\set` belong to the psql client. A runner sends the text to the
server, which refuses it.

Instead of::

    \i functions/credit.sql

Use::

    CREATE FUNCTION credit() RETURNS void LANGUAGE sql AS 'SELECT 1';

Not reported when the backslash stands in a string or a comment, or in a sqitch project, whose
scripts psql itself runs.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.dialects import mask

META = re.compile(r"^[ \t]*\\(?P<command>[A-Za-z!?]+)", re.MULTILINE)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.source.layout == "sqitch" or "\\" not in event.source.text:
        return
    for match in META.finditer(mask(event.source.text)):
        offset = event.source.byte_of(match.start("command") - 1)
        command = f"\\{match['command']}"
        message = f"{command} is a command of psql; a server refuses it"
        advice = "Put the SQL itself into the migration."
        yield Hit(event.statement, offset, message, advice, f"{event.source.label}:{command}")


RULE = Rule(
    id="psql-meta-command",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("file",),
    check=_check,
    downs=True,
)
