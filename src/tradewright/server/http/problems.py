"""How a refusal is told over HTTP: RFC 9457 problem details, made of the house's one error object.

The status follows from the code alone, so that an error which an engine has sent over its line is
told like one that was raised here. `type` names the code, `title` says it in words, `detail` what
and why; code, what, why, hint and facts stand beside them as the command line prints them. What has
failed inside the house is told by its code alone: the words are for its log, under the answer's id.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from tradewright.core.defects import defect
from tradewright.core.errors import (
    DatabaseError,
    ErrorCode,
    InputError,
    InternalError,
    TradewrightError,
)
from tradewright.postgres.last_words import house_error
from tradewright.server.http.house import SAFE_METHODS

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
FAULTS_TOLD_MAX = 20

_LOGGER = logging.getLogger("tradewright.http")

_STATUSES: Mapping[ErrorCode, int] = MappingProxyType(
    {
        ErrorCode.ACCESS_DENIED: 403,
        ErrorCode.ACCESS_KEY_REFUSED: 401,
        ErrorCode.ACCESS_REQUIRED: 401,
        ErrorCode.ACCESS_SESSION_REFUSED: 401,
        ErrorCode.DATABASE_CONSTRAINT_VIOLATED: 409,
        ErrorCode.DATABASE_OUTCOME_UNKNOWN: 504,
        ErrorCode.DATABASE_PERMISSION_DENIED: 500,
        ErrorCode.DATABASE_STATEMENT_FAILED: 500,
        ErrorCode.DATABASE_VALUE_REFUSED: 422,
        ErrorCode.ENGINE_OUTCOME_UNKNOWN: 504,
        ErrorCode.HTTP_BODY_TOO_LARGE: 413,
        ErrorCode.HTTP_METHOD_NOT_ALLOWED: 405,
        ErrorCode.HTTP_ORIGIN_REFUSED: 403,
        ErrorCode.HTTP_RATE_EXCEEDED: 429,
        ErrorCode.HTTP_REQUESTS_EXCEEDED: 429,
        ErrorCode.HTTP_REQUEST_MALFORMED: 422,
        ErrorCode.HTTP_STREAMS_EXCEEDED: 429,
        ErrorCode.INPUT_CURRENCY_UNKNOWN: 422,
        ErrorCode.USER_ROLE_MISSING: 403,
    }
)
"""Codes whose status does not follow from the words that they are made of."""

_BEGINNINGS = (("DATABASE_", 503), ("ENGINE_", 503), ("INTERNAL_", 500), ("SERVER_", 503))
_ENDS = (
    ("_UNKNOWN", 404),
    ("_MALFORMED", 422),
    ("_MISSING", 422),
    ("_OUT_OF_RANGE", 422),
    ("_OFF_TICK", 422),
    ("_OFF_STEP", 422),
)

_UNKNOWN = frozenset({ErrorCode.DATABASE_OUTCOME_UNKNOWN})
_LOST = frozenset({ErrorCode.DATABASE_CONNECTION_LOST})
"""It may have been lost in the commit itself."""

_CORRECT = "Correct the request; /v1/openapi.json says what is asked for."
_BY_FRAMEWORK = MappingProxyType(
    {
        404: (
            ErrorCode.HTTP_ROUTE_UNKNOWN,
            "is nothing here",
            "See /v1/openapi.json for what there is.",
        ),
        405: (
            ErrorCode.HTTP_METHOD_NOT_ALLOWED,
            "is not done here",
            "Use a method that the header Allow names.",
        ),
        408: (
            ErrorCode.HTTP_REQUEST_MALFORMED,
            "has a body that did not come in time",
            "Send it at once.",
        ),
        413: (ErrorCode.HTTP_BODY_TOO_LARGE, "has a body that is too large", "Send less at once."),
    }
)
"""What the framework refuses by itself, by status: the code, what is said, and what to do."""


def status_of(code: ErrorCode) -> int:
    """Return the status with which a code is told: 409 where what there is stands against it."""
    told = _STATUSES.get(code)
    if told is not None:
        return told
    begins = next((status for word, status in _BEGINNINGS if code.startswith(word)), None)
    if begins is not None:
        return begins
    if code.startswith("INPUT_"):
        return 422
    return next((status for word, status in _ENDS if code.endswith(word)), 409)


def problem(request: Request, error: TradewrightError) -> JSONResponse:
    """Return the answer that tells an error."""
    error = _for_strangers(request, error)
    status = status_of(error.code)
    body = {
        "type": f"urn:tradewright:error:{error.code}",
        "title": str(error.code).replace("_", " ").capitalize(),
        "status": status,
        "detail": f"{error.what}. {error.why}".strip(),
        "instance": f"urn:uuid:{request.state.request_id}",
        **error.as_dict(),
    }
    return JSONResponse(body, status, headers=_headers(status, error), media_type=MEDIA_TYPE)


def tell_problems(app: FastAPI) -> None:
    """Let every failure of an app be told as a problem, whoever raised it."""
    app.add_exception_handler(TradewrightError, _told)
    app.add_exception_handler(psycopg.Error, _told)
    app.add_exception_handler(PoolTimeout, _told_busy)
    app.add_exception_handler(RequestValidationError, _told_malformed)
    app.add_exception_handler(HTTPException, told_by_status)


def _for_strangers(request: Request, error: TradewrightError) -> TradewrightError:
    """Return what is told of an error: of what is the house's own no more than its code."""
    is_of_database = error.code.startswith("DATABASE_")
    if status_of(error.code) < 500 or not (is_of_database or error.code.startswith("INTERNAL_")):
        return error
    _LOGGER.error("request %s: %s", request.state.request_id, error.render())
    why = "The server's log has the cause, under the id of this answer."
    if error.code in _UNKNOWN or (error.code in _LOST and request.method not in SAFE_METHODS):
        return DatabaseError(
            ErrorCode.DATABASE_OUTCOME_UNKNOWN,
            "the database was lost while it was asked for a change",
            why=f"It may have been made, or not. {why}",
            hint="Send the same again under the same key, or read what became of it.",
        )
    if is_of_database:
        what, hint = "the database could not do what was asked for", "Ask again soon."
        return DatabaseError(error.code, what, why=why, hint=hint)
    what, hint = "the request could not be answered", "Report it with the instance of this answer."
    return InternalError(error.code, what, why=why, hint=hint)


def _headers(status: int, error: TradewrightError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="tradewright"'}
    if status in {429, 503}:
        seconds = error.facts.get("retry_after_seconds", RETRY_AFTER_SECONDS)
        return {"Retry-After": str(seconds)}
    return {}


def _told(request: Request, error: Exception) -> JSONResponse:
    known = house_error(error)
    return told_defect(request, error) if known is None else problem(request, known)


def _told_busy(request: Request, error: Exception) -> JSONResponse:
    told = DatabaseError(
        ErrorCode.DATABASE_UNREACHABLE,
        "could not get a session of the database in time",
        why=f"The pool says: {error}.",
        hint="Ask again; if that lasts, check the database, or give the server a larger pool.",
    )
    return problem(request, told)


def _told_malformed(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        return told_defect(request, error)
    faults = {
        ".".join(str(step) for step in each["loc"]): str(each["msg"])
        for each in error.errors()[:FAULTS_TOLD_MAX]
    }
    told = InputError(
        ErrorCode.HTTP_REQUEST_MALFORMED,
        f"the request has {len(error.errors())} faults",
        why="; ".join(f"{place}: {fault}" for place, fault in faults.items()) + ".",
        hint="Correct what is named; /v1/openapi.json says what is asked for.",
        facts=faults,
    )
    return problem(request, told)


def told_by_status(request: Request, error: Exception) -> JSONResponse:
    """Return the answer that tells what the framework, or a bound of the body, has refused."""
    if not isinstance(error, HTTPException):
        return told_defect(request, error)
    answer = problem(request, _refused_by_framework(request, error))
    answer.headers.update(error.headers or {})
    return answer


def _refused_by_framework(request: Request, error: HTTPException) -> TradewrightError:
    asked, detail = f"{request.method} {request.url.path}", str(error.detail).rstrip(".")
    known = _BY_FRAMEWORK.get(error.status_code)
    if known is None:
        code, what, hint = ErrorCode.HTTP_REQUEST_MALFORMED, "cannot be read", _CORRECT
    else:
        code, what, hint = known
    return InputError(code, f'"{asked}" {what}', why=f"{detail}.", hint=hint)


def told_defect(request: Request, error: Exception) -> JSONResponse:
    """Return the answer that tells of an exception that nobody foresaw."""
    told = defect(
        "the request could not be answered",
        error,
        why="Nobody foresaw this.",
        hint="Report it with the instance of this answer.",
    )
    return problem(request, told)
