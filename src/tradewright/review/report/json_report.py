"""The report for programs: every fact of the review as one JSON object."""

import json

from tradewright.review.model import Severity
from tradewright.review.result import Review
from tradewright.review.score import score_of


def render(review: Review) -> str:
    """Return the review as JSON."""
    score = score_of(review.findings)
    document = {
        "folder": review.folder,
        "counts": {str(severity): review.count(severity) for severity in Severity},
        "status": str(score.status),
        "score": {
            "overall": str(score.overall),
            "categories": {str(row.category): str(row.score) for row in score.categories},
        },
        "files": [
            {
                "path": file.path,
                "lines": file.line_count,
                "worst": str(file.worst) if file.worst else None,
            }
            for file in review.files
        ],
        "tests": [verdict.as_dict() for verdict in review.verdicts],
        "findings": [finding.as_dict() for finding in review.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
