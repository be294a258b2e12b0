"""`tradewright backup`: make backups, look whether they are whole, and drill restoring them."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.risk_output import COUNT
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.signals import ended_by_sigterm
from tradewright.cli.tables import json_text, print_facts, print_rows
from tradewright.core.errors import TradewrightError
from tradewright.operations import backup
from tradewright.operations.backup import Backup, BackupKind
from tradewright.operations.backup.record import record_failure, server_now
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.target import open_database

_FOLDER = click.Path(path_type=Path, file_okay=False)
_THERE = click.Path(path_type=Path, file_okay=False, exists=True)
_PROGRAMS = click.option(
    "--programs",
    type=_THERE,
    envvar="TRADEWRIGHT_POSTGRES_PROGRAMS",
    help="The folder of PostgreSQL's programs.  [env: TRADEWRIGHT_POSTGRES_PROGRAMS]",
)
_LISTED = ("name", "kind", "started_at", "megabytes", "base", "covers_until")
_RUNS = ("kind", "backup", "finished_at", "outcome", "bytes", "covers_until", "restore_ms", "error")
_UNITS = {"min": 60, "h": 3600, "d": 86400}


@click.group("backup", epilog=options.example("tradewright backup run --to /backups"))
def command() -> None:
    """Make backups, look whether they are whole, and drill restoring them."""


@command.command("run", epilog=options.example("tradewright backup run --to /backups"))
@click.option("--to", "to", type=_FOLDER, required=True, help="The folder of the backups.")
@click.option(
    "--incremental-from", "base", type=_THERE, help="Copy only what has changed since this backup."
)
@click.option("--logical", is_flag=True, help="Dump the database instead of copying the files.")
@click.option("--gently", is_flag=True, help="Spread the checkpoint that a copy begins with.")
@click.option("--no-laws", is_flag=True, help="Do not check the laws in the snapshot.")
@_PROGRAMS
@options.with_database
def run_command(  # noqa: PLR0913 (the options of one command)
    asked: options.Asked,
    *,
    to: Path,
    base: Path | None,
    logical: bool,
    gently: bool,
    no_laws: bool,
    programs: Path | None,
) -> None:
    """Back the house up into a folder of its own, and verify what was written."""
    if base is not None and logical:
        raise click.UsageError("A dump builds on nothing: give --incremental-from or --logical.")
    kind = _kind(base, logical=logical)
    order = backup.Order(to=to, kind=kind, base=base, is_gentle=gently, laws=not no_laws)
    with ended_by_sigterm(), open_database(asked.url, asked.keep, makes=False) as database:
        house = backup.House(conninfo=database.conninfo, schema=asked.schema, programs=programs)
        made = backup.take_backup(house, order)
    print_facts(asked, {"folder": str(made.folder), **_told(made)})
    if not asked.as_json:
        click.echo(f"next: tradewright backup drill {made.folder}")


@command.command("list", epilog=options.example("tradewright backup list /backups"))
@click.argument("folder", type=_THERE)
@options.JSON
def list_command(folder: Path, *, as_json: bool) -> None:
    """List the backups in FOLDER, the oldest first."""
    asked = options.Asked(url=None, keep=None, schema="", as_json=as_json)
    print_rows(asked, [_told(each) for each in backup.list_backups(folder)], _LISTED)


@command.command("verify", epilog=options.example("tradewright backup verify /backups/2026..."))
@click.argument("folder", metavar="BACKUP", type=_THERE)
@_PROGRAMS
@options.JSON
def verify_command(folder: Path, programs: Path | None, *, as_json: bool) -> None:
    """Compare every file of BACKUP, and of those it builds on, with what was written; exit 1."""
    found = backup.find_backup(folder)
    problems = backup.verify_backup(found, programs)
    if as_json:
        click.echo(json_text({"backup": found.manifest.name, "problems": problems}))
    elif problems:
        click.echo("\n".join(problems))
    else:
        click.echo(f"{found.manifest.name} is as it was written")
    sys.exit(1 if problems else 0)


@command.command("prune", epilog=options.example("tradewright backup prune /backups --keep 14"))
@click.argument("folder", type=_THERE)
@click.option("--keep", type=click.IntRange(min=1), required=True, help="Keep so many, the newest.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.JSON
def prune_command(folder: Path, keep: int, *, yes: bool, as_json: bool) -> None:
    """Remove the oldest backups in FOLDER, but none that one of those kept builds on."""
    going = backup.to_prune(backup.list_backups(folder), keep)
    names = [each.manifest.name for each in going]
    if going and not yes:
        click.confirm(f"remove {', '.join(names)}?", abort=True, err=True)
    backup.prune(going)
    click.echo(json_text({"removed": names}) if as_json else f"removed {len(names)} backups")


@command.command(
    "drill", epilog=options.example("tradewright backup drill --latest /backups --json")
)
@click.argument("folder", metavar="[BACKUP]", type=_THERE, required=False)
@click.option("--latest", type=_THERE, help="Drill the newest backup in this folder.")
@_PROGRAMS
@options.DATABASE
@options.KEEP
@options.SCHEMA
@options.JSON
def drill_command(  # noqa: PLR0913 (the options of one command)
    *,
    folder: Path | None,
    latest: Path | None,
    programs: Path | None,
    database: str | None,
    keep: Path | None,
    schema: str,
    as_json: bool,
) -> None:
    """Restore BACKUP on a scratch server, look at all of it, and remove it; exit 1.

    With a database named, the drill is recorded there; without one it only tells.
    """
    if (folder is None) == (latest is None):
        raise click.UsageError("Give one BACKUP, or --latest FOLDER.")
    found = backup.find_backup(folder) if folder else backup.latest_backup(latest or Path())
    url = options.one_place(database, keep)
    asked = options.Asked(url=url, keep=keep, schema=schema, as_json=as_json)
    with ended_by_sigterm():
        report = _drilled(asked, found, programs)
    sys.exit(1 if report.problems else 0)


def _drilled(asked: options.Asked, found: Backup, programs: Path | None) -> backup.DrillReport:
    """Drill a backup, print what came of it, and write that down where a house is named."""
    if asked.url is None and asked.keep is None:
        report = backup.drill(found, programs)
        _print_report(asked, report)
        return report
    with _house(asked) as conninfo:
        with connect(conninfo, schema=asked.schema, autocommit=True) as session:
            started_at = server_now(session)
        try:
            report = backup.drill(found, programs)
        except TradewrightError as error:
            with connect(conninfo, schema=asked.schema, autocommit=True) as session:
                record_failure(session, "drill", found.manifest.name, started_at, error)
            raise
        _print_report(asked, report)
        with connect(conninfo, schema=asked.schema, autocommit=True) as session:
            _record(session, found, started_at, report)
    return report


def _record(
    session: Session, found: Backup, started_at: datetime, report: backup.DrillReport
) -> None:
    backup.record_drill(
        session,
        found.manifest.name,
        started_at,
        bytes_restored=found.manifest.bytes,
        covers_until=report.covers_until,
        restore_ms=report.restore_ms,
        problems="\n".join(report.problems),
    )


@command.command("runs", epilog=options.example("tradewright backup runs --json"))
@click.option("--last", type=COUNT, default=20, show_default=True, help="So many at most.")
@options.with_database
def runs_command(asked: options.Asked, last: int) -> None:
    """Show the backups and drills of the house, the newest first, and what came of them."""
    with asked.session() as session:
        rows = [asdict(run) for run in backup.read_runs(session, last)]
    print_rows(asked, rows, _RUNS)


@command.command(
    "require",
    epilog=options.example(
        "tradewright backup require drill --within 35d --actor anna --reason policy"
    ),
)
@click.argument("kind", type=click.Choice(["backup", "drill", "archive", "standby"]))
@click.option("--within", metavar="TIME", help="How old the last may be: 90min, 26h, 35d.")
@click.option("--not-any-more", is_flag=True, help="Take back what was declared.")
@by_whom_and_why
@options.with_database
def require_command(  # noqa: PLR0913 (the options of one command)
    asked: options.Asked,
    *,
    kind: str,
    within: str | None,
    not_any_more: bool,
    actor: str,
    reason: str,
) -> None:
    """Declare how old the last backup, drill or archived WAL may be, or how late a standby.

    The doctor fails beyond it, and an alert is raised for backups and drills.
    """
    if (within is None) is not not_any_more:
        raise click.UsageError("Give --within TIME, or --not-any-more.")
    age = None if within is None else _duration(within)
    with changing(asked, actor, reason) as session:
        backup.require_age(session, kind, age)
    print_facts(asked, {"kind": kind, "within": "nothing declared" if age is None else str(age)})


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})(min|h|d)", text)
    age = timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else timedelta()
    if not timedelta(minutes=1) <= age <= timedelta(days=400):
        raise click.BadParameter(f'"{text}" is no time from 1min to 400d, such as 90min, 26h, 35d')
    return age


def _kind(base: Path | None, *, logical: bool) -> BackupKind:
    if base is not None:
        return BackupKind.INCREMENTAL
    return BackupKind.LOGICAL if logical else BackupKind.FULL


@contextmanager
def _house(asked: options.Asked) -> Iterator[str]:
    with open_database(asked.url, asked.keep, makes=False) as database:
        yield database.conninfo


def _told(found: Backup) -> dict[str, Any]:
    manifest = found.manifest
    broken = [name for name, count in manifest.figures.laws.items() if count]
    return {
        "name": manifest.name,
        "kind": manifest.kind.value,
        "started_at": manifest.started_at,
        "covers_until": manifest.figures.read_at,
        "megabytes": round(manifest.bytes / 1e6, 1),
        "base": manifest.base,
        "rows": sum(table.rows for table in manifest.figures.tables.values()),
        "laws": f"{len(manifest.figures.laws) - len(broken)} of {len(manifest.figures.laws)} hold",
        "broken_laws": broken,
    }


def _print_report(asked: options.Asked, report: backup.DrillReport) -> None:
    if asked.as_json:
        facts = {**asdict(report), "is_good": not report.problems}
        click.echo(json_text(facts))
        return
    rows: Sequence[dict[str, Any]] = [
        {
            "looked_at": step.name,
            "found": "\n".join(step.problems) if step.problems else step.what,
            "verdict": "BAD" if step.problems else "good",
        }
        for step in report.steps
    ]
    print_rows(asked, rows, ("looked_at", "verdict", "found"))
    click.echo(
        f"restored in {report.restore_ms / 1000:.1f} s; "
        f"brings back what was committed until {report.covers_until:%Y-%m-%d %H:%M:%S} UTC"
    )
