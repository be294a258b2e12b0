"""Being a provider that speaks FIX, and what it has dealt; part of `providers`."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from tradewright.cli import options
from tradewright.cli.risk_output import PORT
from tradewright.cli.signals import until_signal
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Fault, Temper
from tradewright.liquidity.fix.acceptor_files import Deals
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.reconciliation.trade_list import write_trade_list

QUOTE_SECONDS = 1.0
"""How often prices are quoted anew: one that is older than its instrument allows is not dealt."""


@click.command("deals", epilog=options.example("tradewright providers deals ./lp > trades.csv"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def deals_command(folder: Path) -> None:
    """Print what a simulated provider has dealt, as its list of trades."""
    trades = Deals(folder / "deals.jsonl").trades()
    click.echo(write_trade_list(trades), nl=False)


@click.command(
    "simulate",
    epilog=options.example("tradewright providers simulate ./lp --price EURUSD=1.10000/1.10010"),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--price",
    "prices",
    multiple=True,
    required=True,
    metavar="SYMBOL=BID/ASK",
    help="What it quotes; may be given often.",
)
@click.option("--port", type=PORT, default=0, show_default=True, help="For orders; 0: a free one.")
@click.option(
    "--quotes-port", type=PORT, default=0, show_default=True, help="For quotes; 0: a free one."
)
@click.option("--seed", default=1, show_default=True, help="Draws the faults.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice([str(fault) for fault in Fault]),
    default=["none"],
    show_default=True,
    help="One of those that are drawn; may be given often.",
)
@options.JSON
def simulate_command(  # noqa: PLR0913 (one for each option)
    folder: Path,
    prices: Sequence[str],
    port: int,
    quotes_port: int,
    *,
    seed: int,
    faults: Sequence[str],
    as_json: bool,
) -> None:
    """Be a provider that speaks FIX 4.4, until SIGTERM or SIGINT; its deals stay in FOLDER.

    It quotes its prices anew each second, so that they never grow stale.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temper = Temper(faults=[Fault(each) for each in faults], seed=seed)
    quoted = dict(_price(text) for text in prices)
    acceptor = FixAcceptor(folder, quoted, temper, ports=(port, quotes_port))
    with until_signal() as stopping:
        acceptor.start()
        orders, quotes = acceptor.ports
        facts = {"orders_port": orders, "quotes_port": quotes}
        click.echo(json.dumps(facts) if as_json else f"orders at {orders}, quotes at {quotes}")
        while not stopping.wait(QUOTE_SECONDS):
            for symbol, price in quoted.items():
                acceptor.set_price(symbol, price)
        acceptor.stop()


def _price(text: str) -> tuple[str, Price]:
    symbol, _, both = text.partition("=")
    bid, _, ask = both.partition("/")
    try:
        price = Price(Decimal(bid), Decimal(ask))
    except InvalidOperation:
        raise click.UsageError(f"--price is SYMBOL=BID/ASK, not {text!r}") from None
    return symbol, price
