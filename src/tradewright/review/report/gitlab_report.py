"""The review as GitLab's code quality report."""

import json

from tradewright.review.model import Severity
from tradewright.review.report.places import path_from_here
from tradewright.review.result import Review

LEVELS = {
    Severity.CRITICAL: "blocker",
    Severity.MAJOR: "major",
    Severity.MINOR: "minor",
    Severity.INFO: "info",
}


def render(review: Review) -> str:
    """Return the findings as GitLab's JSON."""
    issues = [
        {
            "description": f"{f.message}. {f.advice}",
            "check_name": f.rule,
            "fingerprint": f.fingerprint,
            "severity": LEVELS[f.severity],
            "location": {
                "path": path_from_here(f.location.path),
                "lines": {"begin": f.location.line},
            },
        }
        for f in review.findings
    ]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"
