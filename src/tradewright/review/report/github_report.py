"""The review as annotations of GitHub Actions: one workflow command per finding."""

from tradewright.review.model import Severity
from tradewright.review.result import Review

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.MAJOR: "error",
    Severity.MINOR: "warning",
    Severity.INFO: "notice",
}


def render(review: Review) -> str:
    """Return one workflow command per finding."""
    lines = [
        f"::{LEVELS[f.severity]} file={_property(f.location.path)},line={f.location.line},"
        f"col={f.location.column},title={_property(f.rule)}::{_message(f'{f.message}. {f.advice}')}"
        for f in review.findings
    ]
    return "".join(f"{line}\n" for line in lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
