"""Rows are looked up by owner and state, or by owner and time, without an index for both.

A table that is filtered by its owner and its status reads all rows of the owner, or all rows of
the status. A ledger read by user and time sorts all of the user's rows.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL, status text NOT NULL);
    CREATE INDEX idx_payments_user_id ON payments (user_id);
    CREATE INDEX idx_payments_status ON payments (status);

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL, status text NOT NULL);
    CREATE INDEX idx_payments_user_status ON payments (user_id, status);

Not reported when an index begins with both columns in any order, or is partial and begins with
one of them. Only read for tables of payments, orders, ledgers, checks and the like, whose rows
grow with use.
"""

import re
from collections.abc import Iterator

from tradewright.review.meaning import is_creation_time
from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import list_of, quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table

_GROWS = re.compile(
    r"order|trade|payment|transaction|ledger|journal|transfer|withdrawal|deposit", re.IGNORECASE
)
_OWNERS = ("user_id", "account_id", "client_id", "customer_id")
_LEVELS = re.compile(r"^(?:risk_level|severity|risk_rating)$")
_LEDGER = re.compile(r"ledger|journal", re.IGNORECASE)


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.relation is not Relation.TABLE or table.partition_of:
            continue
        for columns, why in _wanted(table):
            if not _is_served(table, columns):
                yield _hit(table, columns, why)


def _wanted(table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the columns that such a table is usually read by."""
    owner = next((name for name in _OWNERS if name in table.columns), None)
    if owner and _GROWS.search(table.name) and "status" in table.columns:
        yield (owner, "status"), "one owner's rows in one state"
    made = next((name for name in table.columns if is_creation_time(name)), None)
    if owner and made and _LEDGER.search(table.name):
        yield (owner, made), "one owner's rows in the order of time"
    for name in table.columns:
        if _LEVELS.match(name) and re.search(r"check|alert|case|breach", table.name):
            yield (name,), f"the rows of one {name}"


def _is_served(table: Table, columns: tuple[str, ...]) -> bool:
    wanted, width = set(columns), len(columns)
    if any(set(prefix[:width]) == wanted for prefix in table.index_prefixes()):
        return True
    partial = (i for i in table.indexes if i.where is not None and i.columns)
    return any(index.columns[0] in wanted for index in partial)


def _hit(table: Table, columns: tuple[str, ...], why: str) -> Hit:
    shown = ", ".join(columns)
    listed = list_of(columns)
    last = f"{listed} DESC" if len(columns) > 1 and columns[-1].endswith("_at") else listed
    name = f"idx_{table.name}_{'_'.join(columns)}"
    return Hit(
        table.statement,
        table.statement.start,
        f'"{table.full_name}" has no index on ({shown}), by which {why} are read',
        "Add the index if the queries ask for it.",
        f"{table.full_name}({shown})",
        f"CREATE INDEX CONCURRENTLY {quoted(name[:63])} ON {quoted_table(table)} ({last});",
    )


RULE = Rule(
    id="missing-composite-index",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("schema",),
    check=_check,
    needs="model",
)
