"""The file begins with a byte order mark.

The server reads the mark as a part of the first word and reports a syntax error in a text that
looks right in every editor.

Instead of::

    -- a file saved as "UTF-8 with BOM"

Use::

    -- the same file saved as "UTF-8"

Not reported when the file begins with its first word. <!-- examples: prose -->
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.source.sample.startswith(_MARKS):
        message = "the file begins with a byte order mark, which PostgreSQL reads as a word"
        advice = "Save the file as UTF-8 without a mark."
        hit = Hit(event.statement, 0, message, advice, event.source.label)
        if event.source.sample.startswith(_MARKS[0]):
            hit.fix = partial(iter, (Edit(event.source.path, 0, len(_MARKS[0]), ""),))
        yield hit


RULE = Rule(
    id="byte-order-mark",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("file",),
    check=_check,
    downs=True,
    fixable=True,
)
