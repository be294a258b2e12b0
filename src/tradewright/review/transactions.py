"""Whether a statement runs inside a transaction, by its runner and by its file's own words."""

from bisect import bisect_left

from tradewright.review.rule import Context
from tradewright.review.schema.tree import option
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Source, Statement, Wrapping

OPENING = frozenset({"TRANS_STMT_BEGIN", "TRANS_STMT_START"})
CLOSING = frozenset({"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"})


def in_transaction(context: Context, statement: Statement) -> str:
    """Return why a statement is inside a transaction, or an empty string when it is not."""
    source = statement.source
    reading = _reading(context, source)
    opened = _opened_before(reading, statement)
    if opened is not None:
        return "the file's own BEGIN opened one" if opened else ""
    if source.layout == "tradewright" and reading is not None and _leaves(reading):
        return ""
    if source.wrapping is Wrapping.WRAPPED:
        if source.layout != "golang-migrate":
            return "the runner wraps each file in one"
        if reading is not None and len(reading.statements) > 1:
            return "the runner sends the file as one message, which is one transaction"
    return ""


def _leaves(reading: Reading) -> bool:
    """Return whether Tradewright's own runner takes the file out of the transaction by itself."""
    return any(
        s.node.get("concurrent")
        or s.kind in {"VacuumStmt", "AlterSystemStmt"}
        or (s.kind == "ReindexStmt" and option(s.node.get("params"), "concurrently") is not None)
        for s in reading.statements
    )


def _reading(context: Context, source: Source) -> Reading | None:
    return next((r for r in reversed(context.readings) if r.source is source), None)


def _opened_before(reading: Reading | None, statement: Statement) -> bool | None:
    """Return whether BEGIN stands before the statement; None when the file has no BEGIN there."""
    if reading is None:
        return None
    if reading.boundaries is None:
        reading.boundaries = _boundaries(reading)
    at = bisect_left(reading.boundaries, statement.start, key=lambda boundary: boundary[0])
    return reading.boundaries[at - 1][1] if at else None


def _boundaries(reading: Reading) -> list[tuple[int, bool | None]]:
    """Return what holds behind each BEGIN and COMMIT of the file."""
    wrapped = reading.source.wrapping is Wrapping.WRAPPED
    opened: bool | None = None
    found = []
    for statement in reading.statements:
        kind = statement.node.get("kind") if statement.kind == "TransactionStmt" else None
        if kind in OPENING:
            opened = True
        elif kind in CLOSING and opened:
            opened = None if wrapped else False
        else:
            continue
        found.append((statement.start, opened))
    return found
