"""Errors on their way to a page: what is told of each, and which status goes with it."""

import logging
from http import HTTPStatus

from psycopg_pool import PoolTimeout

from tradewright.core.defects import defect
from tradewright.core.errors import (
    DatabaseError,
    ErrorCode,
    InputError,
    MoneyError,
    StateError,
    TradewrightError,
)
from tradewright.postgres.last_words import house_error

_LOGGER = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[TradewrightError], HTTPStatus], ...] = (
    (InputError, HTTPStatus.BAD_REQUEST),
    (StateError, HTTPStatus.CONFLICT),
    (MoneyError, HTTPStatus.CONFLICT),
    (DatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_FORBIDDEN = frozenset(
    {
        ErrorCode.ACCESS_DENIED,
        ErrorCode.ACCESS_KEY_REFUSED,
        ErrorCode.CONSOLE_FORM_REFUSED,
        ErrorCode.USER_ROLE_MISSING,
    }
)


def status_of(error: TradewrightError) -> HTTPStatus:
    """Return the status: by the code, not found for what does not exist, else by the kind."""
    if error.code is ErrorCode.HTTP_RATE_EXCEEDED:
        return HTTPStatus.TOO_MANY_REQUESTS
    if error.code in _FORBIDDEN:
        return HTTPStatus.FORBIDDEN
    if error.code.endswith("_UNKNOWN"):
        return HTTPStatus.NOT_FOUND
    found = (status for kind, status in _STATUSES if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def told_of(error: Exception) -> TradewrightError:
    """Return what is told of an exception; a defect is logged too, for those who can mend it."""
    known = _busy(error) if isinstance(error, PoolTimeout) else house_error(error)
    if known is not None:
        return known
    _LOGGER.error("a page of the console has failed", exc_info=error)
    return defect(
        "the page could not be made",
        error,
        why="Nobody foresaw this.",
        hint="Report it with what is shown here.",
    )


def _busy(error: PoolTimeout) -> DatabaseError:
    return DatabaseError(
        ErrorCode.DATABASE_UNREACHABLE,
        "could not get a session of the database in time",
        why=f"All that the console has are in use, or the server is away: {error}.",
        hint="Try again; if that lasts, check the database.",
    )
