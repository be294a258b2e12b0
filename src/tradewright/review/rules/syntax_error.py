"""PostgreSQL cannot read the statement.

The migration stops here, and everything that later files build on it is missing too. When the
text comes from another database, the finding names the dialect and the way PostgreSQL writes it.

Instead of::

    CREATE TABLE payments (
        id BIGINT AUTO_INCREMENT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        INDEX idx_user_id (user_id)
    ) ENGINE=InnoDB;

Use::

    CREATE TABLE payments (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id bigint NOT NULL
    );
    CREATE INDEX idx_payments_user_id ON payments (user_id);

Not reported when PostgreSQL's own parser accepts the statement: this rule has no grammar of its
own. A partial UNIQUE inside a table has a rule of its own (inline-unique-where), and so have
psql's commands and placeholders of templates.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.rules.inline_unique_where import UNIQUE_WHERE
from tradewright.review.rules.psql_meta_command import META
from tradewright.review.schema.define import is_inline_index
from tradewright.review.schema.tree import column_refs, range_name, type_name
from tradewright.review.source.text import BrokenStatement


def _check(_: Context, event: Event) -> Iterator[Hit]:
    refusal = event.refusal
    if refusal is None:
        yield from _inline_indexes(event)
        return
    broken = refusal.broken
    text = broken.text
    for sighting, offset in refusal.seen:
        idiom = sighting.idiom
        message = f"{idiom.name} is {idiom.dialect}, PostgreSQL cannot read it"
        yield Hit(event.statement, offset, message, idiom.advice, _subject(text, idiom.name))
    if refusal.routine is not None:
        message = (
            f'routine "{refusal.routine.name}" is written for another database: '
            "PostgreSQL needs a quoted body and a language"
        )
        advice = "Write CREATE FUNCTION ... RETURNS ... LANGUAGE plpgsql AS $$ BEGIN ... END; $$;"
        yield Hit(event.statement, broken.start, message, advice, refusal.routine.name)
    elif not refusal.seen and not _has_own_rule(broken):
        advice = (
            "Correct the text where the caret points; nothing behind it in the file is applied."
        )
        yield Hit(event.statement, broken.offset, broken.message, advice, _subject(text, ""))


def _inline_indexes(event: Event) -> Iterator[Hit]:
    """Find MySQL's INDEX name (columns), which parses as a column of an unknown type."""
    if not (event.statement.says("index") or event.statement.says("key")):
        return
    table = range_name(event.node.get("relation"))[1]
    for definition in event.statement.nodes("ColumnDef"):
        if is_inline_index(definition):
            name = type_name(definition.get("typeName"))
            message = "inline INDEX is MySQL, PostgreSQL reads a column of an unknown type"
            columns = ", ".join(c for _, c in column_refs(definition["typeName"]["typmods"]))
            advice = "Create the index after the table: CREATE INDEX name ON table (columns);"
            index = f"idx_{table}_{columns.replace(', ', '_')}"
            corrected = f"CREATE INDEX {index} ON {table} ({columns});"
            offset = event.statement.place(definition)
            yield Hit(event.statement, offset, message, advice, f"{table}:{name}", corrected)


def _has_own_rule(broken: BrokenStatement) -> bool:
    if broken.source.holds_placeholder(broken.start, broken.end):
        return True
    return any(pattern.search(broken.text) for pattern in (UNIQUE_WHERE, META))


def _subject(text: str, idiom: str) -> str:
    match = re.match(r"\s*(?:\w+\s+){1,6}?[`\"]?([\w.]+)[`\"]?\s*\(", text)
    name = match[1] if match else " ".join(text.split()[:4])
    return f"{name}:{idiom}" if idiom else name


RULE = Rule(
    id="syntax-error",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("refusal", "CreateStmt"),
    check=_check,
    downs=True,
)
