"""Payments are stored, but nothing prepares them for reports.

Reports that sum a growing table read all of it, each time, beside the traffic that it serves. A
view says once what counts, and a materialized one keeps the answer.

Instead of::

    CREATE TABLE payment_transactions (
        id uuid PRIMARY KEY,
        amount numeric(20, 8) NOT NULL,
        currency text NOT NULL,
        status text NOT NULL,
        created_at timestamptz NOT NULL
    );

Use::

    CREATE TABLE payment_transactions (
        id uuid PRIMARY KEY,
        amount numeric(20, 8) NOT NULL,
        currency text NOT NULL,
        status text NOT NULL,
        created_at timestamptz NOT NULL
    );
    CREATE VIEW payment_totals AS
        SELECT currency, sum(amount) AS total FROM payment_transactions GROUP BY currency;

Not reported when a materialized view of the files reads the table, or a view that groups its rows;
one that only chooses rows prepares nothing. Nor when no table holds payments with amount, currency,
status and time.
"""

import re
from collections.abc import Iterator

from tradewright.review.meaning import is_creation_time, is_currency
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table

_PAYMENTS = re.compile(r"payment|transaction", re.IGNORECASE)


def _check(context: Context, _: Event) -> Iterator[Hit]:
    views = [t for t in context.schema.tables.values() if _prepares(t)]
    for key, table in context.schema.tables.items():
        names = table.columns.keys()
        wanted = {"amount", "status"} <= names and any(map(is_currency, names))
        if not (_PAYMENTS.search(table.name) and wanted and any(map(is_creation_time, names))):
            continue
        if not any(key in view.reads for view in views):
            message = f'no view prepares "{table.full_name}" for reports'
            advice = "Create a materialized view per day and currency, with a unique index."
            start = table.statement.start
            yield Hit(table.statement, start, message, advice, table.full_name)


def _prepares(table: Table) -> bool:
    """Whether it keeps an answer, or says what counts together."""
    if table.relation is Relation.MATERIALIZED_VIEW:
        return True
    return table.relation is Relation.VIEW and table.statement.has("groupClause")


RULE = Rule(
    id="reporting-view-missing",
    severity=Severity.INFO,
    category=Category.INDEXING,
    kinds=("schema",),
    check=_check,
    needs="model",
)
