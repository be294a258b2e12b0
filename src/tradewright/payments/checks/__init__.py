"""The fraud checks, one file each: every one gives points to a payment, and says by what figures.

Points are added and capped at 100, so that one strong finding is never diluted by quiet ones. Each
module has one function `check`; the module's name is the finding's name in `fraud_checks`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tradewright.payments.checks import (
    amount_against_history,
    device_shared,
    failures_in_last_day,
    ip_address_in_last_hour,
    ip_address_shared,
    new_device,
    new_user,
    payments_in_last_hour,
    withdrawal_without_trading,
)
from tradewright.payments.model import Finding, History, PaymentRequest

CHECKS: Mapping[str, Callable[[PaymentRequest, History], Finding]] = MappingProxyType(
    {
        module.__name__.rpartition(".")[2]: module.check
        for module in (
            amount_against_history,
            payments_in_last_hour,
            failures_in_last_day,
            withdrawal_without_trading,
            new_user,
            device_shared,
            new_device,
            ip_address_shared,
            ip_address_in_last_hour,
        )
    }
)
"""Every check by its name."""
