"""The baseline: findings that a project knows of and does not want to hear again.

A JSON file of fingerprints with the rule and object for the reader. Fingerprints do not hold
lines, so the file stays valid while migrations are edited.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review.model import Finding


def read_baseline(path: Path) -> frozenset[str]:
    """Return the fingerprints of a baseline.

    Raises:
        InputError: INPUT_REVIEW_BASELINE_UNREADABLE.

    """
    try:
        entries = json.loads(path.read_text("utf-8"))["findings"]
        return frozenset(str(entry["fingerprint"]) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            ErrorCode.INPUT_REVIEW_BASELINE_UNREADABLE,
            f'baseline "{path}" cannot be read',
            why=f"{error.strerror if isinstance(error, OSError) else error}.",
            hint="Write one with --update-baseline.",
            facts={"path": path},
        ) from error


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Write the findings of today as the baseline, sorted so that differences read well."""
    entries = sorted((finding.rule, finding.subject, finding.fingerprint) for finding in findings)
    rows = [{"rule": r, "object": o, "fingerprint": f} for r, o, f in entries]
    path.write_text(json.dumps({"findings": rows}, indent=2) + "\n", "utf-8")
