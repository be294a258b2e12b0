"""Correcting a tree: review it, make the edits that rules offer, and again until none is left.

One correction may call for another (a column that has become a uuid can have a foreign key, and
that wants an index), so a review follows each round.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from tradewright.review.model import Finding
from tradewright.review.read import ReadStage
from tradewright.review.registry import all_rules
from tradewright.review.rewrite.model import Fix
from tradewright.review.rewrite.tree import Tree, overlap
from tradewright.review.rule import Context
from tradewright.review.schema.catalog import Schema

ROUNDS_MAX = 12


@dataclass(frozen=True, slots=True)
class Corrected:
    """A tree with its corrections made, what they were, and the review of the result."""

    tree: Tree
    fixes: tuple[Fix, ...]
    context: Context
    findings: tuple[Finding, ...]


def corrected(
    tree: Tree, covered: Collection[str], blocked: Collection[tuple[str, str, str]] = ()
) -> Corrected:
    """Correct the covered files; `blocked` are corrections that are not wanted."""
    made: list[Fix] = []
    context, findings = reviewed(tree, covered)
    for _ in range(ROUNDS_MAX):
        fixes = _round(findings, covered, blocked)
        if not fixes:
            break
        tree = tree.edited([edit for fix in fixes for edit in fix.edits])
        made += fixes
        context, findings = reviewed(tree, covered)
    return Corrected(tree, tuple(made), context, tuple(findings))


def reviewed(tree: Tree, covered: Collection[str]) -> tuple[Context, list[Finding]]:
    """Review a tree, with the edits that the rules offer."""
    unapplied = None if set(tree.files) <= set(covered) else frozenset(covered)
    context = Context(Schema(), tree.settings, unapplied=unapplied, fixing=True)
    rules = [rule for rule in all_rules().values() if rule.needs != "shadow"]
    findings = ReadStage(rules, context).run(tree.sources())
    return context, [f for f in findings if f.location.path in covered]


def _round(
    findings: list[Finding], covered: Collection[str], blocked: Collection[tuple[str, str, str]]
) -> list[Fix]:
    """Return the corrections of one round; what overlaps waits for the next."""
    taken: list[Fix] = []
    for finding in findings:
        place = finding.location
        fix = Fix(place.path, place.line, finding.rule, finding.subject, finding.edits)
        edits = [edit for other in taken for edit in other.edits]
        wanted = fix.key not in blocked and all(edit.path in covered for edit in fix.edits)
        fresh = [edit for edit in fix.edits if edit not in edits]
        if fresh and wanted and not overlap(fresh, edits):
            taken.append(replace(fix, edits=tuple(fresh)))
    return taken
