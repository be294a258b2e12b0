"""A materialized view has no unique index.

REFRESH ... CONCURRENTLY needs one and fails without. A plain REFRESH locks out every reader for
as long as the query runs.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
    CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
    CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;
    CREATE UNIQUE INDEX totals_once ON totals (user_id);

Not reported when any unique index over plain columns, without a condition, exists at the end.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for view in context.schema.tables.values():
        if view.relation is not Relation.MATERIALIZED_VIEW:
            continue
        if any(i.unique and i.where is None and "" not in i.columns for i in view.indexes):
            continue
        severity = Severity.CRITICAL if _refreshed(context, view) else None
        message = f'materialized view "{view.full_name}" cannot be refreshed CONCURRENTLY'
        if severity:
            message += ", yet a REFRESH CONCURRENTLY of it stands in the files: it fails"
        advice = "Create a unique index on the columns that tell its rows apart."
        fix = (
            f"CREATE UNIQUE INDEX {quoted(f'{view.name}_once'[:63])} ON {quoted_table(view)} (...);"
        )
        start = view.statement.start
        yield Hit(view.statement, start, message, advice, view.full_name, fix, severity)


def _refreshed(context: Context, view: Table) -> bool:
    pattern = re.compile(
        rf"REFRESH\s+MATERIALIZED\s+VIEW\s+CONCURRENTLY\s+[\w.\"]*{re.escape(view.name)}\b",
        re.IGNORECASE,
    )
    return any(pattern.search(r.source.text) for r in context.ups())


RULE = Rule(
    id="matview-without-unique-index",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
