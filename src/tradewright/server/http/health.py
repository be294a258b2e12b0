"""Whether the process lives, and whether it can do its work: for whoever starts and stops it."""

import logging
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.migrate import State, Target, find_migrations, our_migrations, status
from tradewright.server.http.house import HttpHouse, house_of

KEPT_SECONDS = 2.0
"""An answer to whether all is ready is given again for so long, however often it is asked for."""

_LOGGER = logging.getLogger("tradewright.http")

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> dict[str, str]:
    """Answer, which is all: nothing else is asked."""
    return {"status": "ok"}


class Found(BaseModel):
    """What each part says: ok, or why not."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str]


@router.get(
    "/readyz",
    summary="Whether database, schema and engine are there",
    response_model=Found,
    responses={503: {"model": Found, "description": "One of them is not there"}},
)
def readyz(request: Request) -> JSONResponse:
    """Tell of each part that the work needs; 503 when one of them is not there."""
    readiness: Readiness = request.app.state.readiness
    checks = readiness.checks(house_of(request))
    is_ready = all(one == "ok" for one in checks.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": checks}
    return JSONResponse(body, 200 if is_ready else 503)


@dataclass(slots=True)
class Readiness:
    """What was found last, and when; while one looks again, others are told what was found last."""

    _found: dict[str, Any] = field(default_factory=dict)
    _found_at: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def checks(self, house: HttpHouse) -> dict[str, str]:
        """Return what each part says: ok, or why not."""
        is_due = monotonic_seconds() - self._found_at > KEPT_SECONDS
        if is_due and self._lock.acquire(blocking=False):
            try:
                self._found = {**_schema(house), "engine": _engine(house)}
                self._found_at = monotonic_seconds()
            finally:
                self._lock.release()
        return dict(self._found) or {"database": "not looked at yet"}


def _schema(house: HttpHouse) -> dict[str, str]:
    """Return whether the database answers, and whether its schema is this release's."""
    target = Target(conninfo=house.conninfo, schema=house.schema)
    try:
        found = status(target, find_migrations(our_migrations()))
    except TradewrightError as error:
        _LOGGER.warning("not ready: %s", error.render())
        return {"database": f"it failed with {error.code}", "schema": "not known"}
    other = [f"{one.version} is {one.state}" for one in found if one.state is not State.APPLIED]
    return {"database": "ok", "schema": ", ".join(other) or "ok"}


def _engine(house: HttpHouse) -> str:
    if house.line is None:
        return "ok"
    return "ok" if house.line.is_there() else "no engine takes commands"
