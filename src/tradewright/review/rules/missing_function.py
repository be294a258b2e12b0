"""A default, a check, an index or a trigger calls a function that does not exist.

The statement fails when it is run, as PostgreSQL looks the function up at once.

Instead of::

    CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz DEFAULT getdate());

Use::

    CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz DEFAULT now());

Not reported when the function is built in, created by an earlier statement (a DO block counts),
known to come from an extension, or named with a schema, nor when the first migration creates no
table (the folder does not begin at the beginning).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.origin import begins_at_beginning
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.builtins import EXTENSION_OF, functions
from tradewright.review.schema.tree import find, strings
from tradewright.review.source.dialects import FOREIGN_FUNCTIONS

_SYNTAX = frozenset({"coalesce", "greatest", "least", "nullif", "xmlelement", "grouping"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    for names, offset in _called(event):
        name = names[-1].lower()
        if len(names) > 1 or name in functions() or name in _SYNTAX or name in EXTENSION_OF:
            continue
        routines = context.schema.routines
        if ("public", name) in routines or any(key[1].lower() == name for key in routines):
            continue
        if context.schema.extensions - {"plpgsql", "uuid-ossp", "pgcrypto"}:
            continue
        dialect, instead = FOREIGN_FUNCTIONS.get(name, ("", ""))
        if not dialect and not begins_at_beginning(context):
            continue
        origin = f" (it is {dialect})" if dialect else ""
        message = f"function {name}() does not exist here{origin}"
        advice = f"Use {instead}." if instead else "Create the function in an earlier statement."
        yield Hit(event.statement, offset, message, advice, f"{name}()")


def _called(event: Event) -> Iterator[tuple[list[str], int]]:
    if event.kind == "CreateTrigStmt":
        yield strings(event.node.get("funcname")), event.statement.start
    whole = event.node is event.statement.node
    if not event.statement.has("FuncCall"):
        return
    if functions().issuperset(event.statement.plain_calls() or ("",)):
        return
    calls = event.statement.nodes("FuncCall") if whole else find(event.node, "FuncCall")
    for call in calls:
        yield strings(call.get("funcname")), event.statement.place(call)


RULE = Rule(
    id="missing-function",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=(
        "CreateStmt",
        "IndexStmt",
        "CreateTrigStmt",
        "AT_AddColumn",
        "AT_ColumnDefault",
        "AT_AddConstraint",
    ),
    check=_check,
    needs="model",
)
