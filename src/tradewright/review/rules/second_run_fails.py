"""A file fails when it is run a second time.

Where a runner keeps a history and a transaction around the file, a second run happens only by
hand, so this is house-keeping. Outside a transaction the first half of a file that broke off
stays, and the next try fails on it: there this is critical.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY);

Use::

    CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY);

Not reported when the file runs twice, or could not be applied once. Of the files in transactions
only the last is named, with the number of the others.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import SecondRun
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, SecondRun) or fact.word is None:
        return
    message = f"a second run of this file fails here: {fact.word}"
    if fact.others:
        message += f"; {fact.others} earlier files fail too"
    advice = "Guard what the file makes (IF NOT EXISTS, OR REPLACE) if it may run twice."
    severity = Severity.INFO if fact.transactional else Severity.CRITICAL
    subject = "transactional files" if fact.is_refused_whole else event.source.label
    yield Hit(fact.statement, fact.statement.start, message, advice, subject, severity=severity)


RULE = Rule(
    id="second-run-fails",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("prove-second-run",),
    check=_check,
    needs="shadow",
)
