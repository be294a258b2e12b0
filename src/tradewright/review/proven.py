"""A review and its proof as one: what both stages found at one place is told once.

The read stage's finding is kept, because its advice knows the reason; it takes over the server's
words and the stage. Only where the proof is more severe does the proof's finding stand instead.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Category, Finding, Severity, Stage
from tradewright.review.prove.prover import Prover
from tradewright.review.prove.stage import prove_context
from tradewright.review.registry import SHADOW_RULES
from tradewright.review.result import Review, reviewed_files
from tradewright.review.source.statements import Reading
from tradewright.review.verify.model import Ground
from tradewright.review.verify.outcome import Verdict  # noqa: TC001 - with what it comes from
from tradewright.review.verify.registry import all_checks, judge

_SAME = {
    "does-not-apply": frozenset({"secret-in-sql"}),
    "rewrites-table": frozenset(
        {
            "adding-field-with-default",
            "changing-column-type",
            "stored-generated-column",
            "rewriting-maintenance",
        }
    ),
    "orphan-accepted": frozenset({"not-valid-never-validated"}),
    "down-fails": frozenset({"syntax-error", "missing-table"}),
    "second-run-fails": frozenset({"not-idempotent"}),
    "trigger-fails": frozenset({"trigger-writes-missing-column"}),
    "not-proven": frozenset({"unread-statement"}),
    "stand-in-extension": frozenset({"missing-extension"}),
}
"""Rule of the proof → rules that say the same of the same statement."""

_WITH_WORDS = frozenset({"does-not-apply", "trigger-fails"})
"""Rules whose message ends with what the server said, behind a colon."""

_WHOLE_FILE = frozenset({"second-run-fails", "takes-access-exclusive"})


def with_proof(review: Review, server: EmbeddedServer) -> Review:
    """Prove what was reviewed on a database of its own on `server`, and join the findings.

    Those of the ten tests that need no declarations are made on the way.
    """
    chosen = [check for check in all_checks() if check.is_part_of_review]
    verdicts: tuple[Verdict, ...] = ()

    def verify(prover: Prover) -> None:
        nonlocal verdicts
        verdicts = judge(Ground(prover=prover, findings=review.findings), chosen)

    proof = prove_context(review.context, server=server, before_end=verify)
    readings = review.context.readings
    findings = joined(list(review.findings), _in_scope(review, proof.findings), readings)
    sources = [reading.source for reading in readings if not reading.source.standing]
    return replace(
        review,
        findings=tuple(findings),
        files=reviewed_files(sources, findings),
        proof=proof,
        verdicts=verdicts,
    )


def _in_scope(review: Review, findings: Iterable[Finding]) -> list[Finding]:
    """Return what concerns the files under review; of what stood before, what was not tried."""
    unapplied = review.context.unapplied
    standing = {r.source.path for r in review.context.readings if r.source.standing}
    kept = []
    for finding in findings:
        path = finding.location.path
        if path in standing:
            wanted = finding.rule == "not-proven"
        else:
            wanted = unapplied is None or path in unapplied
        if wanted:
            kept.append(finding)
    return kept


def joined(read: list[Finding], proven: list[Finding], readings: list[Reading]) -> list[Finding]:
    """Return the findings of both stages, in the order of files and lines, each told once."""
    spans = _Spans(readings)
    for finding in proven:
        twin = next((f for f in read if _is_same(f, finding, spans)), None)
        if twin is not None and twin.severity.rank <= finding.severity.rank:
            read[read.index(twin)] = _in_the_servers_words(twin, finding)
            continue
        if twin is not None:
            read.remove(twin)
        read.append(finding)
    return sorted(read, key=lambda f: (f.location, f.severity.rank, f.rule))


def _is_same(read: Finding, proven: Finding, spans: "_Spans") -> bool:
    if read.location.path != proven.location.path or read.rule in SHADOW_RULES:
        return False
    if read.stage is Stage.PROVE and proven.rule in _WITH_WORDS:
        return False
    if proven.rule not in _WHOLE_FILE and spans.of(read) != spans.of(proven):
        return False
    return read.rule in _SAME.get(proven.rule, ()) or _is_same_kind(read, proven)


def _is_same_kind(read: Finding, proven: Finding) -> bool:
    """Return whether both say that a statement cannot apply, or that a file locks tables."""
    if proven.rule == "does-not-apply":
        return read.category is Category.SYNTAX and read.severity is Severity.CRITICAL
    if proven.rule == "takes-access-exclusive":
        return read.category is Category.AVAILABILITY and read.severity is not Severity.INFO
    return False


def _in_the_servers_words(read: Finding, proven: Finding) -> Finding:
    if proven.rule not in _WITH_WORDS:
        return replace(read, stage=Stage.PROVE)
    said = proven.message.partition(": ")[2]
    return replace(read, stage=Stage.PROVE, message=f"{read.message} (PostgreSQL: {said})")


class _Spans:
    """Which statement of its file a finding stands in."""

    def __init__(self, readings: list[Reading]) -> None:
        self._starts = {reading.source.path: sorted(_first_lines(reading)) for reading in readings}

    def of(self, finding: Finding) -> int:
        starts = self._starts.get(finding.location.path, [])
        return bisect_right(starts, (finding.location.line, finding.location.column))


def _first_lines(reading: Reading) -> list[tuple[int, int]]:
    offsets = [s.start for s in reading.statements if not s.repaired]
    offsets += [refusal.broken.start for refusal in reading.refusals]
    offsets += [piece.start for piece in reading.unread]
    places = map(reading.source.locate, offsets)
    return [(place.line, place.column) for place in places]
