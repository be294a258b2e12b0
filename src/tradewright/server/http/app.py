"""The app factory: routes, guards and problems around one house."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI

from tradewright import __version__
from tradewright.access.rates import Buckets, KeyRates, Strangers
from tradewright.server.http import health
from tradewright.server.http.describing import describe
from tradewright.server.http.guards import Guards
from tradewright.server.http.house import HttpHouse
from tradewright.server.http.problems import tell_problems
from tradewright.server.http.routes import (
    accounts,
    claims,
    instruments,
    keys,
    orders,
    payments,
    positions,
    record,
    risk,
    stream,
    suspense,
    wallets,
    whole,
)
from tradewright.server.http.works import SPARE_THREADS, Works

DESCRIPTION = """A broker's trading engine over HTTP.

Numbers are texts of decimals, times RFC 3339 in UTC. Refusals are problem details (RFC 9457)."""


_ROUTERS = (
    health.router,
    keys.router,
    instruments.router,
    accounts.router,
    whole.router,
    orders.router,
    positions.router,
    wallets.router,
    payments.router,
    claims.router,
    suspense.router,
    risk.router,
    record.router,
    stream.router,
)


def make_app(house: HttpHouse, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the app of a house: health, and what other routers bring; /v1/openapi.json tells."""
    settings = house.settings
    works = Works(settings.requests_at_once, settings.requests_at_once_of_key)
    app = FastAPI(
        title="Tradewright",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lasting,
    )
    app.state.house = house
    app.state.readiness = health.Readiness()
    app.state.streams = stream.Streams(house)
    app.state.rates = KeyRates(Buckets(settings.requests_per_second, settings.burst))
    app.state.strangers = Strangers()
    for each in (*_ROUTERS, *routers):
        app.include_router(each)
    tell_problems(app)
    describe(app)
    app.add_middleware(Guards, settings=settings, works=works)
    return app


@asynccontextmanager
async def _lasting(app: FastAPI) -> AsyncIterator[None]:
    """Give every request that is at work a thread for itself."""
    house: HttpHouse = app.state.house
    threads = current_default_thread_limiter()
    threads.total_tokens = house.settings.requests_at_once + SPARE_THREADS
    yield
