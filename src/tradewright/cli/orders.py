"""`tradewright orders`: what was ordered, and step by step what became of it."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading.inquiry import find_account, find_order, find_user, list_orders
from tradewright.trading.instruments import find_instrument
from tradewright.trading.model import OrderStatus

_COLUMNS = (
    *("created_at", "id", "client_order_id", "symbol", "side", "order_type", "quantity"),
    *("filled_quantity", "average_price", "status", "refusal_code"),
)
_EVENTS = ("seq", "occurred_at", "event_type", "from_status", "to_status", "quantity", "price")


@click.group("orders", epilog=options.example("tradewright orders list --last 20"))
def command() -> None:
    """Show orders, and what became of them; `tradewright engine send` gives them."""


@command.command(
    "list", epilog=options.example("tradewright orders list --user kim@example.org --status new")
)
@click.option("--account", type=click.UUID, help="Only those of this account.")
@click.option("--user", help="Only those of this user, by id or e-mail address.")
@click.option("--symbol", help="Only those in this instrument.")
@click.option(
    "--status", type=click.Choice([str(each) for each in OrderStatus]), help="Only in this state."
)
@LAST
@options.with_database
def list_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    account: UUID | None,
    user: str | None,
    symbol: str | None,
    status: str | None,
    last: int,
) -> None:
    """List orders, the newest first."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        found = list_orders(
            session,
            account_id=None if account is None else find_account(session, str(account)).id,
            user_id=user_id,
            symbol=None if symbol is None else find_instrument(session, symbol).symbol,
            status=status,
            count_max=last,
        )
    print_rows(asked, [asdict(each) for each in found], _COLUMNS)


@command.command("show", epilog=options.example("tradewright orders show 0199c1d2-..."))
@click.argument("order", type=click.UUID)
@options.with_database
def show_command(asked: options.Asked, order: UUID) -> None:
    """Show an order with its events, oldest first."""
    with asked.session() as session:
        found, events = find_order(session, str(order))
    rows = [asdict(each) for each in events]
    if asked.as_json:
        print_facts(asked, {**asdict(found), "events": rows})
        return
    print_facts(asked, asdict(found))
    print_rows(asked, rows, (*_EVENTS, "actor"))
