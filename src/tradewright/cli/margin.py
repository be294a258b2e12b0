"""`tradewright margin`: what instruments bind as margin beside the leverage."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.risk_output import ACTOR, Number
from tradewright.cli.tables import print_rows
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.postgres.connect import Session
from tradewright.risk.margin import HUNDRED
from tradewright.trading.margin_terms import (
    set_margin_rates,
    set_margin_tiers,
)
from tradewright.trading.reference import read_instruments

_COLUMNS = ("symbol", "leverage_max", "leverage_max_retail", "rate", "rate_min_retail", "tiers")


class _Tier(click.ParamType[MarginTier]):
    """A threshold in base currency and a share in percent."""

    name = "tier"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> MarginTier:
        """Return the tier that a word such as 1000000=2 says."""
        words = str(value).split("=")
        if len(words) != 2:
            self.fail(f"{value!r} is not NOTIONAL=PERCENT", param, ctx)
        above, percent = (Number().convert(word, param, ctx) for word in words)
        return MarginTier(above, percent / HUNDRED)


@click.group("margin", epilog=options.example("tradewright margin list"))
def command() -> None:
    """Set what positions bind as margin beside the leverage; shares are in percent."""


@command.command("list", epilog=options.example("tradewright margin list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List what each instrument binds, in percent of the notional."""
    with asked.session() as session:
        _print_instruments(asked, session)


@command.command(
    "set",
    epilog=options.example("tradewright margin set EURUSD --rate 2 --retail-min 3.33 --actor anna"),
)
@click.argument("symbol")
@click.option("--rate", type=Number(), help="The house's own, for all clients; 0: none.")
@click.option("--retail-min", type=Number(), help="The regulator's, for retail clients; 0: none.")
@ACTOR
@options.with_database
def set_command(
    asked: options.Asked,
    *,
    symbol: str,
    rate: Decimal | None,
    retail_min: Decimal | None,
    actor: str,
) -> None:
    """Set the least that an instrument binds, in percent; what is not given stays."""
    if rate is None and retail_min is None:
        raise click.UsageError("Give --rate, --retail-min, or both.")
    with asked.session() as session:
        set_margin_rates(
            session,
            symbol,
            rate=None if rate is None else rate / HUNDRED,
            rate_min_retail=None if retail_min is None else retail_min / HUNDRED,
            actor=actor,
        )
        _print_instruments(asked, session)


@command.command(
    "tiers",
    epilog=options.example("tradewright margin tiers EURUSD 1000000=2 5000000=5 --actor anna"),
)
@click.argument("symbol")
@click.argument("tiers", nargs=-1, type=_Tier(), metavar="[NOTIONAL=PERCENT]...")
@click.option("--clear", is_flag=True, help="Let the instrument have none.")
@ACTOR
@options.with_database
def tiers_command(
    asked: options.Asked, *, symbol: str, tiers: tuple[MarginTier, ...], clear: bool, actor: str
) -> None:
    """Set what binds of a notional above each threshold, given in base currency.

    What is below a threshold does not. The tiers that are given take the place of those before.
    """
    if bool(tiers) is clear:
        raise click.UsageError("Give tiers, or --clear.")
    with asked.session() as session:
        set_margin_tiers(session, symbol, tiers, actor=actor)
        _print_instruments(asked, session)


def _print_instruments(asked: options.Asked, session: Session) -> None:
    rows = list(_rows(read_instruments(session).values()))
    if not asked.as_json:
        for row in rows:
            row["tiers"] = ", ".join(f"{above}={rate}" for above, rate in row["tiers"].items())
    print_rows(asked, rows, _COLUMNS)


def _rows(instruments: Iterable[Instrument]) -> Iterator[dict[str, Any]]:
    for one in instruments:
        terms = one.margin or MarginTerms()
        yield {
            "symbol": one.symbol,
            "leverage_max": one.leverage_max,
            "leverage_max_retail": one.leverage_max_retail,
            "rate": _percent(terms.rate),
            "rate_min_retail": _percent(terms.rate_min_retail),
            "tiers": {f"{tier.above:f}": _percent(tier.rate) for tier in terms.tiers},
        }


def _percent(share: Decimal) -> str:
    return f"{(share * HUNDRED).normalize():f}"
