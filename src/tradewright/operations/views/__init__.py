"""Reporting views: what a broker asks each day, computed ahead, and never shown as if it were now.

Read `model` for which views there are, `service` for refreshing and reading them. The views and the
function that refreshes one stand in migration 010.
"""

from tradewright.operations.views.model import (
    VIEWS,
    Asked,
    Refresh,
    ReportingView,
    Shown,
    ViewState,
)
from tradewright.operations.views.service import (
    list_views,
    raise_overdue,
    read_view,
    refresh,
    refresh_all,
)

__all__ = [
    "VIEWS",
    "Asked",
    "Refresh",
    "ReportingView",
    "Shown",
    "ViewState",
    "list_views",
    "raise_overdue",
    "read_view",
    "refresh",
    "refresh_all",
]
