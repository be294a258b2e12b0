"""`tradewright wallets`: what users have outside their trading accounts."""

from dataclasses import asdict

import click

from tradewright import ledger
from tradewright.cli import options
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading.inquiry import find_user

_COLUMNS = ("currency", "available", "reserved", "status", "version")


@click.group("wallets", epilog=options.example("tradewright wallets list kim@example.org"))
def command() -> None:
    """Show users' wallets; USER is an id or an e-mail address.

    `tradewright ledger history` tells what changed them, `tradewright payments` what is asked for.
    """


@command.command("list", epilog=options.example("tradewright wallets list kim@example.org --json"))
@click.argument("user")
@options.with_database
def list_command(asked: options.Asked, user: str) -> None:
    """List a user's wallets by currency; one is opened by its first credit."""
    with asked.session() as session:
        found = ledger.read_wallets(session, find_user(session, user).id)
    print_rows(asked, [asdict(each) for each in found], _COLUMNS)


@command.command("show", epilog=options.example("tradewright wallets show kim@example.org USD"))
@click.argument("user")
@click.argument("currency")
@options.with_database
def show_command(asked: options.Asked, user: str, currency: str) -> None:
    """Show a wallet, and what its reserved money is held for."""
    with asked.session() as session:
        wallet = ledger.read_wallet(session, find_user(session, user).id, currency)
    print_facts(asked, {"currency": currency, **asdict(wallet)})
