"""Ignore comments: `-- tradewright: ignore <rule>[, <rule>]: <reason>`.

A comment before a statement, inside it, or behind it on its last line silences the rules it
names for that statement; `ignore-file` silences them for the whole file. A comment that silences
nothing, or that gives no reason, is itself a finding (`unused-ignore`).
"""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from tradewright.review.model import Category, Finding, Severity, fingerprint
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Source

_COMMENT = re.compile(
    r"--[ \t]*tradewright:[ \t]*ignore(?P<file>-file)?"
    r"[ \t]+(?P<rules>[\w\-]+(?:[ \t]*,[ \t]*[\w\-]+)*)(?:[ \t]*:[ \t]*(?P<reason>[^\n]*))?"
)


@dataclass(slots=True)
class Ignore:
    """One rule silenced by one comment, for the lines from `first` to `last`."""

    source: Source
    rule: str
    reason: str
    offset: int
    first: int
    last: int
    used: bool = False


def apply_ignores(
    findings: list[Finding], readings: Iterable[Reading], unasked: Container[str] = ()
) -> list[Finding]:
    """Return the findings that no comment silences, and one for each comment of no use.

    Of a comment for one of the `unasked` rules nobody can tell yet whether it is of use.
    """
    ignores = [ignore for reading in readings for ignore in _ignores(reading)]
    if not ignores:
        return findings
    kept = _unsilenced(findings, ignores)
    complaints = (_complaint(ignore) for ignore in ignores if ignore.rule not in unasked)
    return sorted([*kept, *filter(None, complaints)], key=lambda f: (f.location, f.rule))


def without_ignored(findings: list[Finding], readings: Iterable[Reading]) -> list[Finding]:
    """Return the findings that no comment silences."""
    return _unsilenced(findings, [ignore for reading in readings for ignore in _ignores(reading)])


def _unsilenced(findings: list[Finding], ignores: list[Ignore]) -> list[Finding]:
    return [finding for finding in findings if not _silenced(finding, ignores)]


def _silenced(finding: Finding, ignores: list[Ignore]) -> bool:
    meant = [ignore for ignore in ignores if _means(ignore, finding)]
    for ignore in meant:
        ignore.used = True
    return bool(meant)


def _means(ignore: Ignore, finding: Finding) -> bool:
    at = finding.location
    same = ignore.rule == finding.rule and ignore.source.path == at.path
    return same and bool(ignore.reason) and ignore.first <= at.line <= ignore.last


def _ignores(reading: Reading) -> Iterable[Ignore]:
    source = reading.source
    if "tradewright:" not in source.text:
        return
    spans = sorted(
        [(s.start, s.end) for s in reading.statements]
        + [(r.broken.start, r.broken.end) for r in reading.refusals]
    )
    for match in _COMMENT.finditer(source.text):
        offset = source.byte_of(match.start())
        first, last = _lines(source, spans, offset, whole_file=bool(match["file"]))
        for rule in match["rules"].split(","):
            yield Ignore(source, rule.strip(), (match["reason"] or "").strip(), offset, first, last)


def _lines(
    source: Source, spans: list[tuple[int, int]], offset: int, *, whole_file: bool
) -> tuple[int, int]:
    if whole_file:
        return 1, len(source.line_starts)
    line = source.locate(offset).line
    for start, end in spans:
        place = source.locate(start, end)
        if start <= offset or place.line == line:
            if offset < end or place.end_line == line:
                return min(line, place.line), place.end_line
        else:
            return line, place.end_line
    return line, line


def _complaint(ignore: Ignore) -> Finding | None:
    if ignore.used:
        return None
    if ignore.reason:
        message = f"the ignore comment for {ignore.rule} silences nothing"
        advice = "Remove the comment."
    else:
        message = f"the ignore comment for {ignore.rule} gives no reason, so it is not obeyed"
        advice = f"Write: -- tradewright: ignore {ignore.rule}: <why it is right here>"
    return Finding(
        rule="unused-ignore",
        severity=Severity.INFO,
        category=Category.MAINTAINABILITY,
        location=ignore.source.locate(ignore.offset),
        message=message,
        advice=advice,
        subject=f"{ignore.source.label}:{ignore.rule}",
        offending=ignore.source.line_text(ignore.source.locate(ignore.offset).line),
        fingerprint=fingerprint("unused-ignore", f"{ignore.source.label}:{ignore.rule}", 0),
    )
