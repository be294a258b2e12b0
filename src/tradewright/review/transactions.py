"""Whether a statement runs inside a transaction, by its runner and by its file's own words."""

from bisect import bisect_left
from collections.abc import Callable, Mapping

from tradewright.review.rule import Context
from tradewright.review.schema.tree import option, strings
from tradewright.review.source.parser import Node
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
    if reading is not None and _leaves(reading):
        return ""
    if source.wrapping is Wrapping.WRAPPED:
        return "the runner wraps each file in one"
    if source.wrapping is Wrapping.IMPLICIT and reading is not None:
        many = len(reading.statements) + len(reading.refusals) > 1
        return "the runner sends the file as one message, which is one transaction" if many else ""
    return ""


def refused_inside(kind: str, node: Node) -> str:
    """Return the command that PostgreSQL refuses in a transaction block, or an empty string.

    CONCURRENTLY is not meant, which `concurrently-in-transaction` finds; nor REINDEX and CLUSTER of
    a partitioned table, which are not told from those of a plain one here.
    """
    command, when = REFUSED_INSIDE.get(kind, ("", None))
    return command if when is None or when(node) else ""


def _makes_slot(node: Node) -> bool:
    """Return whether a subscription makes its slot, as it does unless it is told not to."""
    return not any(
        _is_off(option(node.get("options"), each)) for each in ("create_slot", "connect")
    )


def _is_off(argument: Node | None) -> bool:
    """Return whether an option is switched off, by a word or by 0."""
    for kind, value in (argument or {}).items():
        match kind:
            case "Integer":
                return not value.get("ival")
            case "String":
                return value.get("sval") in _OFF
            case "TypeName":
                return strings(value.get("names"))[-1] in _OFF
    return False


_OFF = frozenset({"false", "off"})
_ONE_TABLES = frozenset({"REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"})
REFUSED_INSIDE: Mapping[str, tuple[str, Callable[[Node], bool] | None]] = {
    "AlterDatabaseStmt": (
        "ALTER DATABASE ... SET TABLESPACE",
        lambda node: option(node.get("options"), "tablespace") is not None,
    ),
    "AlterSystemStmt": ("ALTER SYSTEM", None),
    "ClusterStmt": ("CLUSTER without a table", lambda node: "relation" not in node),
    "CreateSubscriptionStmt": ("CREATE SUBSCRIPTION with a slot", _makes_slot),
    "CreateTableSpaceStmt": ("CREATE TABLESPACE", None),
    "CreatedbStmt": ("CREATE DATABASE", None),
    "DiscardStmt": ("DISCARD ALL", lambda node: node.get("target") == "DISCARD_ALL"),
    "DropTableSpaceStmt": ("DROP TABLESPACE", None),
    "DropdbStmt": ("DROP DATABASE", None),
    "ReindexStmt": (
        "REINDEX of a database or schema",
        lambda node: node.get("kind") not in _ONE_TABLES,
    ),
    "VacuumStmt": ("VACUUM", lambda node: bool(node.get("is_vacuumcmd"))),
}
"""The commands that PostgreSQL refuses inside, and when, if not always."""


def _leaves(reading: Reading) -> bool:
    """Return whether the runner takes the file out of the transaction by itself.

    Tradewright's own does so for the sake of one statement, Flyway where all are of this kind.
    """
    match reading.source.layout:
        case "tradewright":
            return any(map(_is_refused_inside, reading.statements))
        case "flyway":
            return bool(reading.statements) and all(map(_is_refused_inside, reading.statements))
    return False


def _is_refused_inside(statement: Statement) -> bool:
    kind, node = statement.kind, statement.node
    if kind == "ReindexStmt" and option(node.get("params"), "concurrently") is not None:
        return True
    return bool(node.get("concurrent") or refused_inside(kind, node))


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
    wrapped = reading.source.wrapping is not Wrapping.BARE
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
