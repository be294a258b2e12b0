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

Not reported when the body compares the parameter with anything, or the function only reads.
"""

import re
from collections.abc import Iterator

from tradewright.review.meaning import EXACT, FLOATS, is_exact_quantity, is_money
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.bodies import Body
from tradewright.review.schema.tree import find


def _check(_: Context, event: Event) -> Iterator[Hit]:
    routine, body = event.routine, event.body
    if routine is None or body is None or not _writes_money(body):
        return
    for name, kind in routine.arguments:
        if kind not in EXACT | FLOATS or not is_exact_quantity(name.removeprefix("p_")):
            continue
        if not re.search(
            rf"\b{re.escape(name)}\s*(?:[<>]|IS\b|BETWEEN\b)|[<>]=?\s*{re.escape(name)}\b|\(\s*{re.escape(name)}\s*\)",
            body.quiet,
            re.IGNORECASE,
        ):
            message = f'"{routine.name}" takes any {name}: negative amounts and NaN too'
            advice = f"Refuse it unless {name} > 0 AND {name} < 'Infinity'."
            yield Hit(
                event.statement, event.statement.start, message, advice, f"{routine.name}:{name}"
            )


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
