"""The files of a tree that are written for MySQL, converted before anything else is corrected."""

from dataclasses import dataclass

from tradewright.review.model import Finding
from tradewright.review.rewrite.model import Reason
from tradewright.review.rewrite.rounds import reviewed
from tradewright.review.rewrite.tree import Tree
from tradewright.review.rule import Context
from tradewright.review.schema.build import apply
from tradewright.review.schema.catalog import Schema
from tradewright.review.source.text import Direction, Source

_FOREIGN_RULES = frozenset({"syntax-error", "missing-type"})


@dataclass(frozen=True, slots=True)
class Converted:
    """A tree without MySQL, as far as it could be converted."""

    tree: Tree
    paths: frozenset[str] = frozenset()
    unconverted: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


def converted(
    tree: Tree, covered: frozenset[str], given: frozenset[str] = frozenset()
) -> Converted:
    """Convert every covered file that speaks MySQL; one that is not wholly read stays as it is.

    `given` are files that somebody says are MySQL's: PostgreSQL reads many of MySQL's sentences too
    and means something else by them.
    """
    context, findings = reviewed(tree, covered)
    foreign = {f.location.path for f in findings if speaks_mysql(f)} | (given & covered)
    paths, unconverted, notes = set(), [], []
    for source in [r.source for r in context.readings if r.source.path in foreign]:
        text, told, left = _converted_text(tree, context, source)
        notes += told
        if left:
            unconverted += [reason for reason in left if reason not in unconverted]
            continue
        tree = tree.with_file(source.path, text.encode())
        paths.add(source.path)
        context, _ = reviewed(tree, covered)
    return Converted(tree, frozenset(paths), tuple(unconverted), tuple(notes))


def _converted_text(
    tree: Tree, context: Context, source: Source
) -> tuple[str, list[Reason], list[Reason]]:
    """Return a file's text in PostgreSQL's words, what to tell of it, and what is left of MySQL."""
    whole = not_convertible(tree, source)
    if whole is not None:
        return source.text, [], [whole]
    from tradewright.review.rewrite.mysql.script import convert  # noqa: PLC0415 - reads sqlglot

    path = source.path
    result = convert(source.text, schema_before(context, source))
    told = [Reason(path, n.line, "MySQL", n.text) for n in result.notes if not n.refused]
    return result.text, told, [Reason(path, n.line, "MySQL", n.text) for n in result.refusals]


def not_convertible(tree: Tree, source: Source) -> Reason | None:
    """Return why a file cannot be converted at all, for the text of one direction is not its own.

    What stands in the other half of a file, or in a mark between them, would be lost.
    """
    text = tree.files[source.path].decode("utf-8", "replace").lstrip("\ufeff")
    if source.direction is Direction.DOWN and source.text.strip() == text.strip():
        why = "it is a way back: convert the file that it takes back, with --down"
    elif source.text.strip() != text.strip():
        why = "a runner's marks divide it: convert each half in a file of its own"
    else:
        return None
    return Reason(source.path, 1, "the whole file", why)


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
