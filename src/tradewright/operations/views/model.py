"""Values of the reporting views: which there are, what each is asked by, and how old it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

_EVERY_VIEW = ("since", "until")


@dataclass(frozen=True, slots=True)
class ReportingView:
    """A materialized view by its name: what it may be asked by, beside its days."""

    name: str
    asked_by: tuple[str, ...]

    @property
    def filters(self) -> tuple[str, ...]:
        """Return everything that it may be asked by."""
        return (*_EVERY_VIEW, *self.asked_by)


VIEWS: Mapping[str, ReportingView] = MappingProxyType(
    {
        view.name: view
        for view in (
            ReportingView("client_activity", ("user",)),
            ReportingView("house_result", ("currency",)),
            ReportingView("payment_summary", ("user", "currency")),
            ReportingView("provider_summary", ("provider", "symbol")),
            ReportingView("trading_summary", ("account", "user", "symbol", "currency")),
        )
    }
)
"""Every reporting view by its name; the same as in the table `reporting_views`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows of a view are asked for: days from `since` to `until`, and of whom or what.

    A view has not all of these; what it has not is refused. `user` is an id.
    """

    since: date | None = None
    until: date | None = None
    user: str | None = None
    account: str | None = None
    symbol: str | None = None
    provider: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewState:
    """A view as it stands: as of when its figures are, and whether that is too long ago.

    `as_of` is None and `age` counts from when the view was made as long as it was never filled.
    `failed_at` and `error` are of its last refresh, where that failed.
    """

    name: str
    row_count: int | None
    byte_count: int | None
    as_of: datetime | None
    age: timedelta
    age_max: timedelta
    is_overdue: bool
    is_filled: bool
    last_took: timedelta | None
    failed_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What came of a refresh: as of when the figures are and how many rows, or why there are none.

    One that failed leaves the view as it was.
    """

    view: str
    as_of: datetime | None
    row_count: int | None
    took: timedelta | None
    error_code: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a view, the newest day first, with the state that they were read in.

    `has_more` says that there are more rows than were asked for.
    """

    state: ViewState
    columns: Sequence[str]
    rows: Sequence[tuple[object, ...]]
    has_more: bool
