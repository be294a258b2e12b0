"""SET TRANSACTION stands where it has no effect or is refused.

Outside a transaction it changes nothing but a warning. Inside a function some statement has
already run, so PostgreSQL refuses it.

Instead of::

    -- tradewright: no-transaction
    SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
    BEGIN;
    COMMIT;

Use::

    -- tradewright: no-transaction
    BEGIN ISOLATION LEVEL SERIALIZABLE;
    COMMIT;

Not reported when it is the first statement of a transaction.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("kind") != "VAR_SET_MULTI" or node.get("name") != "TRANSACTION":
        return
    if event.routine is not None or event.body is not None:
        where = "inside a function a query has already run, so it is refused"
        advice = "Let the caller begin the transaction at the level it needs."
    elif not in_transaction(context, event.statement):
        where = "no transaction has begun, so it has no effect"
        advice = "Write BEGIN ISOLATION LEVEL ... instead."
    elif _begins_after(context, event.statement):
        where = "it does not reach the BEGIN that follows"
        advice = "Write BEGIN ISOLATION LEVEL ... instead."
    else:
        return
    subject = event.routine.name if event.routine is not None else event.source.label
    yield Hit(event.statement, event.statement.start, f"SET TRANSACTION: {where}", advice, subject)


def _begins_after(context: Context, statement: Statement) -> bool:
    reading = context.readings[-1]
    return any(
        s.kind == "TransactionStmt"
        and s.start > statement.start
        and s.node.get("kind") in {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}
        for s in reading.statements
    )


RULE = Rule(
    id="set-transaction-misplaced",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("VariableSetStmt",),
    check=_check,
)
