"""Run the house over HTTP until somebody says stop; then answer what was taken, and leave."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import APIRouter, FastAPI

from tradewright.core.errors import ErrorCode, InternalError, StateError
from tradewright.postgres.connect import DEFAULT_SCHEMA, ConnectOptions, Limits
from tradewright.postgres.pool import open_pool
from tradewright.server.address import Address
from tradewright.server.http.app import make_app
from tradewright.server.http.connections import protocol_of
from tradewright.server.http.engine_line import EngineLine
from tradewright.server.http.house import HttpHouse, HttpSettings
from tradewright.server.metrics.exposing import exposed
from tradewright.server.metrics.http import HttpFigures, Measured

CLOSE_SECONDS_MAX = 10
"""At the end answers that take longer than this are cut off."""

_LOOK_SECONDS = 0.2
_LIMITS = Limits(statement_timeout_ms=30_000)
_WAITING_MAX = 512
_UNREAD_MS_MAX = 60_000
"""Whoever takes nothing of an answer for so long is hung up on by the system."""

Tell = Callable[[str], None]
"""Takes the address that is answered from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRun:
    """How the house is served: where, with how many sessions, before which engine, if any.

    At `metrics` figures are shown to Prometheus; `tell_figures` is told where that is.
    """

    host: str
    port: int
    socket: Path | None = None
    sessions: int = 8
    schema: str = DEFAULT_SCHEMA
    settings: HttpSettings = field(default_factory=HttpSettings)
    routers: Sequence[APIRouter] = ()
    metrics: Address | None = None
    tell_figures: Tell = lambda _: None


def run_http(conninfo: str, run: HttpRun, tell: Tell, stopping: threading.Event) -> None:
    """Serve the house of a database until `stopping` is set.

    Raises:
        StateError: SERVER_ADDRESS_UNUSABLE.
        DatabaseError: the database could not be reached at the start.

    """
    options: ConnectOptions = {
        "schema": run.schema,
        "autocommit": True,
        "application_name": "tradewright serve",
        "limits": _LIMITS,
    }
    with open_pool(conninfo, run.sessions, **options) as pool:
        house = HttpHouse(
            pool=pool,
            conninfo=conninfo,
            line=None if run.socket is None else EngineLine(run.socket),
            schema=run.schema,
            settings=run.settings,
            stopping=stopping,
        )
        app = make_app(house, run.routers)
        with _measured(app, run):
            serve(app, (run.host, run.port), tell, stopping)


@contextmanager
def _measured(app: FastAPI, run: HttpRun) -> Iterator[None]:
    """Count what an app answers and show it, if that is wanted."""
    if run.metrics is None:
        yield
        return
    figures = HttpFigures(lambda: int(app.state.streams.count))
    app.add_middleware(Measured, figures=figures)
    with exposed(figures.registry, run.metrics) as place:
        run.tell_figures(f"http://{place}/metrics")
        yield


def serve(
    app: FastAPI,
    place: tuple[str, int],
    tell: Tell,
    stopping: threading.Event,
) -> None:
    """Serve an app at a host and port until `stopping` is set; port 0 is a free one.

    Raises:
        StateError: SERVER_ADDRESS_UNUSABLE.
        InternalError: INTERNAL_DEFECT, when it has ended although nobody said stop.

    """
    with closing(_listening(*place)) as bound:
        server = uvicorn.Server(_config(app))
        running = threading.Thread(target=server.run, args=([bound],), name="http", daemon=True)
        running.start()
        tell(_address(bound))
        while running.is_alive() and not stopping.wait(_LOOK_SECONDS):
            pass
        if not stopping.is_set():
            raise _ended_by_itself()
        server.should_exit = True
        running.join(CLOSE_SECONDS_MAX + 5)


def _ended_by_itself() -> InternalError:
    return InternalError(
        ErrorCode.INTERNAL_DEFECT,
        "the server has ended by itself",
        why="Nobody told it to stop; what it said before it ended stands above.",
        hint="Start it again, and report what it said.",
    )


def _config(app: FastAPI) -> uvicorn.Config:
    house: HttpHouse = app.state.house
    proxies = [str(each) for each in house.settings.proxies]
    return uvicorn.Config(
        app,
        http=protocol_of(house.settings),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=CLOSE_SECONDS_MAX,
        lifespan="on",
    )


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections from now on: who comes before the app waits."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host, port), family=family, backlog=_WAITING_MAX)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS_MAX)
    except OSError as error:
        raise StateError(
            ErrorCode.SERVER_ADDRESS_UNUSABLE,
            f"the address {host}:{port} cannot be listened on",
            why=f"The system says: {error.strerror or error}.",
            hint="Choose another --host or --port; 0 is a free port.",
            facts={"host": host, "port": port},
        ) from None
    return bound
