"""`tradewright bench`: measurements beside pgbench in the same run."""

import json
from dataclasses import asdict

import click

from tradewright.bench import OrdersBench, OrdersLoad, bench_orders
from tradewright.wiring import open_private_house


@click.group()
def command() -> None:
    """Measure against pgbench in the same run."""


@command.command(
    epilog="\b\nExample:\n  tradewright bench orders --json\n"
    "  tradewright bench orders --submitters 1000 --writers 2\n"
)
@click.option(
    "--submitters",
    type=click.IntRange(1, 10_000),
    default=64,
    show_default=True,
    help="How many clients submit at once, each waiting for its report.",
)
@click.option(
    "--writers",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="How many writer processes book, each with its share of the clients.",
)
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds in turn."
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 600),
    default=5,
    show_default=True,
    help="Seconds of each side in each round.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def orders(submitters: int, writers: int, rounds: int, seconds: int, *, as_json: bool) -> None:
    """Book market orders from many concurrent submitters, beside pgbench TPC-B.

    Runs on an embedded server of its own, whatever DATABASE_URL says: every order is booked with
    its events, fill, trade, position, ledger entries and audit, and every law is checked at the
    end.
    """
    load = OrdersLoad(submitters=submitters, writers=writers, rounds=rounds, seconds=seconds)
    with open_private_house() as (server, house):
        result = bench_orders(server, house, load)
    click.echo(json.dumps(asdict(result)) if as_json else _lines(result))


def _lines(result: OrdersBench) -> str:
    rounds = ", ".join(f"{ratio:.2f}" for ratio in result.ratios)
    return (
        f"orders booked      {result.orders_per_second:>10,.0f} /s from {result.submitters} "
        f"submitters, {result.mean_batch:.0f} in a batch\n"
        f"pgbench TPC-B -c 8 {result.pgbench_tps:>10,.0f} /s\n"
        f"ratio              {result.ratio:>10.2f}    (rounds: {rounds})\n"
        f"latency p50 / p99  {result.latency_ms['p50']:>10.1f} / "
        f"{result.latency_ms['p99']:.1f} ms\n"
        f"{result.orders_booked:,} orders booked, every law holds"
    )
