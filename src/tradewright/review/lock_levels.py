"""Which statements wait for an exclusive lock on a table that others already use."""

from collections.abc import Iterator

from tradewright.review.rule import Context
from tradewright.review.schema.tree import list_name, range_name
from tradewright.review.source.parser import Node
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement

_GENTLE = frozenset(
    {
        "AT_ValidateConstraint",
        "AT_SetStatistics",
        "AT_AttachPartition",
        "AT_EnableTrig",
        "AT_EnableAlwaysTrig",
        "AT_EnableReplicaTrig",
        "AT_EnableTrigUser",
        "AT_DisableTrig",
        "AT_DisableTrigUser",
    }
)
"""Commands of ALTER TABLE that let reads and writes pass."""


LOCKING = frozenset({"AlterTableStmt", "RenameStmt", "DropStmt", "TruncateStmt", "LockStmt"})
"""The statements that may take such a lock."""


def exclusive_locks(context: Context, reading: Reading) -> Iterator[tuple[Statement, str]]:
    """Yield each statement that takes ACCESS EXCLUSIVE on an existing table, and the table."""
    for statement in reading.statements:
        if statement.kind not in LOCKING:
            continue
        for name in _locked(statement):
            table = context.schema.table(("", name))
            if table is None or not context.is_new(table, reading.source):
                yield statement, name


def _renames_table(node: Node) -> bool:
    """Return whether something is renamed that is a table, or a part of one."""
    return "relation" in node and node.get("renameType") != "OBJECT_INDEX"


def _locked(statement: Statement) -> Iterator[str]:
    node = statement.node
    if statement.kind == "AlterTableStmt":
        kinds = {wrapped["AlterTableCmd"].get("subtype") for wrapped in node.get("cmds", ())}
        if not kinds <= _GENTLE and node.get("objtype") == "OBJECT_TABLE":
            yield range_name(node.get("relation"))[1]
    elif statement.kind == "RenameStmt" and _renames_table(node):
        yield range_name(node.get("relation"))[1]
    elif statement.kind == "DropStmt" and node.get("removeType") == "OBJECT_TABLE":
        yield from (list_name(wrapped)[1] for wrapped in node.get("objects", ()))
    elif statement.kind in {"TruncateStmt", "LockStmt"}:
        yield from (range_name(r.get("RangeVar"))[1] for r in node.get("relations", ()))
