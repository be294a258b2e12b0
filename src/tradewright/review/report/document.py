"""The review as a document: the parts that Markdown and HTML both show.

Findings are grouped by rule, worst first; each group shows one offending excerpt and, where the
rule can give it, the corrected SQL. The testing checklist says which of its tests a shadow has
made, and which would already fail by what was read.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date

from tradewright.core.clock import utc_now
from tradewright.review.model import Finding, Severity
from tradewright.review.registry import rule_named, title_of
from tradewright.review.result import Review, ReviewedFile
from tradewright.review.score import Score, score_of
from tradewright.review.strengths import Strength, strengths_of
from tradewright.review.verify.outcome import Status, Verdict

PLACES_MAX = 12
_AROUND = 2


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one rule."""

    rule: str
    title: str
    severity: Severity
    category: str
    findings: tuple[Finding, ...]
    offending: str
    corrected: str
    advice: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One test to be made before deployment; `failing` counts what contradicts it already.

    `verdict` is there when a shadow has made the test.
    """

    text: str
    failing: int
    verdict: Verdict | None = None

    @property
    def is_done(self) -> bool:
        """Whether the test was made and passed, and nothing that was read contradicts it."""
        passed = self.verdict is not None and self.verdict.outcome.status is Status.PASSED
        return passed and not self.failing

    @property
    def note(self) -> str:
        """What is known of the test so far."""
        notes = [] if self.verdict is None else [_told(self.verdict)]
        if self.failing:
            notes.append(f"❌ {self.failing} findings say that it would fail")
        return f" ({'; '.join(notes)})" if notes else ""


def _told(verdict: Verdict) -> str:
    outcome = verdict.outcome
    if outcome.status is not Status.FAILED:
        return f"{'✅' if outcome.status is Status.PASSED else '-'} {outcome.figures}"
    more = f" and {len(outcome.problems) - 1} more" if len(outcome.problems) > 1 else ""
    return f"❌ {outcome.problems[0]}{more}"


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that a review in prose shows."""

    folder: str
    reviewed_on: date
    score: Score
    summary: tuple[str, ...]
    groups: tuple[Group, ...]
    strengths: tuple[Strength, ...]
    checklist: tuple[ChecklistItem, ...]
    files: tuple[ReviewedFile, ...]
    line_count: int


CHECKLIST = (
    ("All migrations apply without errors", "SQL syntax"),
    ("Idempotency: run twice, same result", "not-idempotent if-not-exists-diverges"),
    (
        "Rollback: down migrations restore the schema",
        "down-missing down-in-comment down-incomplete",
    ),
    (
        "Foreign keys: orphaned records are refused",
        "id-column-without-foreign-key fk-column-type-mismatch not-valid-never-validated",
    ),
    ("Identifiers: all ids have one type", "text-id-among-uuids fk-column-type-mismatch"),
    ("Time: every timestamp has a zone", "prefer-timestamp-tz time-with-time-zone"),
    (
        "Indexes: all are created and valid, every foreign key has one",
        "foreign-key-without-index concurrently-in-transaction concurrent-index-may-be-invalid",
    ),
    (
        "Procedures: functions run and hold under concurrency",
        (
            "transaction-control-in-function lock-of-absent-row check-then-update "
            "trigger-writes-missing-column set-transaction-misplaced"
        ),
    ),
    ("Performance: declared queries with and without their indexes", "missing-composite-index"),
    ("Backup and restore of the whole schema", ""),
)
"""Test → the category or rules whose findings say that it would fail."""


def document_of(review: Review) -> Document:
    """Return the document of a review."""
    score = score_of(review.findings)
    groups = _groups(review)
    return Document(
        folder=review.folder,
        reviewed_on=utc_now().astimezone(UTC).date(),
        score=score,
        summary=tuple(_summary(review, groups)),
        groups=groups,
        strengths=tuple(strengths_of(review.context)),
        checklist=tuple(_checklist(review)),
        files=review.files,
        line_count=sum(file.line_count for file in review.files),
    )


def _groups(review: Review) -> tuple[Group, ...]:
    by_rule: dict[tuple[int, str], list[Finding]] = defaultdict(list)
    for finding in review.findings:
        by_rule[finding.severity.rank, finding.rule].append(finding)
    return tuple(_group(review, rule, found) for (_, rule), found in sorted(by_rule.items()))


def _group(review: Review, rule: str, findings: list[Finding]) -> Group:
    first = findings[0]
    corrected = next((f for f in findings if f.corrected), first)
    known = rule != "unused-ignore"
    return Group(
        rule=rule,
        title=title_of(rule_named(rule)) if known else "An ignore comment is of no use.",
        severity=first.severity,
        category=str(first.category),
        findings=tuple(findings),
        offending=excerpt(review, corrected),
        corrected=corrected.corrected,
        advice=corrected.advice,
    )


def excerpt(review: Review, finding: Finding) -> str:
    """Return the lines around a finding, within its statement."""
    if not finding.offending:
        return ""
    line = finding.location.line
    whole = finding.offending.splitlines()
    texts = [
        review.line_of(finding.location.path, n) for n in range(max(line - 1, 1), line + _AROUND)
    ]
    inside = [text for text in texts if any(text.strip() in own for own in whole) and text.strip()]
    return "\n".join(inside)


def _summary(review: Review, groups: tuple[Group, ...]) -> list[str]:
    clean = [f.path for f in review.files if f.worst in {None, Severity.INFO}]
    lines = [f"✅ {len(clean)} of {len(review.files)} files are clean"] if clean else []
    for file in review.files:
        if file.worst is Severity.CRITICAL:
            own = [f for f in review.findings if f.location.path == file.path]
            count = sum(f.severity is Severity.CRITICAL for f in own)
            lines.append(f"❌ {file.path}: {count} critical, {len(own)} findings in all")
    for group in groups:
        mark = {Severity.CRITICAL: "❌", Severity.MAJOR: "⚠️"}.get(group.severity)
        if mark and len(lines) < PLACES_MAX:
            lines.append(f"{mark} {group.title} ({_times(len(group.findings))})")
    return lines or ["✅ Nothing was found"]


def _times(count: int) -> str:
    return f"{count} places" if count > 1 else "1 place"


def _checklist(review: Review) -> list[ChecklistItem]:
    items = []
    verdicts = {verdict.number: verdict for verdict in review.verdicts}
    for number, (text, contradicting) in enumerate(CHECKLIST, start=1):
        failing = sum(
            finding.rule in contradicting.split()
            or (str(finding.category) == contradicting and finding.severity is Severity.CRITICAL)
            for finding in review.findings
        )
        items.append(ChecklistItem(text, failing, verdicts.get(number)))
    return items
