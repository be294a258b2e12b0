"""`tradewright providers`: connect liquidity providers, and settle what they dealt."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.providers_executions import (
    corrections_command,
    resolve_command,
    settle_command,
    unsolicited_command,
)
from tradewright.cli.providers_reconciliation import (
    breaks_command,
    fetch_command,
    reconcile_command,
)
from tradewright.cli.providers_session import gateway_of, look_at_quotes
from tradewright.cli.providers_simulated import deals_command, simulate_command
from tradewright.cli.risk_output import ACTOR, SECONDS
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.liquidity.fix.connections import (
    Connection,
    Purpose,
    read_connections,
    set_connection,
)
from tradewright.postgres.target import open_database
from tradewright.trading.registry import enable_provider, list_provider, read_providers
from tradewright.wiring import House


@click.group("providers", epilog=options.example("tradewright providers unsolicited"))
def command() -> None:
    """Connect liquidity providers, and settle what they dealt with what our orders say."""


_CONNECTION = tuple(one.name for one in fields(Connection) if one.name != "provider")

for part in (
    *(unsolicited_command, resolve_command, corrections_command, settle_command),
    *(reconcile_command, fetch_command, breaks_command, deals_command, simulate_command),
):
    command.add_command(part)


@command.command("list", epilog=options.example("tradewright providers list"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List providers, whether they are dealt with, and how they are connected over FIX.

    One without a connection is simulated.
    """
    with asked.session() as session:
        providers, connections = read_providers(session), read_connections(session)
    by_code: dict[str, list[Connection | None]] = {}
    for one in connections:
        by_code.setdefault(one.provider, []).append(one)
    rows = [
        {**asdict(each), **{name: getattr(one, name, None) for name in _CONNECTION}}
        for each in providers
        for one in by_code.get(each.provider, [None])
    ]
    columns = ("provider", "is_enabled", "priority", "purpose", "host", "port", "sender", "target")
    print_rows(asked, rows, (*columns, "uses_tls", "username"))


@command.command(
    "connect",
    epilog=options.example(
        "tradewright providers connect LP-ONE orders fix.example.com 9443 "
        "--sender HOUSE --target LP --username house --actor user:anna"
    ),
)
@click.argument("code")
@click.argument("purpose", type=click.Choice([str(each) for each in Purpose]))
@click.argument("host")
@click.argument("port", type=click.IntRange(1, 65535))
@click.option("--sender", required=True, help="SenderCompID (49): who we are.")
@click.option("--target", required=True, help="TargetCompID (56): who they are.")
@click.option(
    "--heartbeat",
    default=30,
    show_default=True,
    type=click.IntRange(1, 300),
    help="Seconds between signs of life (108).",
)
@click.option("--reset-on-logon", is_flag=True, help="Begin numbers at 1 with each logon.")
@click.option("--plain", is_flag=True, help="Without TLS; for lines that are closed otherwise.")
@click.option("--username", help="Username (553); the password is given in the environment.")
@click.option("--account", help="Account (1) that orders name.")
@click.option(
    "--priority",
    type=click.IntRange(0, 32_767),
    default=100,
    show_default=True,
    help="Of a provider that is new.",
)
@ACTOR
@options.with_database
def connect_command(asked: options.Asked, **given: Any) -> None:
    """Set how a provider is reached: for orders, or for quotes. A new provider is listed."""
    with asked.session() as session:
        audit.acting_as(session, given["actor"])
        list_provider(session, code=given["code"], priority=given["priority"])
        connection = Connection(
            provider=given["code"],
            purpose=Purpose(given["purpose"]),
            host=given["host"],
            port=given["port"],
            sender=given["sender"],
            target=given["target"],
            heartbeat_seconds=given["heartbeat"],
            resets_on_logon=given["reset_on_logon"],
            uses_tls=not given["plain"],
            username=given["username"],
            account=given["account"],
        )
        set_connection(session, connection)
    print_facts(asked, asdict(connection))


@command.command(
    "enable",
    epilog=options.example("tradewright providers enable LP-ONE --actor anna --reason restored"),
)
@click.argument("code")
@by_whom_and_why
@options.with_database
def enable_command(asked: options.Asked, *, code: str, actor: str, reason: str) -> None:
    """Deal with a provider again, in every engine from its next batch on."""
    with changing(asked, actor, reason) as session:
        enable_provider(session, code, is_enabled=True)
    print_facts(asked, {"provider": code, "is_enabled": True})


@command.command(
    "disable",
    epilog=options.example("tradewright providers disable LP-ONE --actor anna --reason outage"),
)
@click.argument("code")
@by_whom_and_why
@options.with_database
def disable_command(asked: options.Asked, *, code: str, actor: str, reason: str) -> None:
    """Deal with a provider no more; what it has been asked for before is still booked."""
    with changing(asked, actor, reason) as session:
        enable_provider(session, code, is_enabled=False)
    print_facts(asked, {"provider": code, "is_enabled": False})


@command.command("check", epilog=options.example("tradewright providers check LP-ONE EURUSD"))
@click.argument("code")
@click.argument("symbols", nargs=-1)
@click.option(
    "--seconds",
    type=SECONDS,
    default=10,
    show_default=True,
    help="Wait at most so long.",
)
@options.with_database
def check_command(asked: options.Asked, code: str, symbols: Sequence[str], *, seconds: int) -> None:
    """Log on to a provider, wait for a quote of each symbol, and log out; no order is sent.

    The password is read from TRADEWRIGHT_FIX_PASSWORD. Nothing else may use the session meanwhile.
    """
    with open_database(asked.url, asked.keep, makes=False) as database:
        gateway = gateway_of(House(database.conninfo, database.server), code, symbols)
        seen = look_at_quotes(gateway, len(symbols), seconds)
    quotes = {symbol: f"{quote.bid}/{quote.ask}" for symbol, quote in sorted(seen.items())}
    print_facts(asked, {"provider": code, "logged_on": True, "quotes": quotes})
