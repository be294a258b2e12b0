"""A function locks a row with FOR UPDATE that may not exist, and inserts it if it does not.

SELECT ... FOR UPDATE of a missing row locks nothing. Two sessions both see no row, both insert,
and one fails or, without a unique key, money is counted twice.

Instead of::

    CREATE FUNCTION credit(p_user_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE v numeric;
    BEGIN
        SELECT available INTO v FROM balances WHERE user_id = p_user_id FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO balances (user_id, available) VALUES (p_user_id, p_amount);
        END IF;
    END $$;

Use::

    CREATE FUNCTION credit(p_user_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO balances (user_id, available) VALUES (p_user_id, p_amount)
        ON CONFLICT (user_id) DO UPDATE SET available = balances.available + excluded.available;
    END $$;

Not reported when the insert has ON CONFLICT and the row is locked after it, or the function
raises an exception when the row is missing.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.bodies import Body
from tradewright.review.schema.tree import find, range_name
from tradewright.review.source.text import Statement


def _check(_: Context, event: Event) -> Iterator[Hit]:
    body, routine = event.body, event.routine
    if body is None or routine is None:
        return
    inserted: dict[str, int] = {}
    for statement in body.statements:
        if statement.kind == "InsertStmt" and not _locked_after(statement, body):
            inserted.setdefault(range_name(statement.node.get("relation"))[1], statement.start)
    foreign = _foreign_inserts(body) if event.statement.kind == "refusal" else {}
    for statement in body.statements:
        if statement.kind != "SelectStmt" or "lockingClause" not in statement.node:
            continue
        for relation in find(statement.node.get("fromClause", []), "RangeVar"):
            name = relation.get("relname", "")
            start = max(inserted.get(name, -1), foreign.get(name, -1))
            if start > statement.start:
                message = (
                    f'"{routine.name}" locks a row of "{name}" that may not exist, then inserts '
                    "it: two sessions can pass the lock together"
                )
                advice = "Insert first with ON CONFLICT DO NOTHING, then lock; or use one upsert."
                yield Hit(statement, statement.start, message, advice, f"{routine.name}:{name}")


def _locked_after(insert: Statement, body: Body) -> bool:
    """Return whether an insert that yields to others is followed by a lock of the row."""
    if "onConflictClause" not in insert.node:
        return False
    table = range_name(insert.node.get("relation"))[1]
    return any(
        statement.start > insert.start
        and "lockingClause" in statement.node
        and table in {r.get("relname") for r in find(statement.node, "RangeVar")}
        for statement in body.statements
    )


_INSERT = re.compile(r"\bINSERT\s+INTO\s+[`\"]?(\w+)", re.IGNORECASE)


def _foreign_inserts(body: Body) -> dict[str, int]:
    """Return where another database's INSERT stands that could not be parsed."""
    return {match[1]: body.start + match.start() for match in _INSERT.finditer(body.quiet)}


RULE = Rule(
    id="lock-of-absent-row",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
