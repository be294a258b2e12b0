"""A table whose order matters stamps its rows with the time of the transaction.

now() and CURRENT_TIMESTAMP stand still from BEGIN on: all rows of a transaction carry the same
time, and one that began earlier but wrote later sorts before what it followed. A trail or a
ledger needs clock_timestamp(), taken after the lock.

Instead of::

    CREATE TABLE balance_ledger (
        id uuid PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now()
    );

Use::

    CREATE TABLE balance_ledger (
        id uuid PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );

Not reported when the table is no audit, ledger, event or history table, or has a sequence
(identity, version or sequence column) that gives its order.
"""

import re
from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import is_creation_time
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column
from tradewright.review.schema.tree import find, function_calls
from tradewright.review.source.parser import Node

_ORDERED = re.compile(r"^(?:seq|sequence|version|position|event_number|sequence_number)$")
_ORDERED_TABLES = re.compile(r"audit|ledger|journal|_events?$", re.IGNORECASE)


_MOMENTS = r"(?:now|transaction_timestamp|statement_timestamp)\s*\(\s*\)|current_timestamp"


def _check(_: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or not _ORDERED_TABLES.search(table.name) or table.partition_of:
        return
    if any(
        c.identity or c.type.endswith("serial") or _ORDERED.match(c.name)
        for c in table.columns.values()
    ):
        return
    for column in table.columns.values():
        if is_creation_time(column.name) and _is_transaction_time(column.default):
            name = f"{table.full_name}.{column.name}"
            message = (
                f'"{name}" is the time the transaction began: rows written in one transaction tie, '
                "and order is lost"
            )
            yield Hit(
                event.statement,
                column.offset,
                message,
                "Use DEFAULT clock_timestamp().",
                name,
                f"{quoted(column.name)} timestamptz NOT NULL DEFAULT clock_timestamp()",
                fix=partial(_fixed, column),
            )


def _fixed(column: Column) -> Iterator[Edit]:
    """Put the clock in the place of the function that the default calls."""
    return found_within(
        column.statement,
        column.offset,
        rf"(?<=\bDEFAULT)(\s+)(?:{_MOMENTS})",
        lambda match: f"{match[1].decode()}clock_timestamp()",
    )


def _is_transaction_time(default: Node | None) -> bool:
    if default is None:
        return False
    calls = {name for name, _ in function_calls(default)}
    if calls & {"now", "transaction_timestamp", "statement_timestamp"}:
        return True
    return any(v.get("op") == "SVFOP_CURRENT_TIMESTAMP" for v in find(default, "SQLValueFunction"))


RULE = Rule(
    id="transaction-time-in-audit",
    severity=Severity.MINOR,
    category=Category.TIME,
    kinds=("table",),
    check=_check,
    fixable=True,
)
