"""Values of payments: the payment and its states, limits, and what a fraud check looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class PaymentKind(StrEnum):
    """In which direction money crosses the house's border."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


class Provider(StrEnum):
    """Through whom money comes and goes; `direct` is booked by the house itself, at once."""

    DIRECT = "direct"
    CARDS = "cards"
    CHAIN = "chain"


CHAINS: Mapping[str, str] = MappingProxyType({"BTC": "btc", "ETH": "eth"})
"""The chain of each coin; nothing else goes over a chain."""


class PaymentStatus(StrEnum):
    """Where a payment stands.

    `unconfirmed` is credited and held until nobody can take it back; `conflicted` waits for an
    officer, because the provider tells another amount; `reversed` was taken back by the chain.
    """

    PENDING = "pending"
    REQUIRES_APPROVAL = "requires_approval"
    PROCESSING = "processing"
    UNCONFIRMED = "unconfirmed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    CONFLICTED = "conflicted"
    REVERSED = "reversed"


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
class Counted:
    """What a payment takes of its user's limits: US dollars, at the rate that it was counted at."""

    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """A deposit or withdrawal as it is stored; `reference` is the provider's name for it.

    `arrived_at` is when a deposit's money was first told to be there, whatever was decided then;
    `counted` is None only for coins that came while there was no rate.
    """

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
    provider: Provider = Provider.DIRECT
    reference: str | None = None
    destination: str | None = None
    arrived_at: datetime | None = None
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """From where a payment was asked for: the device's fingerprint and the network address."""

    device: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a client asks for; the same id again is the same payment.

    `destination` is where a withdrawal goes, in the provider's terms.
    """

    payment_id: str
    user_id: str
    kind: PaymentKind
    currency: str
    amount: Decimal
    provider: Provider = Provider.DIRECT
    reference: str | None = None
    destination: str | None = None
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class PaymentUser:
    """What payments need to know of a user."""

    kyc_level: int
    status: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """Largest sum at once, in a UTC day, and in 30 days, for a level and kind, in US dollars."""

    amount_max: Decimal
    daily_max: Decimal
    rolling_max: Decimal


@dataclass(frozen=True, slots=True)
class Used:
    """What a user's payments take of a limit: this UTC day's and the last 30 days', in dollars."""

    day: Decimal
    rolling: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a fraud check knows of a user's payments of the last 90 days, this one left out.

    `amount_average` is over `succeeded_count` payments of the same kind, in whatever currency, and
    like `amount`, which is this payment's, in US dollars as they were counted. `deposit_age`
    is how long ago the last deposit succeeded; `has_traded_since` whether the user traded after it.
    The device's and the address's figures are zero when the request does not name them;
    `device_age` is how long ago this user was first seen on the device; `hides_device` says that
    the request names none, and the user was seen on some.
    """

    user_age: timedelta
    payments_last_hour: int
    failures_last_day: int
    succeeded_count: int
    amount_average: Decimal | None
    amount: Decimal | None
    deposit_age: timedelta | None
    has_traded_since: bool
    device_user_count: int = 0
    device_age: timedelta | None = None
    hides_device: bool = False
    ip_user_count: int = 0
    ip_payments_last_hour: int = 0


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
