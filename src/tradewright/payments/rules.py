"""What a payment may be and how suspect it is: pure decisions over values.

Limits are hard: over the limit is refused. Fraud rules each give points; the points are added and
capped at 100, so that one strong finding is never diluted by quiet ones. A missing history gives
no points by itself: being new is a rule of its own.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import assert_never

from tradewright.core.errors import ErrorCode, MoneyError
from tradewright.payments.model import (
    Finding,
    FraudCheck,
    History,
    Limit,
    PaymentKind,
    PaymentRequest,
    RiskLevel,
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

APPROVAL_FREE_PART = Decimal(5)
"""A withdrawal of at most this part (a fifth) of the largest single amount is small."""

SUCCEEDED_COUNT_MIN = 3
"""With fewer payments than this there is no habit that an amount could break."""

NEW_USER_AGE = timedelta(days=1)
FRESH_DEPOSIT_AGE = timedelta(hours=1)
RECENT_DEPOSIT_AGE = timedelta(days=1)


def require_within_limit(request: PaymentRequest, limit: Limit | None, day_sum: Decimal) -> Limit:
    """Return the limit, unless the amount is over it, alone or with this UTC day's `day_sum`.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED.

    """
    if limit is None:
        raise _over(request, "none is allowed", "The user's verification level has no limit set.")
    if request.amount > limit.amount_max:
        raise _over(
            request,
            f"at most {limit.amount_max:f} {request.currency} at once",
            "Larger payments need a higher verification level.",
        )
    if day_sum + request.amount > limit.daily_max:
        raise _over(
            request,
            f"at most {limit.daily_max:f} {request.currency} in a UTC day",
            f"{day_sum:f} {request.currency} of this day are taken.",
        )
    return limit


def is_small(amount: Decimal, limit: Limit) -> bool:
    """Tell whether a withdrawal is small enough to go without an officer's approval."""
    return amount * APPROVAL_FREE_PART <= limit.amount_max


def check_fraud(request: PaymentRequest, history: History) -> FraudCheck:
    """Score a payment by every rule; only rules that gave points are among the findings."""
    found = {name: rule(request, history) for name, rule in RULES.items()}
    findings = {name: finding for name, finding in found.items() if finding.points}
    total = Decimal(sum(finding.points for finding in findings.values()))
    score = min(total, SCORE_MAX)
    level = level_of(score)
    return FraudCheck(score, level, verdict_of(level), findings)


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


def amount_against_history(request: PaymentRequest, history: History) -> Finding:
    """Give points to an amount far above the user's average of this kind and currency."""
    average = history.amount_average
    if average is None or history.succeeded_count < SUCCEEDED_COUNT_MIN:
        return Finding(0, {})
    steps = ((10, 40), (5, 25), (3, 10))
    points = next((p for factor, p in steps if request.amount >= average * factor), 0)
    return Finding(points, {"amount": f"{request.amount:f}", "average": f"{average:.8f}"})


def payments_in_last_hour(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to many payments within an hour, whatever became of them."""
    count = history.payments_last_hour
    points = next((p for count_min, p in ((10, 60), (5, 35), (3, 15)) if count >= count_min), 0)
    return Finding(points, {"payments": str(count)})


def failures_in_last_day(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to repeated failures: somebody is trying what passes."""
    count = history.failures_last_day
    points = next((p for count_min, p in ((5, 40), (3, 20)) if count >= count_min), 0)
    return Finding(points, {"failures": str(count)})


def withdrawal_without_trading(request: PaymentRequest, history: History) -> Finding:
    """Give points to money that leaves soon after it came and was never traded with."""
    age = history.deposit_age
    if request.kind is not PaymentKind.WITHDRAWAL or age is None or history.has_traded_since:
        return Finding(0, {})
    points = 45 if age < FRESH_DEPOSIT_AGE else 30 if age < RECENT_DEPOSIT_AGE else 0
    return Finding(points, {"minutes_since_deposit": str(age // timedelta(minutes=1))})


def new_user(request: PaymentRequest, history: History) -> Finding:
    """Give points to users of less than a day, more when money leaves."""
    if history.user_age >= NEW_USER_AGE:
        return Finding(0, {})
    points = 20 if request.kind is PaymentKind.WITHDRAWAL else 10
    return Finding(points, {"hours_since_opening": str(history.user_age // timedelta(hours=1))})


RULES: Mapping[str, Callable[[PaymentRequest, History], Finding]] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            amount_against_history,
            payments_in_last_hour,
            failures_in_last_day,
            withdrawal_without_trading,
            new_user,
        )
    }
)
"""Every rule by its name, which is also its name in `fraud_checks.findings`."""


def _over(request: PaymentRequest, allowed: str, why: str) -> MoneyError:
    return MoneyError(
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        f"{request.kind} of {request.amount:f} {request.currency} is over the limit: {allowed}",
        why=why,
        hint="Ask for less, wait for the next UTC day, or have the user verified further.",
        facts={"user_id": request.user_id, "amount": request.amount, "currency": request.currency},
    )
