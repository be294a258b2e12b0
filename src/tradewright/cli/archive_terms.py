"""What people decide about the archive: `archive hold`, `lift`, `holds`, `settings` and `set`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.settings import by_whom_and_why, changing, shown, with_fields
from tradewright.cli.tables import print_facts, print_rows
from tradewright.operations import archive
from tradewright.operations.archive import Retention

_COLUMNS = (
    "id",
    "from_month",
    "to_month",
    "actor",
    "reason",
    "held_at",
    "lifted_by",
    "lift_reason",
)


class Month(click.ParamType[date]):
    """A month such as 2023-04."""

    name = "month"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:  # noqa: ARG002
        """Return the month that a word says."""
        return archive.read_month(str(value))


MONTH = Month()


@click.command(
    "hold",
    epilog=options.example(
        "tradewright archive hold --from 2023-01 --to 2023-06 --actor anna --reason 'case 12'"
    ),
)
@click.option("--from", "first", type=MONTH, help="The first month held.")
@click.option("--to", "last", type=MONTH, help="The last month held.")
@click.option("--all", "everything", is_flag=True, help="All months, those to come too.")
@by_whom_and_why
@options.with_database
def hold_command(
    asked: options.Asked,
    *,
    first: date | None,
    last: date | None,
    everything: bool,
    **said: str,
) -> None:
    """Keep months from being detached, dropped and purged until the hold is lifted."""
    if everything == (first is not None or last is not None):
        raise click.UsageError("Give --from and --to, one of them, or --all.")
    by = said["actor"], said["reason"]
    with changing(asked, *by) as session:
        hold_id = archive.hold(session, from_month=first, to_month=last, by=by)
    print_facts(asked, {"hold": hold_id, "from_month": _month(first), "to_month": _month(last)})


@click.command(
    "lift",
    epilog=options.example("tradewright archive lift 0199c1d2-... --actor anna --reason closed"),
)
@click.argument("hold", type=click.UUID)
@by_whom_and_why
@options.with_database
def lift_command(asked: options.Asked, *, hold: UUID, actor: str, reason: str) -> None:
    """Lift a hold."""
    with changing(asked, actor, reason) as session:
        archive.lift(session, str(hold), by=(actor, reason))
    print_facts(asked, {"hold": str(hold), "lifted_by": actor, "lift_reason": reason})


@click.command("holds", epilog=options.example("tradewright archive holds --lifted"))
@click.option("--lifted", is_flag=True, help="Those that were lifted too.")
@options.with_database
def holds_command(asked: options.Asked, *, lifted: bool) -> None:
    """Show the holds that stand: which months, by whom and why."""
    with asked.session() as session:
        found = archive.read_holds(session, with_lifted=lifted)
    rows = [
        {**asdict(one), "from_month": _month(one.from_month), "to_month": _month(one.to_month)}
        for one in found
    ]
    print_rows(asked, rows, _COLUMNS)


@click.command("settings", epilog=options.example("tradewright archive settings"))
@options.with_database
def settings_command(asked: options.Asked) -> None:
    """Show how long the audit log is kept."""
    with asked.session() as session:
        print_facts(asked, shown(archive.read_retention(session)))


@click.command(
    "set",
    epilog=options.example(
        "tradewright archive set --months-online 24 --actor anna --reason agreed"
    ),
)
@with_fields(Retention, but=frozenset())
@by_whom_and_why
@options.with_database
def set_command(
    asked: options.Asked, *, changes: Mapping[str, Any], actor: str, reason: str
) -> None:
    """Change how long the audit log is kept; what is not given stays."""
    if not changes:
        raise click.UsageError("Give at least one setting.")
    with changing(asked, actor, reason) as session:
        retention = archive.change_retention(session, changes)
    print_facts(asked, shown(retention))


def _month(month: date | None) -> str | None:
    return None if month is None else f"{month:%Y-%m}"


TERMS = (hold_command, lift_command, holds_command, settings_command, set_command)
"""The commands of this file, for the group."""
