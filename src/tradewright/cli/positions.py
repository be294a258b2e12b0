"""`tradewright positions`: what accounts hold, what was closed, and at which levels it is."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_output import LAST, Number
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.ids import new_id_text
from tradewright.trading.inquiry import (
    ListedPosition,
    find_account,
    find_position,
    find_user,
    list_positions,
)
from tradewright.trading.instruments import find_instrument

_COLUMNS = (
    *("opened_at", "id", "symbol", "quantity", "average_price", "realised_pnl", "stop_loss"),
    *("take_profit", "closed_at"),
)

_SECONDS = 30.0
"""For so long an engine's answer is waited for."""


@click.group("positions", epilog=options.example("tradewright positions list --last 20"))
def command() -> None:
    """Show what accounts hold, a quantity below zero is short; amend stop-loss and take-profit."""


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


@command.command(
    "amend",
    epilog=options.example(
        "tradewright positions amend ./orders.sock 0199c1d2-... --stop-loss 1.0950"
    ),
)
@click.argument("place", metavar="SOCKET", type=click.Path(path_type=Path))
@click.argument("position", type=click.UUID)
@click.option("--stop-loss", type=Number(), help="Close it when the price is as bad as that.")
@click.option("--take-profit", type=Number(), help="Close it when the price is as good as that.")
@click.option("--no-stop-loss", is_flag=True, help="Take the stop-loss away.")
@click.option("--no-take-profit", is_flag=True, help="Take the take-profit away.")
@click.option("--key", type=click.UUID, help="The key of the amendment; the same again is safe.")
@options.with_database
def amend_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    place: Path,
    position: UUID,
    *,
    stop_loss: Decimal | None,
    take_profit: Decimal | None,
    no_stop_loss: bool,
    no_take_profit: bool,
    key: UUID | None,
) -> None:
    """Change the levels of an open position through an engine; what is not named stays.

    Without a key one is made and shown.
    """
    from tradewright.server.http.engine_line import EngineLine  # noqa: PLC0415 (only where used)

    levels = {
        **_levels("stop_loss", stop_loss, is_taken_away=no_stop_loss),
        **_levels("take_profit", take_profit, is_taken_away=no_take_profit),
    }
    with asked.session() as session:
        found = find_position(session, str(position))
    line = _line(found, new_id_text() if key is None else str(key), levels)
    print_facts(asked, EngineLine(place).ask(line, seconds=_SECONDS))


def _line(found: ListedPosition, key: str, levels: Mapping[str, object]) -> dict[str, object]:
    """Return what an engine is asked for."""
    return {
        "command": "amend_position",
        "account_id": found.account_id,
        "amendment_id": key,
        "position_id": found.id,
        "symbol": found.symbol,
        **levels,
    }


def _levels(name: str, price: Decimal | None, *, is_taken_away: bool) -> dict[str, object]:
    """Return what is said of a level: nothing, unless it was named."""
    if price is not None and is_taken_away:
        word = name.replace("_", "-")
        raise click.UsageError(f"Give --{word} or --no-{word}, not both.")
    if price is None and not is_taken_away:
        return {}
    return {name: None if price is None else f"{price:f}"}
