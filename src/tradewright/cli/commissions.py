"""`tradewright commissions`: what trades cost, for groups, instruments, and both."""

from decimal import Decimal
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.risk_output import Number
from tradewright.cli.settings import by_whom_and_why, changing, shown
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import minor_unit
from tradewright.postgres.connect import Session
from tradewright.trading.commissions import (
    CommissionForm,
    CommissionTerms,
    read_terms,
    set_terms,
    terms_for,
)
from tradewright.trading.groups import find_group
from tradewright.trading.reference import read_instruments

_COLUMNS = ("group", "symbol", "form", "rate", "currency", "minimum")
_GROUP = click.option("--group", help="For accounts of this group.")
_SYMBOL = click.option("--symbol", help="For trades in this instrument.")


@click.group("commissions", epilog=options.example("tradewright commissions list"))
def command() -> None:
    """Set what trades cost: for a group, an instrument, or a group in an instrument."""


@command.command("list", epilog=options.example("tradewright commissions list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List all terms; an instrument without any costs its own price per million."""
    with asked.session() as session:
        print_rows(asked, _rows(session), _COLUMNS)


@command.command(
    "show", epilog=options.example("tradewright commissions show --group pro --symbol EURUSD")
)
@click.option("--group", default="standard", show_default=True, help="Of this group's accounts.")
@click.option("--symbol", required=True, help="In this instrument.")
@click.option("--currency", default="USD", show_default=True, help="Currency of the account.")
@options.with_database
def show_command(asked: options.Asked, *, group: str, symbol: str, currency: str) -> None:
    """Show the terms that hold for a group in an instrument, the most particular ones."""
    minor_unit(currency)
    with asked.session() as session:
        find_group(session, group)
        instruments, book = read_instruments(session), read_terms(session)
    if symbol not in instruments:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'unknown instrument "{symbol}"',
            why=f"These are listed: {', '.join(sorted(instruments)) or 'none'}.",
            hint="Name one of these.",
            facts={"symbol": symbol},
        )
    terms = terms_for(book, group, instruments[symbol], currency)
    print_facts(asked, {"group": group, "symbol": symbol, **shown(terms)})


@command.command(
    "set",
    epilog=options.example(
        "tradewright commissions set per_lot 3.5 --group pro --actor anna --reason agreed"
    ),
)
@click.argument("form", type=click.Choice([str(form) for form in CommissionForm]))
@click.argument("rate", type=Number())
@click.option(
    "--currency", default="USD", show_default=True, help="Of a rate per lot, and of --minimum."
)
@click.option("--minimum", type=Number(), default="0", help="The least that a fill costs.")
@_GROUP
@_SYMBOL
@by_whom_and_why
@options.with_database
def set_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    form: str,
    rate: Decimal,
    currency: str,
    minimum: Decimal,
    group: str | None,
    symbol: str | None,
    actor: str,
    reason: str,
) -> None:
    """Set what a trade costs from the next batch on, in place of the terms before."""
    if group is None and symbol is None:
        raise click.UsageError("Give --group, --symbol, or both.")
    terms = CommissionTerms(
        form=CommissionForm(form), rate=rate, currency=currency, minimum=minimum
    )
    with changing(asked, actor, reason) as session:
        set_terms(session, terms, group=group, symbol=symbol)
    print_facts(asked, {"group": group, "symbol": symbol, **shown(terms)})


def _rows(session: Session) -> list[dict[str, Any]]:
    book = read_terms(session)
    return [
        {"group": group, "symbol": symbol, **shown(terms)}
        for (group, symbol), terms in book.items()
    ]
