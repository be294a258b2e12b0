"""A function tries to COMMIT or ROLLBACK.

A function runs inside its caller's transaction and cannot end it: PostgreSQL raises "invalid
transaction termination" at run time. Only a procedure that is called outside a transaction may.

Instead of::

    CREATE FUNCTION pay() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE balances SET available = 0 WHERE id = 1;
        COMMIT;
    END $$;

Use::

    CREATE FUNCTION pay() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE balances SET available = 0 WHERE id = 1;
    END $$;

Not reported when the routine is a procedure without an EXCEPTION block. To undo a part, use a
block with EXCEPTION: it is a savepoint.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    routine, body = event.routine, event.body
    if routine is None or body is None or routine.language != "plpgsql":
        return
    if routine.procedure and not re.search(r"\bEXCEPTION\b", body.quiet, re.IGNORECASE):
        return
    for word, offset in body.endings:
        kind = "a block with EXCEPTION" if routine.procedure else "a function"
        message = f'{word} in "{routine.name}" fails: {kind} cannot end the transaction'
        advice = "Leave it to the caller; to undo a part, use BEGIN ... EXCEPTION ... END."
        yield Hit(event.statement, offset, message, advice, f"{routine.name}:{word}")


RULE = Rule(
    id="transaction-control-in-function",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
