"""An index repeats another one, a unique key, or the beginning of one.

Each index is written on every insert and most updates. One whose columns another index begins
with is never the better choice.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE);
    CREATE INDEX idx_users_email ON users (email);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE);

Not reported when the two differ in condition, method, order or operator class, or the narrower
one is unique.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Index, Table
from tradewright.review.schema.tree import kind_of, range_name, strings


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        own = [
            i
            for i in table.indexes
            if i.statement.node.get("relation", {}).get("relname") == table.name
        ]
        for index in own:
            if index.unique or "" in index.columns:
                continue
            other = _covering(table, index)
            if other:
                shown = ", ".join(index.columns)
                message = f'index "{index.name}" ({shown}) repeats {other} of "{table.full_name}"'
                yield Hit(
                    index.statement,
                    index.statement.start,
                    message,
                    "Leave it out.",
                    f"{table.full_name}:{index.name}",
                    f"DROP INDEX CONCURRENTLY {_written(index)};",
                )
        yield from _repeated_keys(table, own)


def _written(index: Index) -> str:
    """Return the index's name with the schema that its statement gives its table."""
    return quoted_name((range_name(index.statement.node.get("relation"))[0], index.name))


def _covering(table: Table, index: Index) -> str:
    """Return the key or index that makes this one superfluous, in words."""
    width = len(index.columns)
    plain = index.where is None and index.method == "btree" and not index.include
    if plain and not _is_special(index):
        for key in table.key_constraints():
            if key.columns[:width] == index.columns:
                return f'the {key.kind} "{key.name}"'
    for other in table.indexes:
        if other is not index and _covers(other, index):
            return f'index "{other.name}"'
    return ""


def _covers(other: Index, index: Index) -> bool:
    width = len(index.columns)
    if other.method != index.method or other.columns[:width] != index.columns:
        return False
    if (other.where is None) is not (index.where is None) or _where(other) != _where(index):
        return False
    if _order(other, width) != _order(index, width):
        return False
    if not set(index.include) <= {*other.include, *other.columns}:
        return False
    if len(other.columns) > width:
        return index.method == "btree"
    return _is_later(index, other)


def _repeated_keys(table: Table, own: list[Index]) -> Iterator[Hit]:
    for index in own:
        if not index.unique or index.where is not None or "" in index.columns:
            continue
        for key in table.key_constraints():
            if key.columns == index.columns:
                message = f'unique index "{index.name}" repeats {key.kind} "{key.name}"'
                yield Hit(
                    index.statement,
                    index.statement.start,
                    message,
                    "Leave it out.",
                    f"{table.full_name}:{index.name}",
                    f"DROP INDEX CONCURRENTLY {_written(index)};",
                )


def _is_later(index: Index, other: Index) -> bool:
    mine, theirs = index.statement, other.statement
    return other.unique or (mine.source.path, mine.start) > (theirs.source.path, theirs.start)


def _is_special(index: Index) -> bool:
    return any("opclass" in kind_of(e)[1] for e in index.node.get("indexParams", ()))


def _where(index: Index) -> str:
    if index.where is None:
        return ""
    return re.sub(r"'location': -?\d+,? ?", "", str(index.where))


def _order(index: Index, width: int) -> list[tuple[str, str]]:
    elements = [kind_of(e)[1] for e in index.node.get("indexParams", ())][:width]
    return [(e.get("ordering", ""), str(strings(e.get("opclass")))) for e in elements]


RULE = Rule(
    id="duplicate-index",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("schema",),
    check=_check,
    needs="model",
)
