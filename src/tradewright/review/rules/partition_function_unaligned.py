"""A function makes partitions from a date that it does not align to the period.

Called with 15 January it makes a partition from the 15th to the 15th, under the name of January.
The next call, with 1 February, overlaps it and fails, or leaves a gap.

Instead of::

    CREATE FUNCTION make_partition(month_date date) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF logs FOR VALUES FROM (%L) TO (%L)',
            'logs_' || to_char(month_date, 'YYYY_MM'), month_date, month_date + interval '1 month');
    END $$;

Use::

    CREATE FUNCTION make_partition(month_date date) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        first_day date := date_trunc('month', month_date)::date;
    BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF logs FOR VALUES FROM (%L) TO (%L)',
            'logs_' || to_char(first_day, 'YYYY_MM'), first_day, first_day + interval '1 month');
    END $$;

Not reported when the body truncates the date, or refuses one that is not the first.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_MAKES = re.compile(r"PARTITION\s+OF\b.*?FOR\s+VALUES\s+FROM", re.IGNORECASE | re.DOTALL)
_ALIGNS = re.compile(
    r"date_trunc|date_bin|make_date|make_timestamptz|extract\s*\(\s*day|to_date", re.IGNORECASE
)
_DATES = frozenset({"date", "timestamptz", "timestamp"})


def _check(_: Context, event: Event) -> Iterator[Hit]:
    routine = event.routine
    if routine is None or not any(kind in _DATES for _, kind in routine.arguments):
        return
    if _MAKES.search(routine.body) and not _ALIGNS.search(routine.body):
        message = (
            f'function "{routine.name}" makes a partition from any day it is given: '
            "partitions overlap or leave gaps"
        )
        advice = (
            "Begin with date_trunc('month', ...) at time zone UTC, and build both bounds from it."
        )
        yield Hit(event.statement, event.statement.start, message, advice, routine.name)


RULE = Rule(
    id="partition-function-unaligned",
    severity=Severity.MAJOR,
    category=Category.TIME,
    kinds=("routine",),
    check=_check,
)
