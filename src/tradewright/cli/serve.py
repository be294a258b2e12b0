"""`tradewright serve`: the house over HTTP, beside engines that run elsewhere."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from tradewright.cli import options
from tradewright.cli.extras import LISTENING, NETWORK, SERVING, require_installed
from tradewright.cli.risk_output import PORT
from tradewright.cli.signals import until_signal
from tradewright.postgres.target import open_database
from tradewright.wiring import House

if TYPE_CHECKING:
    from tradewright.server.http.house import HttpSettings, Network
    from tradewright.server.http.serving import HttpRun


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
@click.option(
    "--proxy",
    "proxies",
    type=NETWORK,
    multiple=True,
    help="Take this address's word on who asks (X-Forwarded-For), or that of a network; may be"
    " given often.  [default with --behind-tls: 127.0.0.1]",
)
@click.option(
    "--console", "with_console", is_flag=True, help="With the pages for the staff, at /console."
)
@click.option("--metrics", type=LISTENING, help="Show figures for Prometheus there.")
@options.with_database
def command(
    asked: options.Asked,
    *,
    place: Path | None,
    behind_tls: bool,
    proxies: Sequence["Network"],
    with_console: bool,
    **how: Any,
) -> None:
    """Serve clients and staff over HTTP until SIGTERM or SIGINT, then answer what was taken.

    Several may run beside each other: nothing is kept in one. Put a server with TLS in front.
    """
    require_installed("serving", *SERVING)
    from tradewright.server.http.serving import HttpRun  # noqa: PLC0415 (an extra)

    run = HttpRun(
        socket=place,
        schema=asked.schema,
        settings=_settings(proxies, behind_tls=behind_tls),
        **how,
    )
    with until_signal() as stopping, open_database(asked.url, asked.keep, makes=False) as database:
        house = House(database.conninfo, database.server, asked.schema)
        _serve(house, run, stopping, with_console=with_console, as_json=asked.as_json)


def _settings(proxies: Sequence["Network"], *, behind_tls: bool) -> "HttpSettings":
    """Return how to serve; a server with TLS is taken to be on this machine unless it is named."""
    from tradewright.server.http.house import HttpSettings  # noqa: PLC0415 (an extra)

    trusted = tuple(proxies) or ((ip_network("127.0.0.1"),) if behind_tls else ())
    return HttpSettings(is_behind_tls=behind_tls, proxies=trusted)


def _serve(
    house: House, run: "HttpRun", stopping: Event, *, with_console: bool, as_json: bool
) -> None:
    """Serve a house, with its console or without."""
    from tradewright.console import open_console  # noqa: PLC0415 (an extra)
    from tradewright.server.http.serving import run_http  # noqa: PLC0415 (an extra)

    def tell(address: str) -> None:
        click.echo(json.dumps({"address": address}) if as_json else f"serving at {address}")

    def tell_figures(place: str) -> None:
        click.echo(json.dumps({"figures": place}) if as_json else f"figures at {place}")

    with ExitStack() as opened:
        if with_console:
            console = open_console(house, is_behind_tls=run.settings.is_behind_tls)
            run = replace(run, routers=(opened.enter_context(console),))
        run = replace(run, tell_figures=tell_figures)
        run_http(house.conninfo, run, tell, stopping)
