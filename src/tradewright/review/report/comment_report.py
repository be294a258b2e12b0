"""The review as a comment on a pull request: short, one row for each finding, house-keeping folded.

The first line marks it, so that a pipeline finds the comment of its last run and replaces it.
"""

from collections.abc import Iterable, Iterator

from tradewright.review.model import Finding, Severity
from tradewright.review.report.places import path_from_here
from tradewright.review.result import Review

MARK = "<!-- tradewright review -->"

CHARACTERS_MAX = 60_000
"""GitHub takes comments of 65,536 characters."""

_SIGNS = {
    Severity.CRITICAL: "🔴",
    Severity.MAJOR: "🟠",
    Severity.MINOR: "🟡",
    Severity.INFO: "🔵",
}
_HEAD = ("| | Where | What | Do |", "|---|---|---|---|")


def render(review: Review) -> str:
    """Return the findings as Markdown for a comment."""
    loud = [f for f in review.findings if f.severity is not Severity.INFO]
    quiet = [f for f in review.findings if f.severity is Severity.INFO]
    lines = [MARK, f"### Migrations: {_counted(review)}", ""]
    if loud:
        lines += [*_table(loud, CHARACTERS_MAX * 3 // 4), ""]
    if quiet:
        lines += [f"<details><summary>{len(quiet)} for information</summary>", ""]
        lines += [*_table(quiet, CHARACTERS_MAX // 5), "", "</details>", ""]
    return "\n".join([*lines, *_closing(review)]) + "\n"


def _counted(review: Review) -> str:
    counts = ((review.count(severity), severity) for severity in Severity)
    return ", ".join(f"{count} {severity}" for count, severity in counts if count) or "no findings"


def _table(findings: Iterable[Finding], room: int) -> Iterator[str]:
    """Yield a table of findings, the worst first, as far as there is room."""
    yield from _HEAD
    rows = [_row(each) for each in sorted(findings, key=lambda each: each.severity.rank)]
    for number, row in enumerate(rows):
        room -= len(row) + 1
        if room < 0:
            yield f"| | | and {len(rows) - number:,} more | |"
            return
        yield row


def _row(finding: Finding) -> str:
    at = finding.location
    sign = f"{_SIGNS[finding.severity]} {finding.severity}"
    place = f"`{_cell(path_from_here(at.path))}:{at.line}`"
    what = f"{_text(finding.message)} (`{finding.rule}`)"
    return f"| {sign} | {place} | {what} | {_text(finding.advice)} |"


def _text(text: str) -> str:
    """Return words as they are read: nothing in them is a tag, a mention or a mark of Markdown."""
    for sign in "\\*_[]~":
        text = text.replace(sign, f"\\{sign}")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _cell(text).replace("@", "@\u200b")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")[:600]


def _closing(review: Review) -> Iterator[str]:
    files = sum(file.worst is not None for file in review.files)
    if review.proof is not None:
        statements = sum(file.statements for file in review.proof.files)
        yield f"{statements:,} statements were tried on a scratch server."
    if review.unproven:
        yield f"Read only, not tried: {review.unproven}."
    if review.silenced_count:
        yield f"{review.silenced_count} findings of the baseline are not shown."
    if files:
        yield "`tradewright review --explain RULE` tells more about a rule."
