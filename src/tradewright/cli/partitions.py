"""`tradewright partitions`: the months of the audit log, and making those to come."""

from dataclasses import asdict

import click

from tradewright.cli import options
from tradewright.cli.tables import print_facts, print_rows
from tradewright.operations import partitions

_COLUMNS = ("month", "from_at", "to_at", "rows", "bytes", "sealed_up_to", "state", "is_held")
_MONTHS = click.IntRange(1, 120)


@click.group("partitions", epilog=options.example("tradewright partitions list"))
def command() -> None:
    """Show the months of the audit log, and make those to come."""


@command.command("list", epilog=options.example("tradewright partitions list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """Show each month: its bounds in UTC, rows, bytes, up to when it is sealed, and its state."""
    with asked.session() as session:
        found = partitions.list_partitions(session)
    print_rows(asked, [{**asdict(one), "month": f"{one.month:%Y-%m}"} for one in found], _COLUMNS)


@command.command("make", epilog=options.example("tradewright partitions make --months 12"))
@click.option(
    "--months", type=_MONTHS, default=12, show_default=True, help="Months ahead of this one."
)
@options.with_database
def make_command(asked: options.Asked, months: int) -> None:
    """Make the partitions of this and the coming months that are missing."""
    with asked.session() as session:
        session.autocommit = True
        made = partitions.make_partitions(session, months)
    print_facts(asked, {"made": made, "months_ahead": months})
