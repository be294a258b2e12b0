"""A function reads a balance without a lock, decides, and then changes it.

Between the two another session may change the row: both find enough money and both take it.

Instead of::

    CREATE FUNCTION take(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE v numeric;
    BEGIN
        SELECT available_balance INTO v FROM balances WHERE id = p_id;
        IF v >= p_amount THEN
            UPDATE balances SET available_balance = available_balance - p_amount WHERE id = p_id;
        END IF;
    END $$;

Use::

    CREATE FUNCTION take(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE balances SET available_balance = available_balance - p_amount
        WHERE id = p_id AND available_balance >= p_amount;
    END $$;

Not reported when the read locks the row (FOR UPDATE), an advisory lock is taken, or the table is
locked before.
"""

import re
from collections.abc import Iterator

from tradewright.review.meaning import is_exact_quantity
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import column_refs, find, range_name
from tradewright.review.source.text import Statement

_LOCKS = re.compile(r"pg_advisory|\bLOCK\s+TABLE\b|FOR\s+(?:NO\s+KEY\s+)?UPDATE", re.IGNORECASE)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    body, routine = event.body, event.routine
    if body is None or routine is None or not any(map(_changed_amounts, body.statements)):
        return
    if _LOCKS.search(body.quiet):
        return
    read: dict[str, Statement] = {}
    for statement in body.statements:
        if statement.kind == "SelectStmt":
            for name in _decided_on(statement):
                read.setdefault(name, statement)
        elif statement.kind == "UpdateStmt":
            name = range_name(statement.node.get("relation"))[1]
            first = read.get(name)
            amounts = _changed_amounts(statement)
            if first is not None and amounts:
                message = (
                    f'"{routine.name}" reads "{name}" without a lock and then changes its '
                    f"{amounts[0]}: another session may be faster"
                )
                advice = "Read it FOR UPDATE, or put the condition into the UPDATE."
                yield Hit(first, first.start, message, advice, f"{routine.name}:{name}")
                del read[name]


def _changed_amounts(statement: Statement) -> list[str]:
    """Return the amounts that an UPDATE sets."""
    if statement.kind != "UpdateStmt":
        return []
    targets = find(statement.node.get("targetList", []), "ResTarget")
    return sorted(filter(is_exact_quantity, {t.get("name", "") for t in targets}))


def _decided_on(statement: Statement) -> Iterator[str]:
    named = {name for _, name in column_refs(statement.node.get("targetList", []))}
    if any(map(is_exact_quantity, named)):
        for relation in find(statement.node.get("fromClause", []), "RangeVar"):
            yield relation.get("relname", "")


RULE = Rule(
    id="check-then-update",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
