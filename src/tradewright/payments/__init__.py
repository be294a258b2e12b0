"""Money across the house's border: deposits, withdrawals, refunds, disputes, and their providers.

A payment is a state machine whose every step moves its money in the same transaction. Read
`service` for how payments begin, `steps` for what becomes of them, `rules` for what is decided,
`webhooks` for what providers tell, `outbox` for what others are told, and `reconciliation` for
whether all of it agrees. Balances are the ledger's; this room never writes them.
"""

from tradewright.payments.approvals import approve_payment, refuse_payment
from tradewright.payments.claims import (
    Claim,
    ClaimKind,
    ClaimOrder,
    ClaimStatus,
    ListedClaim,
    find_claim,
    list_claims,
    read_claim,
    read_claims,
    request_refund,
    unknown_claim,
)
from tradewright.payments.debts import read_debts
from tradewright.payments.model import (
    FraudCheck,
    Origin,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    RiskLevel,
    Verdict,
)
from tradewright.payments.rates import RateObserved, read_rate, record_rates
from tradewright.payments.service import (
    begin_payment,
    deposit,
    find_payment,
    request_withdrawal,
    require_not_denied,
    start_payment,
)
from tradewright.payments.steps import (
    cancel_deposit,
    cancel_withdrawal,
    complete_withdrawal,
    fail_withdrawal,
)
from tradewright.payments.store import assign_address, list_payments, read_fraud_checks

__all__ = [
    "Claim",
    "ClaimKind",
    "ClaimOrder",
    "ClaimStatus",
    "FraudCheck",
    "ListedClaim",
    "Origin",
    "Payment",
    "PaymentKind",
    "PaymentRequest",
    "PaymentStatus",
    "Provider",
    "RateObserved",
    "RiskLevel",
    "Verdict",
    "approve_payment",
    "assign_address",
    "begin_payment",
    "cancel_deposit",
    "cancel_withdrawal",
    "complete_withdrawal",
    "deposit",
    "fail_withdrawal",
    "find_claim",
    "find_payment",
    "list_claims",
    "list_payments",
    "read_claim",
    "read_claims",
    "read_debts",
    "read_fraud_checks",
    "read_rate",
    "record_rates",
    "refuse_payment",
    "request_refund",
    "request_withdrawal",
    "require_not_denied",
    "start_payment",
    "unknown_claim",
]
