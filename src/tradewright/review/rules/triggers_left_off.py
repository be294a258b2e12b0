"""Triggers are turned off and not turned on again in the same file.

Audit, ledger guards and foreign keys are triggers. What is written while they are off is neither
recorded nor checked, and a file that ends with them off leaves every later writer unguarded.

Instead of::

    ALTER TABLE orders DISABLE TRIGGER ALL;
    INSERT INTO orders SELECT * FROM orders_before;

Use::

    ALTER TABLE orders DISABLE TRIGGER orders_notify;
    INSERT INTO orders SELECT * FROM orders_before;
    ALTER TABLE orders ENABLE TRIGGER orders_notify;

Not reported when the same file turns triggers of that table on again further down or sets
session_replication_role back, when that is set with SET LOCAL, or in down migrations.
"""

from collections.abc import Iterator, Sequence

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import kind_of, range_name
from tradewright.review.source.text import Direction, Statement

_OFF = frozenset({"AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser"})
_ON = frozenset({"AT_EnableTrig", "AT_EnableTrigAll", "AT_EnableTrigUser", "AT_EnableAlwaysTrig"})
_SETTING = "session_replication_role"


def _check(_: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None or event.source.direction is Direction.DOWN:
        return
    for place, statement in enumerate(reading.statements):
        if statement.kind == "VariableSetStmt":
            yield from _replication(statement, reading.statements[place + 1 :])
        elif statement.kind == "AlterTableStmt":
            yield from _left_off(statement, reading.statements[place + 1 :])


def _left_off(statement: Statement, later: Sequence[Statement]) -> Iterator[Hit]:
    table = range_name(statement.node.get("relation"))
    off = [name for kind, name in _commands(statement) if kind in _OFF]
    if not off or any(_turns_on(one, table) for one in later):
        return
    what = f'trigger "{off[0]}"' if off[0] else "the triggers"
    message = f'{what} of "{table[1]}" stay off: nothing after this is audited or guarded by them'
    advice = "Turn them on again in the same file, and turn off no more than is in the way."
    yield Hit(statement, statement.start, message, advice, f"{table[1]}.{off[0]}")


def _turns_on(statement: Statement, table: tuple[str, str]) -> bool:
    return (
        statement.kind == "AlterTableStmt"
        and range_name(statement.node.get("relation")) == table
        and any(kind in _ON for kind, _ in _commands(statement))
    )


def _commands(statement: Statement) -> list[tuple[str, str]]:
    """Return (subtype, name) of each command of an ALTER TABLE."""
    commands = [wrapped["AlterTableCmd"] for wrapped in statement.node.get("cmds", ())]
    return [(one.get("subtype", ""), one.get("name", "")) for one in commands]


def _replication(statement: Statement, later: Sequence[Statement]) -> Iterator[Hit]:
    if _role(statement) != "replica" or statement.node.get("is_local"):
        return
    if any(_role(one) not in {"", "replica"} for one in later):
        return
    message = f"{_SETTING} is replica until the session ends: no trigger and no foreign key holds"
    advice = f"SET LOCAL {_SETTING} = replica, in a transaction of its own."
    yield Hit(statement, statement.start, message, advice, _SETTING)


def _role(statement: Statement) -> str:
    """Return what a statement sets session_replication_role to; empty when it sets another."""
    node = statement.node
    if statement.kind != "VariableSetStmt" or node.get("name") != _SETTING:
        return ""
    value = next((kind_of(a)[1] for a in node.get("args", ())), {})
    return str(value.get("sval", {}).get("sval", "default")).lower()


RULE = Rule(
    id="triggers-left-off",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("file",),
    check=_check,
)
