"""`tradewright demo`: a trading day on recorded quotes or the built-in market, and its laws."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tradewright import demo
from tradewright.core.ids import new_id_text
from tradewright.demo.progress import open_progress, resumed_options
from tradewright.wiring import open_house

_EXAMPLE = """\b
Example:
  tradewright demo --orders 5000
  tradewright demo --quotes USDJPY.csv.gz --orders 20000 --json
"""


@click.command(epilog=_EXAMPLE)
@click.option(
    "--quotes",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Recorded quotes: `timestamp,symbol,bid,ask` with a header, or TrueFX; gzip too.  "
    "[default: the built-in market]",
)
@click.option(
    "--traders",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    help="How many traders take part.",
)
@click.option(
    "--orders",
    type=click.IntRange(1, 10_000_000),
    default=5_000,
    show_default=True,
    help="How many orders they submit.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="The same seed and quotes give the same day.",
)
@click.option(
    "--database",
    metavar="URL",
    envvar="DATABASE_URL",
    help="A PostgreSQL 18 of yours, as postgresql://user:password@host:port/name.  "
    "[env: DATABASE_URL; default: an embedded server]",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the embedded server's data in DIR; a start on the same DIR resumes the day.",
)
@click.option("--resume", is_flag=True, help="Resume the day kept in --keep DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, database: str | None, **values: Any) -> None:
    """Replay a trading day and check every law.

    Reviews the migrations, starts an embedded PostgreSQL, applies them, opens users and accounts,
    replays the quotes, lets traders deposit, trade, get margin-called and withdraw, and checks
    every law of the database. Exits with 1 if one is broken.
    """
    options = resumed_options(demo.DayOptions(**values))
    plan = demo.plan_day(options)
    server_folder = None if options.keep is None else options.keep / "server"
    tag = f"day-{options.seed}" if options.keep else new_id_text()
    url = None if options.keep else database
    with open_house(url, server_folder) as house, _bar(hidden=as_json) as on_turn:
        summary = demo.run_day(house, plan, open_progress(options), tag=tag, on_turn=on_turn)
    if as_json:
        click.echo(json.dumps(asdict(summary), default=_plain))
    else:
        _show(summary)
    if not summary.is_sound:
        sys.exit(1)


@contextmanager
def _bar(*, hidden: bool) -> Iterator[demo.OnTurn]:
    """Show how many turns of the day are over, on a terminal only."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("trading day"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=hidden or not console.is_terminal,
    ) as bar:
        task = bar.add_task("day", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(summary: demo.DaySummary) -> None:
    console = Console()
    console.print(_figures(summary))
    console.print(_laws(summary))
    if summary.is_sound:
        console.print(f"all {len(summary.invariants)} laws hold; digest {summary.digest[:16]}")
    else:
        console.print("[bold red]a law is broken[/]: look with `tradewright audit laws`")


def _figures(summary: demo.DaySummary) -> Table:
    table = Table(title="the day", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    rows: list[tuple[str, str]] = [
        ("PostgreSQL", summary.postgres_version),
        ("seed", str(summary.seed)),
        ("migration files reviewed", f"{summary.migrations_reviewed['files']:,}"),
        ("quotes read", f"{summary.quotes_read:,}"),
        *((f"  refused: {why}", f"{n:,}") for why, n in summary.quotes_refused.items()),
        ("orders", f"{summary.orders:,}"),
        *((f"  {name}", f"{n:,}") for name, n in summary.orders_by_strategy.items()),
        ("fills", f"{summary.fills:,}"),
        ("denied by us", f"{sum(summary.denied.values()):,}"),
        *((f"  {code}", f"{n:,}") for code, n in summary.denied.items()),
        ("rejected by providers", f"{summary.rejected:,}"),
        *(
            (f"  {code} asked / rejected", f"{asked['asked']:,} / {asked['rejected']:,}")
            for code, asked in summary.provider_requests.items()
        ),
        ("hybrid orders decided", f"{sum(summary.routing_decisions.values()):,}"),
        *((f"  {reason}", f"{n:,}") for reason, n in summary.routing_decisions.items()),
        ("  to both books", f"{summary.orders_divided:,}"),
        ("hedges of the house", f"{sum(summary.hedges.values()):,}"),
        *((f"  {status}", f"{n:,}") for status, n in summary.hedges.items()),
        ("  result", _money(summary.hedge_results)),
        ("canceled", f"{summary.canceled:,}"),
        ("resting at the end", f"{summary.resting:,}"),
        ("positions open at the end", f"{summary.positions_open:,}"),
        ("margin calls", f"{summary.margin_calls:,}"),
        ("stop-outs", f"{summary.stop_outs:,}"),
        ("negative balances forgiven", _money(summary.negative_balances_forgiven)),
        ("deposits", f"{summary.deposits:,}"),
        ("  money in", _money(summary.money_in)),
        ("withdrawals", f"{summary.withdrawals:,}"),
        ("  money out", _money(summary.money_out)),
        *((f"card payments {how}", f"{n:,}") for how, n in summary.card_payments.items()),
        ("orders per second", f"{summary.orders_per_second:,.0f}"),
        ("latency p50 / p99", "{p50:.1f} / {p99:.1f} ms".format_map(summary.latency_ms)),
        (
            "acknowledged and found",
            f"{summary.acknowledged - summary.acknowledged_lost:,} of {summary.acknowledged:,}",
        ),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _laws(summary: demo.DaySummary) -> Table:
    table = Table(title="laws", title_justify="left")
    table.add_column("law")
    table.add_column("checked", justify="right")
    table.add_column("broken", justify="right")
    for name, figures in summary.invariants.items():
        style = "bold red" if figures.broken else None
        table.add_row(name, f"{figures.checked:,}", f"{figures.broken:,}", style=style)
    return table


def _money(amounts: "dict[str, Decimal] | Any") -> str:
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in amounts.items()) or "0"


def _plain(value: object) -> str:
    """Write exact decimals as text: a reader's JSON library would make floats of them."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
