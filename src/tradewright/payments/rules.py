"""What a payment may be, how suspect it is, and which news of it is newer: pure decisions.

Limits are hard: over the limit is refused. Points of the fraud checks (`checks`) are added and
capped at 100. States are ranked, so that the news of a provider end in the same state in whatever
order they come: a payment moves to a higher rank and never back.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import assert_never

from tradewright.core.errors import ErrorCode, MoneyError
from tradewright.core.money import plain
from tradewright.payments.checks import CHECKS
from tradewright.payments.model import (
    Counted,
    Finding,
    FraudCheck,
    History,
    Limit,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    RiskLevel,
    Used,
    Verdict,
)

SCORE_MAX = Decimal(100)
LEVELS = (
    (Decimal(85), RiskLevel.CRITICAL),
    (Decimal(60), RiskLevel.HIGH),
    (Decimal(30), RiskLevel.MEDIUM),
    (Decimal(0), RiskLevel.LOW),
)
"""Scores from which a level begins, highest first; the same edges stand in fraud_checks."""

ARRIVED_POINTS = 30
"""Enough that an officer looks at money which arrived although it would have been refused."""

APPROVAL_FREE_PART = Decimal(5)
"""A withdrawal of at most this part (a fifth) of the largest single amount is small."""


def require_within_limit(
    request: PaymentRequest, counted: Counted, limit: Limit | None, used: Used
) -> Limit:
    """Return the limit, unless what is `counted` is over it, alone or with what is `used` of it.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED.

    """
    if limit is None:
        why = "The user's verification level has no limit set."
        raise _over(request, counted, "none is allowed", why)
    if counted.amount > limit.amount_max:
        raise _over(
            request,
            counted,
            f"at most {plain(limit.amount_max)} USD at once",
            "Larger payments need a higher verification level.",
        )
    for taken, sum_max, window in (
        (used.day, limit.daily_max, "in a UTC day"),
        (used.rolling, limit.rolling_max, "in 30 days"),
    ):
        if taken + counted.amount > sum_max:
            raise _over(
                request,
                counted,
                f"at most {plain(sum_max)} USD {window}",
                f"{plain(taken)} USD of that are taken, in all currencies together.",
            )
    return limit


RANKS: Mapping[PaymentKind, Mapping[PaymentStatus, int]] = MappingProxyType(
    {
        PaymentKind.DEPOSIT: MappingProxyType(
            {
                PaymentStatus.PENDING: 0,
                PaymentStatus.PROCESSING: 1,
                PaymentStatus.CONFLICTED: 2,
                PaymentStatus.CANCELED: 3,
                PaymentStatus.FAILED: 4,
                PaymentStatus.UNCONFIRMED: 5,
                PaymentStatus.REQUIRES_APPROVAL: 6,  # success was told, and an officer must look
                PaymentStatus.SUCCEEDED: 6,
                PaymentStatus.REVERSED: 7,
            }
        ),
        PaymentKind.WITHDRAWAL: MappingProxyType(
            {
                PaymentStatus.PENDING: 0,
                PaymentStatus.REQUIRES_APPROVAL: 0,
                PaymentStatus.PROCESSING: 1,
                PaymentStatus.CONFLICTED: 2,
                PaymentStatus.SUCCEEDED: 3,
                PaymentStatus.CANCELED: 4,
                PaymentStatus.FAILED: 4,
            }
        ),
    }
)
"""How far each state is along the way that a provider's news lead.

A deposit that a provider had given up may still arrive, so success is behind failure; a withdrawal
that was paid may still come back, so failure is behind success.
"""


def is_news(kind: PaymentKind, *, told: PaymentStatus, known: PaymentStatus) -> bool:
    """Tell whether what a provider tells leads on from the state that is known."""
    ranks = RANKS[kind]
    return told in ranks and ranks[told] > ranks[known]


def is_small(counted: Counted, limit: Limit) -> bool:
    """Tell whether a withdrawal is small enough to go without an officer's approval."""
    return counted.amount * APPROVAL_FREE_PART <= limit.amount_max


def check_fraud(request: PaymentRequest, history: History) -> FraudCheck:
    """Score a payment by every check; only checks that gave points are among the findings."""
    found = {name: check(request, history) for name, check in CHECKS.items()}
    findings = {name: finding for name, finding in found.items() if finding.points}
    total = Decimal(sum(finding.points for finding in findings.values()))
    score = min(total, SCORE_MAX)
    level = level_of(score)
    return FraudCheck(score, level, verdict_of(level), findings)


def with_finding(check: FraudCheck, name: str, finding: Finding) -> FraudCheck:
    """Return a check with one more finding and its points."""
    score = min(check.score + finding.points, SCORE_MAX)
    level = level_of(score)
    return FraudCheck(score, level, verdict_of(level), {**check.findings, name: finding})


def level_of(score: Decimal) -> RiskLevel:
    """Return the level of a score.

    Raises:
        ValueError: when the score is not between 0 and 100.

    """
    if not score.is_finite() or not 0 <= score <= SCORE_MAX:
        raise ValueError(f"score must be between 0 and 100, not {score}")
    return next(level for begin, level in LEVELS if score >= begin)


def verdict_of(level: RiskLevel) -> Verdict:
    """Return what follows from a level."""
    match level:
        case RiskLevel.LOW:
            return Verdict.ALLOW
        case RiskLevel.MEDIUM | RiskLevel.HIGH:
            return Verdict.REVIEW
        case RiskLevel.CRITICAL:
            return Verdict.DENY
        case _:
            assert_never(level)


def _over(request: PaymentRequest, counted: Counted, allowed: str, why: str) -> MoneyError:
    asked = f"{request.kind} of {plain(request.amount)} {request.currency}"
    if counted.rate != 1:
        asked += f", which is {plain(counted.amount)} USD at {plain(counted.rate)},"
    return MoneyError(
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        f"{asked} is over the limit: {allowed}",
        why=why,
        hint="Ask for less, wait for the next UTC day, or have the user verified further.",
        facts={"user_id": request.user_id, "amount": request.amount, "currency": request.currency},
    )
