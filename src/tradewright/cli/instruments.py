"""`tradewright instruments`: what is traded, and on what terms."""

from collections.abc import Mapping
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.settings import by_whom_and_why, changing, shown, with_fields
from tradewright.cli.tables import print_facts, print_rows
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.sessions import FOREX_WEEK, TradingSession
from tradewright.trading import instruments
from tradewright.trading.instruments import InstrumentTerms
from tradewright.trading.reference import read_instruments

_COLUMNS = (
    *("symbol", "asset_class", "quantity_step", "quantity_max", "price_tick", "leverage_max"),
    *("leverage_max_retail", "is_tradable"),
)
_TERMS = with_fields(InstrumentTerms, but=frozenset())
_SESSIONS = {"forex-week": (FOREX_WEEK,), "always": ()}


@click.group("instruments", epilog=options.example("tradewright instruments list"))
def command() -> None:
    """List instruments to be traded, and set their class, steps, leverage and more."""


@command.command("list", epilog=options.example("tradewright instruments list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List all instruments with their terms."""
    with asked.session() as session:
        found = read_instruments(session)
    print_rows(asked, [_facts(one) for one in found.values()], _COLUMNS)


@command.command("show", epilog=options.example("tradewright instruments show EURUSD"))
@click.argument("symbol")
@options.with_database
def show_command(asked: options.Asked, symbol: str) -> None:
    """Show the terms of an instrument, and when it is traded."""
    with asked.session() as session:
        print_facts(asked, _facts(instruments.find_instrument(session, symbol)))


@command.command(
    "add",
    epilog=options.example(
        "tradewright instruments add AUDCAD --quantity-step 1000 --quantity-max 10000000 "
        "--price-tick 0.00001 --leverage-max 100 --actor anna --reason agreed"
    ),
)
@click.argument("symbol")
@click.option("--pair", nargs=2, metavar="BASE QUOTE", help="Its currencies, if not the symbol's.")
@click.option(
    "--traded",
    type=click.Choice(sorted(_SESSIONS)),
    default="forex-week",
    show_default=True,
    help="When: Sunday to Friday 17:00 in New York, or without a break.",
)
@_TERMS
@by_whom_and_why
@options.with_database
def add_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    symbol: str,
    pair: tuple[str, str] | None,
    traded: str,
    changes: Mapping[str, Any],
    actor: str,
    reason: str,
) -> None:
    """List an instrument to be traded.

    Its class follows from a pair of currencies, the least quantity is a step, and retail clients
    have the most leverage that the class allows, unless it is given.
    """
    with changing(asked, actor, reason) as session:
        added = instruments.add_instrument(session, symbol, pair, changes, _SESSIONS[traded])
    print_facts(asked, _facts(added))


@command.command(
    "set",
    epilog=options.example(
        "tradewright instruments set AUDCAD --no-tradable --actor anna --reason agreed"
    ),
)
@click.argument("symbol")
@_TERMS
@by_whom_and_why
@options.with_database
def set_command(
    asked: options.Asked, *, symbol: str, changes: Mapping[str, Any], actor: str, reason: str
) -> None:
    """Change the terms of an instrument; what is not given stays."""
    if not changes:
        raise click.UsageError("Give at least one term.")
    with changing(asked, actor, reason) as session:
        changed = instruments.change_instrument(session, symbol, changes)
    print_facts(asked, _facts(changed))


def _facts(one: Instrument) -> dict[str, Any]:
    named = {
        "symbol": one.symbol,
        "base_currency": one.base_currency,
        "quote_currency": one.quote_currency,
    }
    sessions = [_session(each) for each in one.sessions]
    return named | shown(instruments.terms_of(one)) | {"sessions": sessions}


def _session(one: TradingSession) -> str:
    return (
        f"{one.opens_weekday} {one.opens_at:%H:%M} to {one.closes_weekday} {one.closes_at:%H:%M}"
        f" {one.timezone}"
    )
