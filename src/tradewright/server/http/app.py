"""The app factory: routes, guards and problems around one house."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from tradewright import __version__
from tradewright.server.http import health
from tradewright.server.http.guards import Guards
from tradewright.server.http.house import HttpHouse
from tradewright.server.http.problems import tell_problems
from tradewright.server.http.routes import keys

DESCRIPTION = """A broker's trading engine over HTTP.

Numbers are texts of decimals, times RFC 3339 in UTC. Refusals are problem details (RFC 9457)."""


def make_app(house: HttpHouse, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the app of a house: health, and what other routers bring; /v1/openapi.json tells."""
    app = FastAPI(
        title="Tradewright",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.house = house
    app.state.readiness = health.Readiness()
    for each in (health.router, keys.router, *routers):
        app.include_router(each)
    tell_problems(app)
    app.add_middleware(Guards, body_bytes_max=house.settings.body_bytes_max)
    return app
