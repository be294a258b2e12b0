"""A SECURITY DEFINER function does not pin its search_path.

It runs with its owner's rights and looks names up along the caller's search_path. A caller who
may create objects puts his own function or table in front, and it runs as the owner.

Instead of::

    CREATE FUNCTION credit() RETURNS void LANGUAGE sql SECURITY DEFINER
    AS 'UPDATE balances SET available = available + 1 WHERE id = 1';

Use::

    CREATE FUNCTION credit() RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path FROM CURRENT
    AS 'UPDATE balances SET available = available + 1 WHERE id = 1';

Not reported when the function sets search_path, in its definition or by a later ALTER FUNCTION.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import strings


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for routine in context.schema.routines.values():
        if routine.security_definer and "search_path" not in routine.settings:
            message = f'function "{routine.name}" runs as its owner along the caller\'s search_path'
            advice = "Add SET search_path FROM CURRENT (or a fixed list that ends in pg_temp)."
            if not _pinned_later(context, routine.name):
                start = routine.statement.start
                yield Hit(routine.statement, start, message, advice, routine.name)


def _pinned_later(context: Context, name: str) -> bool:
    for reading in context.ups():
        for statement in reading.statements:
            if statement.kind == "AlterFunctionStmt" and "search_path" in statement.text.lower():
                names = strings(statement.node.get("func", {}).get("objname"))
                if names[-1:] == [name]:
                    return True
    return False


RULE = Rule(
    id="security-definer-search-path",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
