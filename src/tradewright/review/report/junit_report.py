"""The review as JUnit XML: one suite per file, one case per finding, or one that passed."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from tradewright.review.model import Finding, Severity
from tradewright.review.result import Review

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def render(review: Review) -> str:
    """Return the review as JUnit XML."""
    suites = "\n".join(line for file in review.files for line in _suite(review, file.path))
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<testsuites name="review">\n{suites}\n</testsuites>\n'


def _suite(review: Review, path: str) -> Iterator[str]:
    findings = [f for f in review.findings if f.location.path == path]
    failures = sum(f.severity is not Severity.INFO for f in findings)
    count = max(len(findings), 1)
    yield f'<testsuite name={_attribute(path)} tests="{count}" failures="{failures}">'
    if not findings:
        yield f'<testcase classname={_attribute(path)} name="review"/>'
    for finding in findings:
        yield from _case(finding)
    yield "</testsuite>"


def _case(finding: Finding) -> Iterator[str]:
    at = finding.location
    name = f"{finding.rule} at line {at.line}, column {at.column}"
    yield f"<testcase classname={_attribute(at.path)} name={_attribute(name)}>"
    text = escape(_FORBIDDEN.sub("", f"{at.path}:{at.line}: {finding.message}\n{finding.advice}"))
    if finding.severity is Severity.INFO:
        yield f"<system-out>{text}</system-out>"
    else:
        message = _attribute(finding.message)
        yield f'<failure type="{finding.severity}" message={message}>{text}</failure>'
    yield "</testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("", text))
