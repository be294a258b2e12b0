"""`tradewright archive`: months of the audit log go to files, are verified there, and come back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.archive_terms import MONTH, TERMS
from tradewright.cli.options import FOLDER
from tradewright.cli.settings import by_whom_and_why
from tradewright.cli.tables import count_of, json_text, print_facts, print_rows
from tradewright.operations import archive
from tradewright.postgres.connect import Limits, connect
from tradewright.postgres.retry import SessionSource
from tradewright.postgres.target import open_database

_LIST = ("month", "state", "row_count", "file_bytes", "written_at", "detached_at", "dropped_at")
_LISTED = (*_LIST, "kept_until", "is_held")
_PATIENT = Limits(idle_in_transaction_session_timeout_ms=0, transaction_timeout_ms=0)


@click.group(
    "archive", epilog=options.example("tradewright archive run --folder /srv/archive --dry-run")
)
def command() -> None:
    """Archive old months of the audit log, hold them, bring them back."""


for _each in TERMS:
    command.add_command(_each)


@command.command("run", epilog=options.example("tradewright archive run --folder /srv/archive"))
@FOLDER
@click.option("--month", type=MONTH, help="Only this month, a restored one too.")
@click.option("--dry-run", is_flag=True, help="Say which months it would be, and do nothing.")
@options.with_database
def run_command(
    asked: options.Asked, folder: Path | None, month: date | None, *, dry_run: bool
) -> None:
    """Write months older than the online window to files, then detach them, later drop them.

    Each step is recorded; what was cut off is gone on with. Needs the rights of the owner.
    """
    with _source(asked) as source:
        if dry_run:
            _print_months(asked, source, month)
            return
        place = _required(folder)
        reports = archive.run(source, place, named=month, tell=_silent if asked.as_json else _tell)
    if asked.as_json:
        click.echo(json_text([{**asdict(one), "month": f"{one.month:%Y-%m}"} for one in reports]))
        return
    for one in reports:
        if one.left:
            click.echo(f"{one.month:%Y-%m}: {one.left}")
    if not reports:
        click.echo("nothing is to be archived")


def _tell(month: date, step: str) -> None:
    click.echo(f"{month:%Y-%m}: {step}")


def _silent(_month: date, _step: str) -> None:
    pass


def _print_months(asked: options.Asked, source: SessionSource, named: date | None) -> None:
    with source() as session:
        months = archive.months_to_archive(session, named)
    columns = ("month", "state", "is_held", "droppable_on")
    rows = [
        {**asdict(one), "month": f"{one.month:%Y-%m}", "state": one.state or "due"}
        for one in months
    ]
    print_rows(asked, rows, columns)


@command.command("list", epilog=options.example("tradewright archive list"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """Show every archived month: where it stands, what its file holds, and who knows until when."""
    with asked.session() as session:
        found = archive.read_archives(session)
    print_rows(asked, [_shown(one) for one in found], _LISTED)


@command.command("verify", epilog=options.example("tradewright archive verify 2023-04"))
@click.argument("month", type=MONTH, required=False)
@FOLDER
@options.with_database
def verify_command(asked: options.Asked, month: date | None, folder: Path | None) -> None:
    """Read files again and hold them against manifest, record, hashes, seals and tables.

    Exits with 1 when anything differs, and names it.
    """
    with _source(asked) as source, source() as session:
        checks = archive.verify(session, _required(folder), named=month)
    if asked.as_json:
        click.echo(json_text([{**asdict(one), "month": f"{one.month:%Y-%m}"} for one in checks]))
    for one in () if asked.as_json else checks:
        rows = count_of(one.row_count, "row")
        told = "; ".join(one.faults) or f"{rows} {'holds' if one.row_count == 1 else 'hold'}"
        click.echo(f"{one.month:%Y-%m} ({one.state}): {told}")
    sys.exit(1 if any(one.faults for one in checks) else 0)


@command.command(
    "restore",
    epilog=options.example(
        "tradewright archive restore 2023-04 --until 2027-01-31 --actor anna --reason 'case 12'"
    ),
)
@click.argument("month", type=MONTH)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Archive it again after this day; without it when somebody names it.",
)
@FOLDER
@by_whom_and_why
@options.with_database
def restore_command(
    asked: options.Asked, *, month: date, until: Any, folder: Path | None, **said: str
) -> None:
    """Bring a month back into the audit log exactly as it was."""
    kept_until = until.date() if until else None
    by = said["actor"], said["reason"]
    with _source(asked) as source:
        found = archive.restore(source, folder, month, kept_until=kept_until, by=by)
    print_facts(asked, _shown(found))


@command.command(
    "rewrite",
    epilog=options.example("tradewright archive rewrite 2023-04 --actor anna --reason 'disk lost'"),
)
@click.argument("month", type=MONTH)
@FOLDER
@by_whom_and_why
@options.with_database
def rewrite_command(
    asked: options.Asked, *, month: date, folder: Path | None, actor: str, reason: str
) -> None:
    """Write the file of a month anew that was lost, while its table is still there."""
    with _source(asked) as source:
        found = archive.rewrite(source, _required(folder), month, by=(actor, reason))
    print_facts(asked, _shown(found))


@command.command(
    "purge", epilog=options.example("tradewright archive purge --yes --actor anna --reason 'due'")
)
@FOLDER
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_whom_and_why
@options.with_database
def purge_command(
    asked: options.Asked, *, folder: Path | None, yes: bool, actor: str, reason: str
) -> None:
    """Remove files of months that need not be kept any more and that nobody holds."""
    place = _required(folder)
    with _source(asked) as source:
        with source() as session:
            months = archive.purgeable(session)
        named = ", ".join(f"{month:%Y-%m}" for month in months)
        if months and not yes:
            click.confirm(f"Remove the files of {named} for good?", abort=True, err=True)
        reports = archive.purge(source, place, months, by=(actor, reason))
    if asked.as_json:
        click.echo(
            json_text(
                {
                    "purged": [f"{month:%Y-%m}" for month in months],
                    "files_removed": [f"{one.month:%Y-%m}" for one in reports if one.steps],
                }
            )
        )
        return
    click.echo(f"purged {named}" if named else "nothing may be purged yet")
    for one in reports:
        click.echo(f"{one.month:%Y-%m}: {one.left or one.steps[0]}")


def _required(folder: Path | None) -> Path:
    if folder is None:
        raise click.UsageError("Give --folder FOLDER, or TRADEWRIGHT_ARCHIVE.")
    return folder


def _shown(one: archive.Archive) -> dict[str, Any]:
    return {**asdict(one), "month": f"{one.month:%Y-%m}"}


@contextmanager
def _source(asked: options.Asked) -> Iterator[SessionSource]:
    """Give sessions in autocommit that may take their time."""
    with open_database(asked.url, asked.keep, makes=False) as database:
        yield lambda: connect(
            database.conninfo,
            schema=asked.schema,
            autocommit=True,
            application_name=click.get_current_context().command_path,
            limits=_PATIENT,
        )
