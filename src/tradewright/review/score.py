"""Scores out of ten, per category and overall, and whether the set may be deployed.

The formula: each category begins with ten points. Each rule with findings there costs its
severity's weight (critical 3, major 1.5, minor 0.5, info 0.1), and a quarter of it again for each
further finding of the same rule, up to twice the weight in all; a category never falls below
zero. The overall score lies midway between the mean of the categories and the lowest one. Any
critical finding blocks deployment, whatever the score.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from tradewright.review.model import Category, Finding, Severity

WEIGHTS = {
    Severity.CRITICAL: Decimal(3),
    Severity.MAJOR: Decimal("1.5"),
    Severity.MINOR: Decimal("0.5"),
    Severity.INFO: Decimal("0.1"),
}
FULL = Decimal(10)


class Status(StrEnum):
    """Whether the migrations may be deployed."""

    BLOCKED = "blocked"
    ACTION_REQUIRED = "action required"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One category's points with the findings behind them."""

    category: Category
    score: Decimal
    counts: dict[Severity, int]


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of a review."""

    overall: Decimal
    categories: tuple[CategoryScore, ...]
    status: Status


def score_of(findings: Iterable[Finding]) -> Score:
    """Return the scores of a set of findings."""
    findings = list(findings)
    categories = tuple(_category(category, findings) for category in Category)
    mean = sum((c.score for c in categories), Decimal(0)) / len(categories)
    lowest = min(c.score for c in categories)
    return Score(_rounded((mean + lowest) / 2), categories, _status(findings))


def _category(category: Category, findings: list[Finding]) -> CategoryScore:
    own = [finding for finding in findings if finding.category is category]
    per_rule = Counter((finding.rule, finding.severity) for finding in own)
    cost = sum((_cost(severity, n) for (_, severity), n in per_rule.items()), Decimal(0))
    counts = Counter(finding.severity for finding in own)
    return CategoryScore(category, _rounded(max(FULL - cost, Decimal(0))), dict(counts))


def _cost(severity: Severity, count: int) -> Decimal:
    weight = WEIGHTS[severity]
    return weight + weight / 4 * min(count - 1, 4)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _status(findings: list[Finding]) -> Status:
    severities = {finding.severity for finding in findings}
    if Severity.CRITICAL in severities:
        return Status.BLOCKED
    return Status.ACTION_REQUIRED if Severity.MAJOR in severities else Status.READY
