"""Deposits and withdrawals: limits, fraud checks, approval, and the money that moves with them.

A payment is a state machine whose every step moves its money in the same transaction. Read
`service` for the steps, `rules` for what is allowed and what is suspect. Balances are the
ledger's; this room never writes them.
"""

from tradewright.payments.model import (
    FraudCheck,
    Payment,
    PaymentKind,
    PaymentStatus,
    RiskLevel,
    Verdict,
)
from tradewright.payments.service import (
    approve_withdrawal,
    cancel_withdrawal,
    complete_withdrawal,
    deposit,
    fail_withdrawal,
    find_payment,
    request_withdrawal,
    require_not_denied,
)

__all__ = [
    "FraudCheck",
    "Payment",
    "PaymentKind",
    "PaymentStatus",
    "RiskLevel",
    "Verdict",
    "approve_withdrawal",
    "cancel_withdrawal",
    "complete_withdrawal",
    "deposit",
    "fail_withdrawal",
    "find_payment",
    "request_withdrawal",
    "require_not_denied",
]
