"""`tradewright bench`: measurements beside public programs in the same run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import click

from tradewright.bench import (
    BENCH_SETTINGS,
    SIDES,
    LedgerBench,
    LedgerLoad,
    OrdersBench,
    OrdersLoad,
    QuotesBench,
    QuotesLoad,
    ReviewBench,
    ReviewLoad,
    SideFigures,
    bench_ledger,
    bench_orders,
    bench_quotes,
    bench_review,
)
from tradewright.cli.options import JSON
from tradewright.wiring import open_private_house

ROUNDS = click.option(
    "--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Rounds in turn."
)


def _seconds(default: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--seconds",
        type=click.IntRange(1, 600),
        default=default,
        show_default=True,
        help="Seconds of each side in each round.",
    )


SECONDS = _seconds(5)
LEDGER_SECONDS = _seconds(10)
"""Twice as long: after a checkpoint a wallet's first movement costs the image of its index page."""


@click.group()
def command() -> None:
    """Measure against pgbench, and the review against squawk, in the same run."""


@command.command(
    epilog="\b\nExample:\n  tradewright bench orders --json\n"
    "  tradewright bench orders --submitters 1000 --writers 2\n"
    "  tradewright bench orders --positions 100000 --resting 100000\n"
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
    "--positions",
    type=click.IntRange(0, 1_000_000),
    default=0,
    help="Compare with a second database in which so many positions are open.",
)
@click.option(
    "--resting",
    type=click.IntRange(0, 1_000_000),
    default=0,
    help="Compare with a second database in which so many orders rest.",
)
@ROUNDS
@SECONDS
@JSON
def orders(*, as_json: bool, **load: int) -> None:
    """Book market orders from many concurrent submitters, beside pgbench TPC-B.

    Runs on an embedded server of its own, whatever DATABASE_URL says: every order is booked with
    its events, fill, trade, position, ledger entries and audit, and every law is checked at the
    end. Beside what all writers book, it tells what one writer books with the same clients, and how
    long orders take that come at half the rate.
    """
    with open_private_house(BENCH_SETTINGS) as (server, house):
        result = bench_orders(server, house, OrdersLoad(**load))
    click.echo(json.dumps(asdict(result)) if as_json else _lines(result))


@command.command(epilog="\b\nExample:\n  tradewright bench quotes --json\n")
@click.option(
    "--resting",
    type=click.IntRange(1, 1_000_000),
    default=100_000,
    show_default=True,
    help="How many orders rest.",
)
@click.option(
    "--accounts",
    type=click.IntRange(100, 100_000),
    default=10_000,
    show_default=True,
    help="How many accounts have a position whose margin is watched.",
)
@ROUNDS
@SECONDS
@JSON
def quotes(*, as_json: bool, **load: int) -> None:
    """Take quotes past resting orders and margin levels, beside pgbench TPC-B.

    Runs on an embedded server of its own, whatever DATABASE_URL says. The market walks at random;
    what it sets off is booked meanwhile, and every law is checked at the end.
    """
    with open_private_house(BENCH_SETTINGS) as (server, house):
        result = bench_quotes(server, house, QuotesLoad(**load))
    click.echo(json.dumps(asdict(result)) if as_json else _quotes_lines(result))


@command.command(
    epilog="\b\nExample:\n  tradewright bench ledger --json\n"
    "  tradewright bench ledger --many 1000000 --only credit --only reserve --seconds 20\n"
)
@click.option(
    "--wallets",
    type=click.IntRange(1_000, 10_000_000),
    default=10_000,
    show_default=True,
    help="How many wallets there are.",
)
@click.option(
    "--many",
    type=click.IntRange(10_000, 10_000_000),
    help="Compare with a second database of so many wallets, such as 1000000; takes minutes more.",
)
@click.option(
    "--only",
    type=click.Choice(SIDES),
    multiple=True,
    help="Measure this side alone; may be given several times.",
)
@ROUNDS
@LEDGER_SECONDS
@JSON
def ledger(*, as_json: bool, **load: Any) -> None:
    """Do ledger operations, one by one and in batches, beside pgbench TPC-B.

    Runs on an embedded server of its own, whatever DATABASE_URL says. Single calls come from
    pgbench's own 8 clients, on all wallets and on one hot one; batches from one and from two
    writers. Every law is checked at the end.
    """
    with open_private_house(BENCH_SETTINGS) as (server, house):
        result = bench_ledger(server, house, LedgerLoad(**load))
    click.echo(json.dumps(asdict(result)) if as_json else _ledger_lines(result))


def _ledger_lines(result: LedgerBench) -> str:
    lines = _side_lines(result.sides)
    lines += [f"{name} with many wallets: {flat:.2f} of few" for name, flat in result.flat.items()]
    return "\n".join([*lines, f"{result.operations:,} operations, every law holds"])


def _lines(result: OrdersBench) -> str:
    lines = _side_lines(result.sides)
    if result.writers_ratio is not None:
        lines.append(f"{result.load.writers} writers: {result.writers_ratio:.2f} of one")
    if result.flat is not None:
        lines.append(
            f"with {result.load.positions:,} open positions and {result.load.resting:,} resting "
            f"orders: {result.flat:.2f} of an empty house"
        )
    return "\n".join([*lines, f"{result.orders_booked:,} orders booked, every law holds"])


def _side_lines(sides: Mapping[str, SideFigures]) -> list[str]:
    head = f"{'':<22}{'/s':>10}{'ratio':>8}{'target':>8}{'server us':>11}{'p50 ms':>9}{'p99 ms':>9}"
    return [head] + [
        f"{name:<22}{side.per_second:>10,.0f}{side.ratio:>8.2f}"
        f"{'' if side.target is None else f'{side.target:.1f}':>8}{side.server_us:>11.1f}"
        f"{side.latency_ms['p50']:>9.2f}{side.latency_ms['p99']:>9.2f}"
        for name, side in sides.items()
    ]


def _quotes_lines(result: QuotesBench) -> str:
    return (
        f"quotes             {result.quotes_per_second:>10,.0f} /s (at least {result.target:,.0f}) "
        f"past {result.load.resting:,} resting orders and {result.load.accounts:,} accounts\n"
        f"to pgbench TPC-B   {result.ratio:>10.1f}\n"
        f"latency p50 / p99  {result.latency_us['p50']:>10.1f} / "
        f"{result.latency_us['p99']:.1f} us\n"
        f"{result.quotes:,} quotes set off {result.proposed:,} commands, every law holds"
    )


@command.command(epilog="\b\nExample:\n  tradewright bench review --json\n")
@click.option(
    "--files",
    type=click.IntRange(1, 10_000),
    default=700,
    show_default=True,
    help="How many migrations to write.",
)
@click.option(
    "--statements",
    type=click.IntRange(1, 1_000_000),
    default=5_000,
    show_default=True,
    help="How many statements they hold in all.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed, the same files.")
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=7, show_default=True, help="Rounds in turn."
)
@JSON
def review(files: int, statements: int, seed: int, rounds: int, *, as_json: bool) -> None:
    """Review a generated folder of migrations, beside squawk on the same files.

    Both sides are timed as whole processes, from their start to the end of their JSON report.
    """
    load = ReviewLoad(files=files, statements=statements, seed=seed, rounds=rounds)
    result = bench_review(load)
    click.echo(json.dumps(asdict(result)) if as_json else _review_lines(result))


def _review_lines(result: ReviewBench) -> str:
    rounds = ", ".join(f"{ratio:.2f}" for ratio in result.ratios)
    return (
        f"{'review':18} {result.statements_per_second:>10,.0f} statements/s "
        f"({result.wall_seconds:.3f} s, {result.cpu_seconds:.3f} s of CPU)\n"
        f"{'squawk ' + result.squawk_version:18} {result.squawk_statements_per_second:>10,.0f} "
        f"statements/s ({result.squawk_wall_seconds:.3f} s, "
        f"{result.squawk_cpu_seconds:.3f} s of CPU)\n"
        f"{'times of squawk':18} {result.ratio:>10.2f}    (rounds: {rounds})\n"
        f"{'  in JSON':18} {result.json_ratio:>10.2f}    ({result.json_wall_seconds:.3f} s beside "
        f"{result.squawk_json_wall_seconds:.3f} s)\n"
        f"{result.statements:,} statements in {result.files:,} files, {result.findings:,} findings "
        f"(squawk: {result.squawk_findings:,})"
    )
