"""A file reads or writes whole existing tables without setting statement_timeout.

A statement that turns out to run for hours holds its locks and keeps VACUUM from cleaning up, for
as long as it takes somebody to notice.

Instead of::

    UPDATE orders SET book = 'b' WHERE book IS NULL;

Use::

    SET statement_timeout = '10min';
    UPDATE orders SET book = 'b' WHERE book IS NULL;

Not reported when the file only touches what it creates, runs outside a transaction (concurrent
builds take their time), sets the timeout itself, or the setting `timeouts_set` says that the
runner does.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name
from tradewright.review.source.text import Statement, Wrapping

_SCANS = frozenset({"AT_AlterColumnType", "AT_SetNotNull", "AT_ValidateConstraint"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None or context.settings.timeouts_set:
        return
    if event.source.wrapping is Wrapping.BARE or "statement_timeout" in event.source.lowered:
        return
    for statement in filter(_is_long, reading.statements):
        table = context.schema.table(range_name(statement.node.get("relation")))
        if table is not None and context.is_new(table, event.source):
            continue
        message = "this may run for long on a large table, without statement_timeout"
        advice = "Set statement_timeout at the beginning of the file, or in the runner."
        fix = "SET statement_timeout = '10min';"
        yield Hit(statement, statement.start, message, advice, event.source.label, fix)
        return


def _is_long(statement: Statement) -> bool:
    if statement.kind == "AlterTableStmt":
        return any(map(statement.says, _SCANS))
    return statement.kind in {"UpdateStmt", "DeleteStmt"}


RULE = Rule(
    id="require-statement-timeout",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=frozenset({"AlterTableStmt", "UpdateStmt", "DeleteStmt"}),
    needs="model",
)
