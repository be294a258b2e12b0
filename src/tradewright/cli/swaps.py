"""`tradewright swaps`: what holding a position costs, holidays, and rolling a day over."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.risk_output import Number
from tradewright.liquidity.quote_file import read_quotes
from tradewright.trading.rollover_day import market_before, roll_day
from tradewright.trading.swap_store import add_holiday, set_swap_terms
from tradewright.trading.swaps import SwapForm, SwapTerms

DAY = click.DateTime(formats=["%Y-%m-%d"])
_QUOTES = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("swaps", epilog=options.example("tradewright swaps roll 2026-01-13 --quotes day.csv"))
def command() -> None:
    """Set what holding a position over the rollover costs, and roll a day over."""


@command.command(
    "set",
    epilog=options.example(
        "tradewright swaps set EURUSD points --long=-7.5 --short=2.5 --from 2026-01-13"
    ),
)
@click.argument("symbol")
@click.argument("form", type=click.Choice([str(form) for form in SwapForm]))
@click.option("--long", "long_rate", type=Number(), required=True, help="Of a long position.")
@click.option("--short", "short_rate", type=Number(), required=True, help="Of a short position.")
@click.option("--from", "effective_on", type=DAY, required=True, help="The first day it holds.")
@click.option("--currency", default="USD", show_default=True, help="Of money for a lot.")
@click.option(
    "--settlement-days",
    type=click.IntRange(0, 2),
    default=2,
    show_default=True,
    help="Business days until a deal settles.",
)
@click.option("--daily", "is_daily", is_flag=True, help="Traded every day of the week.")
@click.option(
    "--swap-free-fee",
    type=Number(),
    default="0",
    help="What swap-free accounts pay for one lot and day instead, in --currency.  [default: 0]",
)
@click.option(
    "--grace-nights",
    type=click.IntRange(0, 365),
    default=0,
    show_default=True,
    help="Nights of a position without that fee.",
)
@options.with_database
def set_command(asked: options.Asked, *, form: str, effective_on: datetime, **terms: Any) -> None:
    """Set an instrument's swap from a day on; a rate below zero is paid by the client."""
    made = SwapTerms(effective_on=effective_on.date(), form=SwapForm(form), **terms)
    with asked.session() as session:
        set_swap_terms(session, made)
    _tell(asked, {"symbol": made.symbol, "effective_on": str(made.effective_on)})


@command.command("holiday", epilog=options.example("tradewright swaps holiday EUR 2026-05-01"))
@click.argument("currency")
@click.argument("day", type=DAY)
@options.with_database
def holiday_command(asked: options.Asked, *, currency: str, day: datetime) -> None:
    """Say that a currency does not settle on a day."""
    with asked.session() as session:
        add_holiday(session, currency, day.date())
    _tell(asked, {"currency": currency, "holiday_on": str(day.date())})


@command.command(
    "roll", epilog=options.example("tradewright swaps roll 2026-01-13 --quotes day.csv")
)
@click.argument("day", type=DAY)
@click.option("--quotes", type=_QUOTES, required=True, help="Recorded quotes up to 17:00.")
@options.with_database
def roll_command(asked: options.Asked, *, day: datetime, quotes: Path) -> None:
    """Book what open positions owe for the rollovers up to a day, each once.

    For a day on which no engine ran; beside one, and again, it is harmless.
    """
    market = market_before(read_quotes(quotes), day.date())
    with asked.session() as session:
        session.autocommit = True
        rolled = roll_day(session, market, day.date())
    _tell(asked, asdict(rolled))


def _tell(asked: options.Asked, facts: dict[str, object]) -> None:
    if asked.as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')}: {fact}" for name, fact in facts.items()))
