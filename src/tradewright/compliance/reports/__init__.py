"""The catalogue of reports: one file each, named like its page in docs/reference/reports."""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.compliance.model import Report
from tradewright.compliance.reports import (
    best_execution,
    client_money,
    clock_sync,
    markouts,
    order_records,
    reconstruction,
)

_MODULES = (order_records, reconstruction, best_execution, markouts, client_money, clock_sync)

REPORTS: Mapping[str, Report] = MappingProxyType(
    {module.REPORT.name: module.REPORT for module in _MODULES}
)
"""Every report by its name."""
