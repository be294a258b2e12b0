"""Refresh reporting views beside their readers, and read them with how old they are.

What one refresh fails of is told, and keeps no other view from its turn. Rows are read in the
snapshot in which it is read as of when they are.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

import psycopg
from psycopg import IsolationLevel

from tradewright.core.errors import ErrorCode, InputError, StateError, TradewrightError
from tradewright.operations.views import store
from tradewright.operations.views.model import (
    VIEWS,
    Asked,
    Refresh,
    ReportingView,
    Shown,
    ViewState,
)
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource


def list_views(connection: Session) -> list[ViewState]:
    """Read every view as it stands, by name."""
    return store.read_states(connection)


def refresh(source: SessionSource, names: Sequence[str]) -> list[Refresh]:
    """Refresh views one after the other, each in a session of its own; return what came of each.

    Whoever else refreshes one of them meanwhile is waited for, and has done it for us too.

    Raises:
        InputError: VIEW_UNKNOWN, before any is refreshed.

    """
    views = [_known(name) for name in names]
    return [_refreshed(source, view.name) for view in views]


def refresh_all(source: SessionSource) -> list[Refresh]:
    """Refresh every view, the one with the oldest figures first."""
    with source() as session:
        states = store.read_states(session)
    oldest_first = sorted(states, key=lambda state: (state.is_filled, -state.age))
    return refresh(source, [state.name for state in oldest_first])


def read_view(connection: Session, name: str, asked: Asked, count_max: int) -> Shown:
    """Read rows of a view, and as of when they are; a session without a transaction is needed.

    Raises:
        InputError: VIEW_UNKNOWN, or VIEW_FILTER_UNKNOWN when the view has no such column.
        StateError: VIEW_NOT_FILLED.

    """
    view = _known(name)
    _require_filters(view, asked)
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            (state,) = store.read_states(connection, view.name)
            _require_filled(state)
            columns, rows = store.read_rows(connection, view.name, asked, count_max + 1)
    finally:
        connection.isolation_level = None
    return Shown(state, columns, rows[:count_max], len(rows) > count_max)


def raise_overdue(connection: Session) -> int:
    """Tell people of views that are twice as old as they may be; return how many are."""
    return store.raise_overdue_views(connection)


def _refreshed(source: SessionSource, name: str) -> Refresh:
    try:
        with source() as session:
            done = store.refresh_view(session, name)
    except psycopg.Error as error:
        return _failed(name, translate(error))
    except TradewrightError as error:
        return _failed(name, error)
    if done.error is None:
        return done
    return replace(done, error_code=str(ErrorCode.VIEW_REFRESH_FAILED))


def _failed(name: str, error: TradewrightError) -> Refresh:
    return Refresh(
        view=name,
        as_of=None,
        row_count=None,
        took=None,
        error_code=str(error.code),
        error=error.what,
    )


def _known(name: str) -> ReportingView:
    if name not in VIEWS:
        raise InputError(
            ErrorCode.VIEW_UNKNOWN,
            f'there is no reporting view "{name}"',
            why=f"There are {', '.join(VIEWS)}.",
            hint="Look at them with `tradewright views list`.",
            facts={"view": name},
        )
    return VIEWS[name]


def _require_filters(view: ReportingView, asked: Asked) -> None:
    given = [word for word, value in asdict(asked).items() if value is not None]
    strange = [word for word in given if word not in view.filters]
    if strange:
        raise InputError(
            ErrorCode.VIEW_FILTER_UNKNOWN,
            f'reporting view "{view.name}" cannot be asked by {strange[0]}',
            why=f"Its rows are told apart by day and {', '.join(view.asked_by)}.",
            hint="Leave it out, or ask another view.",
            facts={"view": view.name, "asked_by": strange[0]},
        )


def _require_filled(state: ViewState) -> None:
    if not state.is_filled:
        raise StateError(
            ErrorCode.VIEW_NOT_FILLED,
            f'reporting view "{state.name}" was never filled',
            why="What it would show is not nothing, but unknown.",
            hint=f"Fill it with `tradewright views refresh {state.name}`, "
            "or let the job refresh_reporting_views run.",
            facts={"view": state.name},
        )
