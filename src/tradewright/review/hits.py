"""From the rules' answers to findings: places, fingerprints, severities as the settings want."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from tradewright.review.model import Edit, Finding, Location, Severity, Stage, fingerprint
from tradewright.review.rule import Hit, Rule
from tradewright.review.settings import Settings
from tradewright.review.source.placeholders import as_written

Answer = tuple[Rule, Hit]
"""A rule and one thing that it found."""

_OFFENDING_MAX = 20_000
"""Characters of a statement that a finding carries along."""

_SEVERITIES = tuple(Severity)


class Found(NamedTuple):
    """An answer by values alone, so that it can be compared, sorted and sent to another process."""

    location: Location
    rank: int
    rule: str
    message: str
    subject: str
    advice: str
    corrected: str
    offending: str
    edits: tuple[Edit, ...] = ()


def findings_of(answers: Iterable[Answer], settings: Settings, stage: Stage) -> list[Finding]:
    """Return the answers as findings in reading order, numbered where a subject repeats."""
    kept = list(answers)
    rules = {rule.id: rule for rule, _ in kept}
    return numbered([found(rule, hit, settings.severity) for rule, hit in kept], rules, stage)


def found(
    rule: Rule, hit: Hit, severities: Mapping[str, Severity], *, fixing: bool = False
) -> Found:
    """Return an answer by its values, under the severity that the settings give its rule.

    When fixing, it carries the edits of its rule.
    """
    statement = hit.statement
    written = partial(as_written, statement.source)
    offending = "" if statement.kind == "file" else written(statement.text[:_OFFENDING_MAX])
    return Found(
        location=statement.source.locate(hit.offset, hit.offset),
        rank=severities.get(rule.id, hit.severity or rule.severity).rank,
        rule=rule.id,
        message=written(hit.message),
        subject=written(hit.subject),
        advice=written(hit.advice),
        corrected=written(hit.corrected),
        offending=offending,
        edits=tuple(hit.fix()) if fixing and hit.fix is not None else (),
    )


def numbered(everything: Iterable[Found], rules: Mapping[str, Rule], stage: Stage) -> list[Finding]:
    """Return findings in the order of files and lines, each once, numbered by rule and subject."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    findings = []
    for one in sorted(dict.fromkeys(everything), key=itemgetter(0, 1, 2)):
        subject = (one.rule, one.subject)
        findings.append(
            Finding(
                rule=one.rule,
                severity=_SEVERITIES[one.rank],
                category=rules[one.rule].category,
                location=one.location,
                message=one.message,
                advice=one.advice,
                subject=one.subject,
                offending=one.offending,
                corrected=one.corrected,
                stage=stage,
                edits=one.edits,
                fingerprint=fingerprint(*subject, seen[subject]),
            )
        )
        seen[subject] += 1
    return findings
