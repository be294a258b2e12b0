"""From the rules' answers to findings: places, fingerprints, severities as the settings want."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from tradewright.review.model import Finding, Severity, Stage, fingerprint
from tradewright.review.rule import Hit, Rule
from tradewright.review.settings import Settings

Answer = tuple[Rule, Hit]
"""A rule and one thing that it found."""

_OFFENDING_MAX = 20_000
"""Characters of a statement that a finding carries along."""


def findings_of(answers: Iterable[Answer], settings: Settings, stage: Stage) -> list[Finding]:
    """Return the answers as findings in reading order, numbered where a subject repeats."""
    findings = {_finding(rule, hit, settings, stage): None for rule, hit in answers}
    ordered = sorted(findings, key=lambda f: (f.location, f.severity.rank, f.rule))
    seen: dict[tuple[str, str], int] = defaultdict(int)
    numbered = []
    for finding in ordered:
        key = (finding.rule, finding.subject)
        numbered.append(replace(finding, fingerprint=fingerprint(*key, seen[key])))
        seen[key] += 1
    return numbered


def _finding(rule: Rule, hit: Hit, settings: Settings, stage: Stage) -> Finding:
    statement = hit.statement
    severity: Severity = settings.severity.get(rule.id, hit.severity or rule.severity)
    return Finding(
        rule=rule.id,
        severity=severity,
        category=rule.category,
        location=statement.source.locate(hit.offset, hit.offset),
        message=hit.message,
        advice=hit.advice,
        subject=hit.subject,
        offending="" if statement.kind == "file" else statement.text[:_OFFENDING_MAX],
        corrected=hit.corrected,
        stage=stage,
    )
