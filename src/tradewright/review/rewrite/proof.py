"""The proof of a rewriting: what the server refuses of it and did not refuse before.

The folder as it was and the folder as it would be are both applied to a shadow database, file by
file, and each file taken back by its down; what the bodies of routines say is prepared. Every
complaint about the new folder that the old one did not deserve speaks against the changed files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.prove.model import DownDiffers, DownRefused, Fact, Refused
from tradewright.review.prove.prover import Prover
from tradewright.review.prove.stage import prove_context
from tradewright.review.rewrite.probes import failures, probes_of
from tradewright.review.rewrite.spans import skip_blank
from tradewright.review.rewrite.tree import Tree
from tradewright.review.rule import Context
from tradewright.review.schema.catalog import Schema
from tradewright.review.source.statements import read_statements
from tradewright.review.source.text import Statement

_UNTRIED = "its up file does not apply as a whole, so the way back cannot be tried"


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What the server, or the comparison of two catalogs, has against a file."""

    path: str
    line: int
    why: str
    statement: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return what stays the same when lines move."""
        return (self.path, self.why)


def complaints(
    tree: Tree, server: EmbeddedServer, downs: Mapping[str, str] = MappingProxyType({})
) -> list[Complaint]:
    """Apply a tree to a shadow database and take it back; return what went wrong.

    `downs` are new: down path to the path of its up. Each must have been tried.
    """
    readings = [read_statements(source) for source in tree.sources()]
    context = Context(Schema(), tree.settings, readings=readings)
    broken: list[tuple[Statement, str]] = []

    def try_routines(prover: Prover) -> None:
        with prover.shadow.session() as session:
            broken.extend(failures(session, probes_of(context.ups())))

    result = prove_context(context, server=server, before_end=try_routines)
    found = [found for fact in result.facts if (found := _complaint(fact)) is not None]
    found += [_told(statement, f"the routine cannot run: {why}") for statement, why in broken]
    tried = {file.source.path for file in result.files if file.down is not None}
    return found + [Complaint(down, 1, _UNTRIED) for down, up in downs.items() if up not in tried]


def _complaint(fact: Fact) -> Complaint | None:
    if isinstance(fact, Refused | DownRefused):
        why = str(fact.word)
    elif isinstance(fact, DownDiffers):
        why = f"its down leaves another schema: {'; '.join(fact.differences[:3])}"
    else:
        return None
    return _told(fact.statement, why)


def _told(statement: Statement, why: str) -> Complaint:
    source = statement.source
    line = source.locate(skip_blank(source.data, statement.start)).line
    return Complaint(source.path, line, why, statement.text)


def new_complaints(before: list[Complaint], after: list[Complaint]) -> list[Complaint]:
    """Return the complaints that the old folder did not deserve."""
    known = {complaint.key for complaint in before}
    return [complaint for complaint in after if complaint.key not in known]
