"""The files of a tree that are written for MySQL, converted before anything else is corrected."""

from dataclasses import dataclass

from tradewright.review.model import Finding
from tradewright.review.rewrite.model import Reason
from tradewright.review.rewrite.rounds import reviewed
from tradewright.review.rewrite.tree import Tree
from tradewright.review.rule import Context
from tradewright.review.schema.build import apply
from tradewright.review.schema.catalog import Schema
from tradewright.review.source.text import Source

_FOREIGN_RULES = frozenset({"syntax-error", "missing-type"})


@dataclass(frozen=True, slots=True)
class Converted:
    """A tree without MySQL, as far as it could be converted."""

    tree: Tree
    paths: frozenset[str] = frozenset()
    unconverted: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


def converted(tree: Tree, covered: frozenset[str]) -> Converted:
    """Convert every covered file that speaks MySQL; one that is not wholly read stays as it is."""
    context, findings = reviewed(tree, covered)
    foreign = sorted({f.location.path for f in findings if speaks_mysql(f)})
    paths, unconverted, notes = set(), [], []
    for source in [r.source for r in context.ups() if r.source.path in foreign]:
        from tradewright.review.rewrite.mysql.script import convert  # noqa: PLC0415 - reads sqlglot

        result = convert(source.text, schema_before(context, source))
        told = [Reason(source.path, n.line, "MySQL", n.text) for n in result.notes if not n.refused]
        notes += told
        if result.refusals:
            unconverted += [Reason(source.path, n.line, "MySQL", n.text) for n in result.refusals]
            continue
        tree = tree.with_file(source.path, result.text.encode())
        paths.add(source.path)
        context, _ = reviewed(tree, covered)
    return Converted(tree, frozenset(paths), tuple(unconverted), tuple(notes))


def speaks_mysql(finding: Finding) -> bool:
    """Return whether a finding is about words of MySQL."""
    return finding.rule in _FOREIGN_RULES and "MySQL" in finding.message


def schema_before(context: Context, source: Source) -> Schema:
    """Return the schema as the files before one have built it."""
    schema = Schema()
    for reading in context.ups():
        if reading.source.path == source.path:
            return schema
        for statement in reading.statements:
            apply(schema, statement)
    return schema
