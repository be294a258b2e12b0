"""The doctor: looks whether a house is in order, and says what to do where it is not.

Read `checks` for what is looked at, one file each, and `service` for how. What each check means
stands in docs/reference/doctor.md. It changes nothing, and holds no lock that anybody waits for.
"""

from tradewright.operations.doctor.checks import CHECKS
from tradewright.operations.doctor.model import Check, Examined, Finding, Ground, Verdict
from tradewright.operations.doctor.service import examine, worst

__all__ = [
    "CHECKS",
    "Check",
    "Examined",
    "Finding",
    "Ground",
    "Verdict",
    "examine",
    "worst",
]
