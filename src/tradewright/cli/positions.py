"""`tradewright positions`: what accounts hold, and what was closed."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.tables import print_rows
from tradewright.trading.inquiry import find_account, find_user, list_positions
from tradewright.trading.instruments import find_instrument

_COLUMNS = (
    *("opened_at", "id", "symbol", "quantity", "average_price", "realised_pnl", "stop_loss"),
    *("take_profit", "closed_at"),
)


@click.group("positions", epilog=options.example("tradewright positions list --last 20"))
def command() -> None:
    """Show what accounts hold; a quantity below zero is short."""


@command.command(
    "list", epilog=options.example("tradewright positions list --user kim@example.org --all")
)
@click.option("--account", type=click.UUID, help="Only those of this account.")
@click.option("--user", help="Only those of this user, by id or e-mail address.")
@click.option("--symbol", help="Only those in this instrument.")
@click.option("--all", "with_closed", is_flag=True, help="Those that are closed, too.")
@LAST
@options.with_database
def list_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    account: UUID | None,
    user: str | None,
    symbol: str | None,
    with_closed: bool,
    last: int,
) -> None:
    """List positions, the newest first."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        found = list_positions(
            session,
            account_id=None if account is None else find_account(session, str(account)).id,
            user_id=user_id,
            symbol=None if symbol is None else find_instrument(session, symbol).symbol,
            with_closed=with_closed,
            count_max=last,
        )
    print_rows(asked, [asdict(each) for each in found], _COLUMNS)
