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

from tradewright import demo
from tradewright.cli.demo_output import show
from tradewright.cli.options import one_place
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
    help="How many orders they submit; one with its alternatives or its ways out counts once.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="The same seed and quotes give the same day, in a database without an earlier one.",
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
    every law of the database. Prints the day's figures, what happened that is worth telling, and
    the laws. Exits with 1 if one is broken.
    """
    url = one_place(database, values["keep"])
    options = resumed_options(demo.DayOptions(**values))
    plan = demo.plan_day(options)
    server_folder = None if options.keep is None else options.keep / "server"
    tag = f"day-{options.seed}" if options.keep else new_id_text()
    with open_house(url, server_folder) as house, _bar(hidden=as_json) as on_turn:
        summary = demo.run_day(house, plan, open_progress(options), tag=tag, on_turn=on_turn)
    if as_json:
        click.echo(json.dumps(asdict(summary), default=_plain))
    else:
        show(summary)
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


def _plain(value: object) -> str:
    """Write exact decimals as text: a reader's JSON library would make floats of them."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
