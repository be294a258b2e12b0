"""The review as SARIF 2.1.0, for code scanning."""

import json
from urllib.parse import quote

from tradewright import __version__
from tradewright.review.model import Finding, Severity
from tradewright.review.registry import all_rules, page_of, title_of
from tradewright.review.report.places import path_from_here
from tradewright.review.result import Review

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.MAJOR: "error",
    Severity.MINOR: "warning",
    Severity.INFO: "note",
}


def render(review: Review) -> str:
    """Return the review as SARIF."""
    rules = sorted({finding.rule for finding in review.findings})
    indexes = {rule: index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "tradewright",
                "version": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, indexes[finding.rule]) for finding in review.findings],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(rule_id: str) -> dict[str, object]:
    rule = all_rules().get(rule_id)
    if rule is None:
        return {"id": rule_id}
    return {
        "id": rule.id,
        "shortDescription": {"text": title_of(rule)},
        "help": {"text": page_of(rule), "markdown": page_of(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"category": str(rule.category), "severity": str(rule.severity)},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    at = finding.location
    region = {"startLine": at.line, "startColumn": at.column}
    path = quote(path_from_here(at.path))
    uri = f"file://{path}" if path.startswith("/") else path
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.advice}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"tradewright/v1": finding.fingerprint},
    }
