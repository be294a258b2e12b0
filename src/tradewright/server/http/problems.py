"""How a refusal is told over HTTP: RFC 9457 problem details, made of the house's one error object.

The status follows from the code alone, so that an error which an engine has sent over its line is
told like one that was raised here. `type` names the code, `title` says it in words, `detail` what
and why; code, what, why, hint and facts stand beside them as the command line prints them.
"""

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
    TradewrightError,
)
from tradewright.postgres.last_words import house_error

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
FAULTS_TOLD_MAX = 20

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
    app.add_exception_handler(HTTPException, _told_by_status)
    app.add_exception_handler(Exception, _told_defect)


def _headers(status: int, error: TradewrightError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="tradewright"'}
    if status in {429, 503}:
        seconds = error.facts.get("retry_after_seconds", RETRY_AFTER_SECONDS)
        return {"Retry-After": str(seconds)}
    return {}


def _told(request: Request, error: Exception) -> JSONResponse:
    known = house_error(error)
    return _told_defect(request, error) if known is None else problem(request, known)


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
        return _told_defect(request, error)
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


def _told_by_status(request: Request, error: Exception) -> JSONResponse:
    """Tell what the framework has refused by itself."""
    if not isinstance(error, HTTPException):
        return _told_defect(request, error)
    answer = problem(request, _refused_by_framework(request, error))
    answer.headers.update(error.headers or {})
    return answer


def _refused_by_framework(request: Request, error: HTTPException) -> TradewrightError:
    asked, detail = f"{request.method} {request.url.path}", str(error.detail).rstrip(".")
    code, what, why, hint = {
        404: (
            ErrorCode.HTTP_ROUTE_UNKNOWN,
            f'nothing is at "{request.url.path}"',
            "No route has this path",
            "See /v1/openapi.json for what there is.",
        ),
        405: (
            ErrorCode.HTTP_METHOD_NOT_ALLOWED,
            f'"{asked}" is not done here',
            "The path takes other methods",
            "Use one that the header Allow names.",
        ),
        413: (
            ErrorCode.HTTP_BODY_TOO_LARGE,
            f'the body of "{asked}" is too large',
            detail,
            "Send less at once.",
        ),
    }.get(error.status_code) or _unreadable(asked, detail)
    return InputError(code, what, why=f"{why}.", hint=hint)


def _unreadable(asked: str, detail: str) -> tuple[ErrorCode, str, str, str]:
    hint = "Correct the request; /v1/openapi.json says what is asked for."
    return ErrorCode.HTTP_REQUEST_MALFORMED, f'"{asked}" cannot be read', detail, hint


def _told_defect(request: Request, error: Exception) -> JSONResponse:
    told = defect(
        "the request could not be answered",
        error,
        why="Nobody foresaw this.",
        hint="Report it with the instance of this answer.",
    )
    return problem(request, told)
