"""Whether a folder of migrations begins at the beginning, or changes what somebody else made.

Many folders hold only the changes since a schema that was once loaded from elsewhere. What such a
file names and no file makes is then no defect; the setting `schema` tells the review what stood.
"""

from tradewright.review.rule import Context

_MAKING = frozenset({"CreateStmt", "CreateTableAsStmt", "DoStmt"})


def begins_at_beginning(context: Context) -> bool:
    """Return whether the first migration, or the schema before it, makes a table."""
    if "begins-at-beginning" not in context.facts:
        first = context.readings[0]
        context.facts["begins-at-beginning"] = any(
            statement.kind in _MAKING for statement in first.statements
        ) or any("create table" in _words(refusal.broken.text) for refusal in first.refusals)
    return bool(context.facts["begins-at-beginning"])


def _words(text: str) -> str:
    return " ".join(text.lower().split())
