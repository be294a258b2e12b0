"""CREATE OR REPLACE FUNCTION changes an existing function's return type or argument names.

PostgreSQL refuses it: the function must be dropped first. With other argument types it makes a
second function, and callers go on using the first one.

Instead of::

    CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT 1';

Use::

    CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    DROP FUNCTION total();
    CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT 1';

Not reported when the function was dropped before, or has other argument types (an overload).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Routine
from tradewright.review.schema.tree import find, strings, type_name
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if not node.get("replace"):
        return
    names = strings(node.get("funcname"))
    key = context.schema.key(("" if len(names) < 2 else names[-2], names[-1]))
    existing = context.schema.routines.get(key)
    parameters = list(find(node.get("parameters", []), "FunctionParameter"))
    wanted = [type_name(p.get("argType")) for p in parameters]
    if existing is None or [kind for _, kind in existing.arguments] != wanted:
        return
    what = _difference(existing, node, [p.get("name", "") for p in parameters])
    if what:
        message = f'function "{names[-1]}" cannot be replaced: this changes its {what}'
        advice = "Drop the function first, in the same migration."
        yield Hit(event.statement, event.statement.start, message, advice, names[-1])


def _difference(existing: Routine, node: Node, names: list[str]) -> str:
    returns = type_name(node.get("returnType"))
    if returns != existing.returns:
        return f"return type from {existing.returns or 'none'} to {returns or 'none'}"
    pairs = zip(existing.arguments, names, strict=True)
    renamed = [old for (old, _), new in pairs if old and old != new]
    return f'name of argument "{renamed[0]}"' if renamed else ""


RULE = Rule(
    id="replace-function-changes-return-type",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("CreateFunctionStmt",),
    check=_check,
    needs="model",
)
