"""Compliance: what supervisors and the house's own control ask the records for, as reports.

`reports/` has one file for each; `service` makes one of them from one snapshot of the database, and
`writing` gives it as CSV or JSON. Nothing here writes to the database.
"""

from tradewright.compliance.model import Findings, Option, Report, Scope
from tradewright.compliance.reports import REPORTS
from tradewright.compliance.service import reported
from tradewright.compliance.writing import write_csv, write_json

__all__ = [
    "REPORTS",
    "Findings",
    "Option",
    "Report",
    "Scope",
    "reported",
    "write_csv",
    "write_json",
]
