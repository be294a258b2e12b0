"""The review as annotations of GitHub Actions: one workflow command per finding."""

from tradewright.review.model import Finding, Severity
from tradewright.review.report.places import path_from_here
from tradewright.review.result import Review

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.MAJOR: "error",
    Severity.MINOR: "warning",
    Severity.INFO: "notice",
}


def render(review: Review) -> str:
    """Return one workflow command per finding."""
    return "".join(f"{_command(finding)}\n" for finding in review.findings)


def _command(finding: Finding) -> str:
    at = finding.location
    file, title = _property(path_from_here(at.path)), _property(finding.rule)
    place = f"file={file},line={at.line},col={at.column},title={title}"
    text = _message(f"{finding.message}. {finding.advice}")
    return f"::{LEVELS[finding.severity]} {place}::{text}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
