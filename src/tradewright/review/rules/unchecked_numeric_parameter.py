"""A function that moves money does not check the amount it is given.

PostgreSQL ignores the precision and scale of a parameter, so numeric(20, 8) there rounds nothing
and refuses nothing. A negative amount turns a credit into a debit, and NaN poisons the balance.

Instead of::

    CREATE FUNCTION credit(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE balances SET available_balance = available_balance + p_amount WHERE id = p_id;
    END $$;

Use::

    CREATE FUNCTION credit(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT (p_amount > 0 AND p_amount < 'Infinity') THEN
            RAISE EXCEPTION 'amount must be positive';
        END IF;
        UPDATE balances SET available_balance = available_balance + p_amount WHERE id = p_id;
    END $$;

Not reported when the body compares the parameter with anything, hands it to a routine that may
check it, or inserts it into a column of that name that has a CHECK, or the function only reads.
"""

import re
from collections.abc import Iterator

from tradewright.review.meaning import EXACT, FLOATS, is_exact_quantity, is_money
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.bodies import Body
from tradewright.review.schema.tree import find, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    routine, body = event.routine, event.body
    if routine is None or body is None or not routine.arguments or not _writes_money(body):
        return
    for name, kind in routine.arguments:
        if kind not in EXACT | FLOATS or not is_exact_quantity(name.removeprefix("p_")):
            continue
        if not (_is_compared(name, body) or _is_guarded(name, body, context)):
            message = f'"{routine.name}" takes any {name}: negative amounts and NaN too'
            advice = f"Refuse it unless {name} > 0 AND {name} < 'Infinity'."
            subject = f"{routine.name}:{name}"
            yield Hit(event.statement, event.statement.start, message, advice, subject)


def _is_compared(name: str, body: Body) -> bool:
    word = re.escape(name)
    compared = rf"\b{word}\s*(?:[<>]|IS\b|BETWEEN\b)|[<>]=?\s*{word}\b"
    handed_on = rf"\b(?:PERFORM|CALL)\s+[\w.]+\s*\([^;]*\b{word}\b|[\w.]+\(\s*{word}\s*\)"
    return bool(re.search(f"{compared}|{handed_on}", body.quiet, re.IGNORECASE))


def _is_guarded(name: str, body: Body, context: Context) -> bool:
    """Return whether the amount goes into a column of that name that has a CHECK."""
    column = name.removeprefix("p_")
    tables = [
        context.schema.table(range_name(s.node.get("relation")))
        for s in body.statements
        if s.kind == "InsertStmt"
    ]
    return any(t is not None and any(True for _ in t.checks_of(column)) for t in tables)


def _writes_money(body: Body) -> bool:
    for statement in body.statements:
        if statement.kind == "UpdateStmt":
            targets = find(statement.node.get("targetList", []), "ResTarget")
        elif statement.kind == "InsertStmt":
            targets = find(statement.node.get("cols", []), "ResTarget")
        else:
            continue
        if any(is_money(target.get("name", "")) for target in targets):
            return True
    return False


RULE = Rule(
    id="unchecked-numeric-parameter",
    severity=Severity.MINOR,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
