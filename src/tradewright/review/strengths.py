"""What the migrations do well, counted from the model, each with an example from the files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tradewright.review.meaning import EXACT, is_money
from tradewright.review.rule import Context
from tradewright.review.schema.catalog import ConstraintKind, Index, Relation, Table
from tradewright.review.source.text import Statement

_EXAMPLE_LINES_MAX = 4


@dataclass(frozen=True, slots=True)
class Strength:
    """A good practice that was found, with how much of it and one example."""

    title: str
    detail: str
    example: str


def strengths_of(context: Context) -> list[Strength]:
    """Return what the reviewed migrations do well."""
    tables = [
        t
        for t in context.schema.tables.values()
        if t.relation is Relation.TABLE and not t.partition_of
    ]
    return [*_indexes(context, tables), *_integrity(tables), *_values(tables), *_conduct(context)]


def _indexes(context: Context, tables: list[Table]) -> Iterator[Strength]:
    indexes = [index for t in context.schema.tables.values() for index in t.indexes]
    keys = [(t, fk.columns) for t in tables for fk in t.of_kind(ConstraintKind.FOREIGN)]
    served = sum(any(p[: len(c)] == c for p in t.index_prefixes()) for t, c in keys)
    if keys and served == len(keys):
        detail = f"All {served} foreign keys can be looked up through an index."
        yield Strength("Indexed foreign keys", detail, "")
    kinds = (
        ("Composite indexes", "serve queries by several columns", lambda i: len(i.columns) > 1),
        ("Partial indexes", "hold only the rows that are asked for", lambda i: i.where is not None),
        ("BRIN indexes", "keep time series small", lambda i: i.method == "brin"),
        ("GIN indexes", "search inside documents", lambda i: i.method == "gin"),
    )
    for title, what, is_such in kinds:
        yield from _kind(title, what, [index for index in indexes if is_such(index)])


def _kind(title: str, what: str, indexes: list[Index]) -> Iterator[Strength]:
    if indexes:
        yield Strength(title, f"{len(indexes)} {what}.", _excerpt(indexes[0].statement))


def _integrity(tables: list[Table]) -> Iterator[Strength]:
    keys = [fk for table in tables for fk in table.of_kind(ConstraintKind.FOREIGN)]
    checks = [check for table in tables for check in table.of_kind(ConstraintKind.CHECK)]
    if len(keys) > 1:
        yield Strength(
            "Referential integrity",
            f"{len(keys)} foreign keys.",
            keys[0].statement.source.line_text(_line(keys[0].statement, keys[0].offset)),
        )
    if len(checks) > 1:
        line = _line(checks[0].statement, checks[0].offset)
        example = checks[0].statement.source.line_text(line)
        yield Strength("Checked values", f"{len(checks)} CHECK constraints.", example)


def _values(tables: list[Table]) -> Iterator[Strength]:
    columns = [(table, column) for table in tables for column in table.columns.values()]
    money = [c for _, c in columns if is_money(c.name) and c.type in EXACT]
    floats = [c for _, c in columns if is_money(c.name) and c.type not in EXACT]
    if money and not floats:
        line = money[0].statement.source.line_text(_line(money[0].statement, money[0].offset))
        yield Strength("Financial precision", f"{len(money)} money columns are exact.", line)
    zoned = [c for _, c in columns if c.type == "timestamptz"]
    if zoned and not any(c.type == "timestamp" for _, c in columns):
        yield Strength("Time zones", f"All {len(zoned)} timestamps carry their zone.", "")
    keyed = [t for t in tables if t.primary_key]
    if tables and len(keyed) == len(tables):
        yield Strength("Primary keys", f"All {len(tables)} tables have one.", "")


def _conduct(context: Context) -> Iterator[Strength]:
    statements = [s for reading in context.ups() for s in reading.statements]
    built = [s for s in statements if s.kind == "IndexStmt" and s.node.get("concurrent")]
    if built:
        yield Strength(
            "Concurrent index creation",
            f"{len(built)} indexes are built while writes go on.",
            _excerpt(built[0]),
        )
    tuned = [s for s in statements if "AT_SetStatistics" in str(s.node.get("cmds", ""))]
    if tuned:
        yield Strength(
            "Statistics for the planner",
            f"{len(tuned)} columns have a target of their own.",
            _excerpt(tuned[0]),
        )
    ups = [reading for reading in context.ups() if not reading.source.repeatable]
    if ups and all(reading.source.has_down for reading in ups):
        yield Strength("A way back", f"All {len(ups)} migrations have a down.", "")


def _line(statement: Statement, offset: int) -> int:
    return statement.source.locate(offset).line


def _excerpt(statement: Statement) -> str:
    lines = re.sub(r"\n\s*\n", "\n", statement.text).splitlines()
    shown = lines[:_EXAMPLE_LINES_MAX]
    return "\n".join(shown) + (";" if len(lines) == len(shown) else "\n...")
