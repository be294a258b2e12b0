"""`tradewright metrics`: figures of the house for Prometheus."""

from threading import Event
from typing import TYPE_CHECKING

import click

from tradewright.cli import options
from tradewright.cli.extras import LISTENING, require_installed
from tradewright.cli.signals import until_signal
from tradewright.postgres.connect import Limits, connect
from tradewright.postgres.target import open_database

if TYPE_CHECKING:
    from tradewright.server.address import Address
    from tradewright.server.metrics.house import HouseCollector

_HASTY = Limits(statement_timeout_ms=5_000)
"""A scrape that takes longer than this has found out enough."""


@click.command("metrics", epilog=options.example("tradewright metrics --listen 127.0.0.1:9464"))
@click.option(
    "--listen", "place", type=LISTENING, help="Answer there until a signal; port 0: a free one."
)
@options.with_database
def command(asked: options.Asked, *, place: "Address | None") -> None:
    """Print figures of the house in Prometheus' text format, or answer whoever scrapes them.

    They are read from the database when they are asked for, at most every 2 seconds. An engine
    shows its own: tradewright engine run --metrics.
    """
    require_installed("showing figures", "prometheus_client")
    from tradewright.server.metrics.house import HouseCollector  # noqa: PLC0415 (an extra)

    with until_signal() as stopping, open_database(asked.url, asked.keep, makes=False) as database:
        house = HouseCollector(
            lambda: connect(
                database.conninfo,
                schema=asked.schema,
                limits=_HASTY,
                application_name="tradewright metrics",
            )
        )
        if place is None:
            _print_once(house)
        else:
            _answer(house, place, stopping)


def _print_once(house: "HouseCollector") -> None:
    """Print what can be read; a database that is away is an error here, and no figure."""
    from tradewright.server.metrics.exposing import shown  # noqa: PLC0415 (an extra)

    with house.open_session():
        pass
    click.echo(shown(house), nl=False)


def _answer(house: "HouseCollector", place: "Address", stopping: Event) -> None:
    from tradewright.server.metrics.exposing import exposed  # noqa: PLC0415 (an extra)

    with exposed(house, place) as address:
        click.echo(f"figures at http://{address}/metrics")
        stopping.wait()
