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

Not reported when the routine is a procedure and the word stands outside every block whose errors
are caught, or in the part that handles them. To undo a part, use a block with EXCEPTION: it is a
savepoint.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_MARKS = re.compile(
    r"\bRAISE\s+EXCEPTION\b|\bEND\s+(?:IF|LOOP)\b|\b(?P<word>BEGIN|CASE|EXCEPTION|END)\b",
    re.IGNORECASE,
)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    routine, body = event.routine, event.body
    if routine is None or body is None or routine.language != "plpgsql":
        return
    guarded = _guarded(body.quiet) if routine.procedure and body.endings else []
    for word, offset in body.endings:
        at = offset - body.start
        if routine.procedure and not any(first <= at < last for first, last in guarded):
            continue
        kind = "a block with EXCEPTION" if routine.procedure else "a function"
        message = f'{word} in "{routine.name}" fails: {kind} cannot end the transaction'
        advice = "Leave it to the caller; to undo a part, use BEGIN ... EXCEPTION ... END."
        yield Hit(event.statement, offset, message, advice, f"{routine.name}:{word}")


def _guarded(quiet: str) -> list[tuple[int, int]]:
    """Return the bytes between BEGIN and the EXCEPTION of each block whose errors are caught."""
    opened: list[tuple[str, int]] = []
    found = []
    for mark in _MARKS.finditer(quiet):
        word = (mark["word"] or "").upper()
        if word in {"BEGIN", "CASE"} and not _ends_case(quiet, mark.start()):
            opened.append((word, mark.start()))
        elif word == "EXCEPTION" and opened:
            found.append((_bytes(quiet, opened[-1][1]), _bytes(quiet, mark.start())))
        elif word == "END" and opened:
            opened.pop()
    return found


def _ends_case(quiet: str, at: int) -> bool:
    """Return whether a CASE only names what its END ends."""
    return quiet[:at].rstrip()[-3:].upper() == "END"


def _bytes(quiet: str, character: int) -> int:
    return len(quiet[:character].encode("utf-8", "replace"))


RULE = Rule(
    id="transaction-control-in-function",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
