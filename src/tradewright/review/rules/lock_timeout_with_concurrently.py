"""CONCURRENTLY runs under a short lock_timeout.

A concurrent build must wait for every older transaction to end. With a timeout of seconds it is
cancelled and leaves an INVALID index behind.

Instead of::

    -- tradewright: no-transaction
    SET lock_timeout = '2s';
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Use::

    -- tradewright: no-transaction
    SET lock_timeout = 0;
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Not reported when the timeout is switched off or reset before, or is a minute or longer.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constant_number, constant_text
from tradewright.review.source.parser import Node

_MINUTE_MS = 60_000
_UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.reading is None:
        return
    timeout_ms = 0
    for statement in event.reading.statements:
        node = statement.node
        if statement.kind == "VariableSetStmt" and node.get("name") == "lock_timeout":
            timeout_ms = _milliseconds(node)
        elif node.get("concurrent") and 0 < timeout_ms < _MINUTE_MS:
            message = f"CONCURRENTLY is cancelled after {timeout_ms} ms of waiting, half done"
            advice = "SET lock_timeout = 0 before it."
            subject = str(node.get("idxname", event.source.label))
            yield Hit(statement, statement.start, message, advice, subject)


def _milliseconds(node: Node) -> int:
    values = node.get("args", [])
    if not values:
        return 0
    number = constant_number(values[0])
    if number is not None:
        return int(number)
    match = re.fullmatch(r"\s*(\d+)\s*(ms|s|min|h)?\s*", constant_text(values[0]) or "")
    return int(match[1]) * _UNITS[match[2] or ""] if match else 0


RULE = Rule(
    id="lock-timeout-with-concurrently",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=frozenset({"VariableSetStmt"}),
)
