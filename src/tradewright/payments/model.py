"""Values of payments: the payment and its states, limits, and what a fraud check looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class PaymentKind(StrEnum):
    """In which direction money crosses the house's border."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


class PaymentStatus(StrEnum):
    """Where a payment stands; the last three are its ends."""

    PENDING = "pending"
    REQUIRES_APPROVAL = "requires_approval"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class RiskLevel(StrEnum):
    """A score from 0 to 100 in words: from 30 medium, from 60 high, from 85 critical."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Verdict(StrEnum):
    """What follows from a fraud check."""

    ALLOW = "allow"
    REVIEW = "review"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Payment:
    """A deposit or withdrawal as it is stored."""

    id: str
    user_id: str
    kind: PaymentKind
    currency: str
    amount: Decimal
    status: PaymentStatus
    hold_id: str | None
    approved_by: str | None
    failure_reason: str | None
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a client asks for; the same id again is the same payment."""

    payment_id: str
    user_id: str
    kind: PaymentKind
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentUser:
    """What payments need to know of a user."""

    kyc_level: int
    status: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """Largest single amount and largest sum of a UTC day for a level, kind and currency."""

    amount_max: Decimal
    daily_max: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a fraud check knows of a user's payments of the last 90 days, this one left out.

    `amount_average` is over `succeeded_count` payments of the same kind and currency. `deposit_age`
    is how long ago the last deposit succeeded; `has_traded_since` whether the user traded after it.
    """

    user_age: timedelta
    payments_last_hour: int
    failures_last_day: int
    succeeded_count: int
    amount_average: Decimal | None
    deposit_age: timedelta | None
    has_traded_since: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: its points and the figures that it judged by."""

    points: int
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FraudCheck:
    """The outcome of all rules: score, level, verdict, and the findings that gave points."""

    score: Decimal
    level: RiskLevel
    verdict: Verdict
    findings: Mapping[str, Finding]
