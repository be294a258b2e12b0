"""`tradewright serve`: the house over HTTP, beside engines that run elsewhere."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradewright.cli import options
from tradewright.cli.risk_output import PORT
from tradewright.cli.signals import until_signal
from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.target import open_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

_NEEDED = ("fastapi", "uvicorn")


@click.command("serve", epilog=options.example("tradewright serve --socket ./orders.sock"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port", type=PORT, default=8080, show_default=True, help="On this port; 0: a free one."
)
@click.option(
    "--socket",
    "place",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where an engine takes orders (tradewright engine run --socket); without it none go out.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 1_000),
    default=8,
    show_default=True,
    help="How many sessions of the database at most.",
)
@click.option(
    "--behind-tls", is_flag=True, help="A server with TLS is in front: cookies are for TLS alone."
)
@options.with_database
def command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    host: str,
    port: int,
    place: Path | None,
    sessions: int,
    behind_tls: bool,
) -> None:
    """Serve clients and staff over HTTP until SIGTERM or SIGINT, then answer what was taken.

    Several may run beside each other: nothing is kept in one. Put a server with TLS in front.
    """
    _require_installed()
    from tradewright.server.http.house import HttpSettings  # noqa: PLC0415 (an extra)
    from tradewright.server.http.serving import HttpRun, run_http  # noqa: PLC0415 (an extra)

    run = HttpRun(
        host=host,
        port=port,
        socket=place,
        sessions=sessions,
        schema=asked.schema,
        settings=HttpSettings(is_behind_tls=behind_tls),
        routers=_routers(),
    )
    with until_signal() as stopping, open_database(asked.url, asked.keep, makes=False) as database:
        run_http(database.conninfo, run, _teller(asked), stopping)


def _teller(asked: options.Asked) -> Callable[[str], None]:
    def tell(address: str) -> None:
        click.echo(json.dumps({"address": address}) if asked.as_json else f"serving at {address}")

    return tell


def _routers() -> "Sequence[APIRouter]":
    """Return the routes of every face that is served."""
    return ()


def _require_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise StateError(
            ErrorCode.SERVER_NOT_INSTALLED,
            f"serving needs {' and '.join(missing)}, which are not installed",
            why="They are an extra, so that the base install stays small.",
            hint="Install them: pip install 'tradewright[server]'.",
        )
