"""A function, type or operator class is used whose extension no file creates.

On a fresh database the statement fails. It works on the author's machine because somebody once
created the extension there by hand.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuid_generate_v4());

Use::

    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuidv7());

Not reported when an earlier statement creates the extension, or a function or type of that name.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.builtins import COMES_WITH, EXTENSION_OF
from tradewright.review.schema.tree import strings, type_name
from tradewright.review.source.text import Statement

_STEMS = (
    *("uuid_", "crypt", "gen_", "digest", "hmac", "pgp_", "similarity", "unaccent", "levenshtein"),
    *("soundex", "crosstab", "hstore", "citext", "ltree", "cube", "vec", "geo", "st_d", "st_m"),
    *("moddatetime", "hypertable", "_ops"),
)
"""A part of each name in EXTENSION_OF."""
_ADVICE = {"uuid-ossp": "Use uuidv7() or gen_random_uuid(), which need no extension."}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if not context.mentions("missing-extension", event.source, _STEMS):
        return
    schema = context.schema
    for name, offset in _used(event):
        extension = EXTENSION_OF.get(name)
        if extension is None or extension in schema.extensions:
            continue
        if schema.extensions & set(COMES_WITH.get(extension, ())) or name in schema.types:
            continue
        if any(key[1] == name for key in schema.routines):
            continue
        message = f'"{name}" needs the extension "{extension}", which no earlier file creates'
        advice = _ADVICE.get(
            extension, f'Put CREATE EXTENSION IF NOT EXISTS "{extension}"; before it.'
        )
        hit = Hit(event.statement, offset, message, advice, f"{extension}:{name}")
        hit.fix = partial(_fixed, event.statement, offset)
        yield hit


def _fixed(statement: Statement, offset: int) -> Iterator[Edit]:
    """Call the function that is built in and makes the same kind of uuid."""
    pattern = r"\buuid_generate_v4(?=\s*\()"
    return found_within(statement, offset, pattern, lambda _: "gen_random_uuid")


def _used(event: Event) -> Iterator[tuple[str, int]]:
    place = event.statement.place
    statement = event.statement
    for node in statement.nodes("FuncCall"):
        yield strings(node.get("funcname"))[-1].lower(), place(node)
    for node in statement.nodes("ColumnDef"):
        yield type_name(node.get("typeName")).removesuffix("[]"), place(node)
    for node in statement.nodes("IndexElem"):
        yield from ((name, statement.start) for name in strings(node.get("opclass")))


RULE = Rule(
    id="missing-extension",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("CreateStmt", "AlterTableStmt", "IndexStmt", "InsertStmt", "UpdateStmt"),
    check=_check,
    needs="model",
    fixable=True,
)
