"""Autovacuum of a table is switched off and not on again.

Dead rows are then never removed and statistics never renewed: the table swells, plans go wrong,
and in the end PostgreSQL vacuums it all the same, at once, to keep its transaction ids from
wrapping around.

Instead of::

    ALTER TABLE orders SET (autovacuum_enabled = false);

Use::

    ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01);

Not reported when a later statement switches it on or resets it.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, range_name, strings
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement

_SWITCHES = frozenset({"autovacuum_enabled"})
_OFF = frozenset({"false", "off", "no", "0", "f"})


def _check(context: Context, _: Event) -> Iterator[Hit]:
    left_off: dict[tuple[str, str], Statement] = {}
    for statement in (each for reading in context.ups() for each in reading.statements):
        if statement.kind not in {"AlterTableStmt", "CreateStmt"}:
            continue
        if "autovacuum_enabled" not in statement.tree:
            continue
        name = context.schema.key(range_name(statement.node.get("relation")))
        for given in find(statement.node, "DefElem"):
            if given.get("defname") in _SWITCHES:
                if _is_off(given):
                    left_off[name] = statement
                else:
                    left_off.pop(name, None)
    for (_space, table), statement in left_off.items():
        message = f'autovacuum of "{table}" is switched off and stays off'
        advice = "Leave it on; make it more frequent where the table changes much."
        yield Hit(statement, statement.start, message, advice, table)


def _is_off(given: Node) -> bool:
    said = given.get("arg", {})
    word = said.get("String", {}).get("sval") or strings(said.get("TypeName", {}).get("names"))
    number = said.get("Integer")
    word = word[-1] if isinstance(word, list) and word else word
    return str(word).lower() in _OFF or (number is not None and not number.get("ival"))


RULE = Rule(
    id="autovacuum-left-off",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
