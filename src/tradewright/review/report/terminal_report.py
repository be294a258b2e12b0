"""The report for a person at a terminal: each finding under its source line."""

from collections.abc import Iterator

from tradewright.review.model import Finding, Severity
from tradewright.review.prove.model import ProofResult
from tradewright.review.result import Review
from tradewright.review.verify.outcome import Status

_WIDTH_MAX = 160


def render(review: Review) -> str:
    """Return the findings as text, worst file order untouched, with a closing line."""
    lines: list[str] = []
    for finding in review.findings:
        lines += [*_finding(review, finding), ""]
    return "\n".join([*lines, *_closing(review)]) + "\n"


def _finding(review: Review, finding: Finding) -> Iterator[str]:
    at = finding.location
    yield f"{finding.severity}: {finding.message} [{finding.rule}]"
    yield f"  --> {at.path}:{at.line}:{at.column}"
    source, caret = _excerpt(review.line_of(at.path, at.line), at.column)
    if source:
        gutter = " " * len(str(at.line))
        yield f" {at.line} | {source}"
        yield f" {gutter} | {caret}"
    yield f"  help: {finding.advice}"
    if finding.corrected:
        yield from (f"    {line}" for line in finding.corrected.splitlines())


def _excerpt(line: str, column: int) -> tuple[str, str]:
    """Return a line cut to a screen's width, and the caret under its column."""
    line = line.replace("\t", " ")
    cut = max(column - _WIDTH_MAX // 2, 0) if len(line) > _WIDTH_MAX else 0
    return line[cut : cut + _WIDTH_MAX], " " * (column - 1 - cut) + "^"


def _closing(review: Review) -> Iterator[str]:
    counts = [(review.count(severity), severity) for severity in Severity]
    told = ", ".join(f"{count} {severity}" for count, severity in counts if count)
    files = len(review.files)
    lines = sum(file.line_count for file in review.files)
    yield f"{told or 'no findings'} in {files:,} files, {lines:,} lines"
    if review.proof is not None:
        yield _proof(review, review.proof)
    if review.unproven:
        yield f"not proven: {review.unproven}"
    if review.silenced_count:
        yield f"{review.silenced_count} findings of the baseline not shown"
    if review.stale_count:
        yield f"{review.stale_count} entries of the baseline are of no use now: --update-baseline"
    if review.findings:
        yield "explain a rule with: tradewright review --explain RULE"


def _proof(review: Review, proof: ProofResult) -> str:
    """Return what the shadow did, in one line."""
    statements = sum(file.statements for file in proof.files)
    passed = sum(verdict.outcome.status is Status.PASSED for verdict in review.verdicts)
    failed = sum(verdict.outcome.status is Status.FAILED for verdict in review.verdicts)
    return (
        f"on a shadow: {statements:,} statements, {len(proof.keys)} foreign keys, "
        f"{proof.schema_objects:,} objects; tests passed {passed}, failed {failed}"
    )
