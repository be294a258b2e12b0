"""The report for programs: every fact of the review as one JSON object."""

import json
from collections.abc import Iterable

from tradewright.review.model import Severity
from tradewright.review.result import Review
from tradewright.review.score import score_of


def render(review: Review) -> str:
    """Return the review as JSON: a line for each file and each finding."""
    score = score_of(review.findings)
    head = {
        "folder": review.folder,
        "counts": {str(severity): review.count(severity) for severity in Severity},
        "status": str(score.status),
        "score": {
            "overall": str(score.overall),
            "categories": {str(row.category): str(row.score) for row in score.categories},
        },
        "unproven": review.unproven or None,
        "proof": None if review.proof is None else review.proof.as_dict(),
    }
    files: Iterable[dict[str, object]] = (
        {"path": file.path, "lines": file.line_count, "worst": file.worst} for file in review.files
    )
    tests = (verdict.as_dict() for verdict in review.verdicts)
    found = (finding.as_dict() for finding in review.findings)
    lists = (
        f'"files": {_lines(files)},\n  "tests": {_lines(tests)},\n'
        f'  "findings": {_lines(found)}\n}}\n'
    )
    return f"{json.dumps(head, indent=2, ensure_ascii=False)[:-2]},\n  {lists}"


def _lines(values: Iterable[dict[str, object]]) -> str:
    """Return an array with one value on each line: indented, the encoder takes ten times longer.

    What stands between two values cannot stand in a string, whose quotes are escaped.
    """
    array = list(values)
    if not array:
        return "[]"
    text = json.dumps(array, ensure_ascii=False)[1:-1]
    between = f'{{"{next(iter(array[0]))}": '
    return "[\n    " + text.replace(f"}}, {between}", f"}},\n    {between}") + "\n  ]"
