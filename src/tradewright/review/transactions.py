"""Whether a statement runs inside a transaction, by its runner and by its file's own words."""

from tradewright.review.rule import Context
from tradewright.review.source.text import Source, Statement, Wrapping

OPENING = frozenset({"TRANS_STMT_BEGIN", "TRANS_STMT_START"})
CLOSING = frozenset({"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"})


def in_transaction(context: Context, statement: Statement) -> str:
    """Return why a statement is inside a transaction, or an empty string when it is not."""
    opened = _opened_before(context, statement)
    if opened is not None:
        return "the file's own BEGIN opened one" if opened else ""
    source = statement.source
    if source.wrapping is Wrapping.WRAPPED:
        if source.layout != "golang-migrate":
            return "the runner wraps each file in one"
        if _statement_count(context, source) > 1:
            return "the runner sends the file as one message, which is one transaction"
    return ""


def _opened_before(context: Context, statement: Statement) -> bool | None:
    """Return whether BEGIN stands before the statement; None when the file has no BEGIN there."""
    opened: bool | None = None
    for other in _statements(context, statement.source):
        if other.start >= statement.start:
            break
        if other.kind == "TransactionStmt":
            kind = other.node.get("kind")
            if kind in OPENING:
                opened = True
            elif kind in CLOSING and opened:
                opened = None if statement.source.wrapping is Wrapping.WRAPPED else False
    return opened


def _statement_count(context: Context, source: Source) -> int:
    return len(_statements(context, source))


def _statements(context: Context, source: Source) -> list[Statement]:
    reading = next((r for r in reversed(context.readings) if r.source is source), None)
    return reading.statements if reading else []
