"""`tradewright payments receive`: the endpoint that providers post their messages to."""

import json
from collections.abc import Sequence

import click

from tradewright.cli import options
from tradewright.cli.risk_output import PORT
from tradewright.cli.signals import until_signal
from tradewright.payments import Provider
from tradewright.payments.webhooks.inbox import list_events
from tradewright.payments.webhooks.receiver import webhook_server
from tradewright.postgres.pool import open_pool
from tradewright.postgres.target import open_database


@click.command("receive", epilog=options.example("tradewright payments receive --port 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port",
    type=PORT,
    default=0,
    show_default=True,
    help="Listen on this port; 0: a free one.",
)
@click.option(
    "--cards-secret", multiple=True, envvar="TRADEWRIGHT_CARDS_SECRETS", help="Of the cards."
)
@click.option(
    "--chain-secret", multiple=True, envvar="TRADEWRIGHT_CHAIN_SECRETS", help="Of the chain."
)
@options.with_database
def receive_command(
    asked: options.Asked,
    host: str,
    port: int,
    *,
    cards_secret: Sequence[str],
    chain_secret: Sequence[str],
) -> None:
    """Take what providers post, until SIGTERM or SIGINT.

    Secrets may be given twice while they are changed, or in the environment, with spaces between.
    Put a server with TLS in front of it.
    """
    secrets = {Provider.CARDS: cards_secret, Provider.CHAIN: chain_secret}
    with asked.session() as session:
        list_events(session, status=None, count_max=1)  # it would refuse where no message fits
    with (
        until_signal() as stopping,
        open_database(asked.url, asked.keep, makes=False) as database,
        open_pool(database.conninfo, schema=asked.schema) as pool,
        webhook_server(pool.connection, secrets, host=host, port=port) as address,
    ):
        click.echo(json.dumps({"address": address}) if asked.as_json else f"taking at {address}")
        stopping.wait()
