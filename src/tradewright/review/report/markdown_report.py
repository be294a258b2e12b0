"""The review as a Markdown document, to be read, mailed and kept."""

from collections.abc import Iterator

from tradewright.review.model import Severity
from tradewright.review.report.document import PLACES_MAX, Document, Group, document_of
from tradewright.review.result import Review
from tradewright.review.score import Status

HEADINGS = {
    Severity.CRITICAL: "Critical issues (must be fixed before deployment)",
    Severity.MAJOR: "Major issues (should be fixed)",
    Severity.MINOR: "Minor issues (nice to have)",
    Severity.INFO: "House-keeping",
}
PRIORITIES = {
    Severity.CRITICAL: "Priority 1: urgent (before any deployment)",
    Severity.MAJOR: "Priority 2: important (before production)",
    Severity.MINOR: "Priority 3: nice to have (after deployment)",
}
MARKS = {Status.BLOCKED: "🔴", Status.ACTION_REQUIRED: "🟠", Status.READY: "🟢"}


def render(review: Review) -> str:
    """Return the review as Markdown."""
    document = document_of(review)
    parts = [_head, _findings, _strengths, _recommendations, _checklist, _scores, _files]
    return "\n".join(line for part in parts for line in part(document))


def _head(document: Document) -> Iterator[str]:
    score = document.score
    yield f"# Migration review: {document.folder}"
    yield ""
    yield f"**Review date:** {document.reviewed_on}  "
    yield f"**Overall score:** {score.overall}/10  "
    yield f"**Status:** {MARKS[score.status]} {score.status.upper()}"
    yield from ("", "## Executive summary", "")
    yield from (f"- {line}" for line in document.summary)
    yield ""


def _findings(document: Document) -> Iterator[str]:
    yield from ("## Findings", "")
    if not document.groups:
        yield from ("Nothing was found.", "")
    number = 0
    for severity in Severity:
        groups = [group for group in document.groups if group.severity is severity]
        if groups:
            yield from (f"### {HEADINGS[severity]}", "")
        for group in groups:
            number += 1
            yield from _group(group, number)


def _group(group: Group, number: int) -> Iterator[str]:
    yield f"#### {number}. {group.title.rstrip('.')}"
    yield ""
    yield f"`{group.rule}` · {group.severity} · {group.category}"
    yield ""
    for finding in group.findings[:PLACES_MAX]:
        at = finding.location
        yield f"- `{at.path}:{at.line}`: {_escaped(finding.message)}"
    if len(group.findings) > PLACES_MAX:
        yield f"- and {len(group.findings) - PLACES_MAX} more"
    yield ""
    if group.offending:
        yield from ("```sql", "-- ❌ as it stands", group.offending, "```", "")
    if group.corrected:
        yield from ("```sql", "-- ✅ instead", group.corrected, "```", "")
    yield f"**Required action:** {group.advice}"
    yield ""


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")


def _strengths(document: Document) -> Iterator[str]:
    if not document.strengths:
        return
    yield from ("## Strengths", "")
    for strength in document.strengths:
        yield f"- **{strength.title}.** {strength.detail}"
        if strength.example:
            yield from ("", "  ```sql")
            yield from (f"  {line.strip()}" for line in strength.example.splitlines())
            yield from ("  ```", "")
    yield ""


def _recommendations(document: Document) -> Iterator[str]:
    yield from ("## Recommendations in order of priority", "")
    number = 0
    for severity, heading in PRIORITIES.items():
        groups = [group for group in document.groups if group.severity is severity]
        if groups:
            yield from (f"### {heading}", "")
        for group in groups:
            number += 1
            where = sorted({finding.location.path for finding in group.findings})
            shown = ", ".join(f"`{path}`" for path in where[:3])
            more = f" and {len(where) - 3} more" if len(where) > 3 else ""
            count = len(group.findings)
            yield f"{number}. **{group.title}** {group.advice} ({count} in {shown}{more})"
        if groups:
            yield ""
    if not number:
        yield from ("None.", "")


def _checklist(document: Document) -> Iterator[str]:
    yield from ("## Testing checklist", "", "Before deployment, verify:", "")
    for item in document.checklist:
        yield f"- [{'x' if item.is_done else ' '}] {item.text}{item.note}"
    yield from ("", "`tradewright verify` makes all ten on a shadow database.", "")


def _scores(document: Document) -> Iterator[str]:
    yield from ("## Summary", "", "| Category | Critical | Major | Minor | Info | Score |")
    yield "|---|---|---|---|---|---|"
    for row in document.score.categories:
        counts = " | ".join(str(row.counts.get(severity, 0)) for severity in Severity)
        yield f"| {row.category} | {counts} | {row.score}/10 |"
    yield f"| **Overall** | | | | | **{document.score.overall}/10** |"
    yield ""
    yield "Each category begins with 10. A rule with findings costs 3 (critical), 1.5 (major),"
    yield "0.5 (minor) or 0.1 (info), and a quarter of that for each further finding, up to twice"
    yield "the cost. The overall score lies midway between the mean and the lowest category. A"
    yield "critical finding blocks deployment."
    status = document.score.status
    yield from ("", f"**Deployment status:** {MARKS[status]} **{status.upper()}**", "")


def _files(document: Document) -> Iterator[str]:
    yield from ("## Files reviewed", "")
    for file in document.files:
        mark = {Severity.CRITICAL: "❌", Severity.MAJOR: "⚠️"}.get(file.worst or Severity.INFO, "✅")
        yield f"- {mark} `{file.path}` ({file.line_count:,} lines)"
    yield from ("", f"**Total lines reviewed:** {document.line_count:,}", "")
