"""What `tradewright migrate` prints: tables for a person, one JSON object under `--json`."""

import json
import sys
from collections.abc import Sequence

import click
from rich.markup import escape
from rich.table import Table

from tradewright.cli.tables import count_of
from tradewright.cli.terminal import standard_console
from tradewright.migrate import MigrationStatus, PlannedFile, Statement, Step
from tradewright.migrate.catalog import Difference
from tradewright.migrate.losses import Loss
from tradewright.migrate.rehearsal import Observation, RehearsedFile
from tradewright.migrate.upkeep import Repair
from tradewright.migrate.versions import Version, version_text

NOTHING_PENDING = "Nothing to apply: the database is up to date."


def print_step(step: Step) -> None:
    """Print the line of one finished file."""
    done = {"up": "applied", "down": "rolled back"}[step.direction]
    way = "one transaction" if step.transactional else "statement by statement"
    click.echo(
        f"{done} {step.migration.label}: {count_of(step.statements, 'statement')}, {way}, "
        f"{step.execution_ms} ms",
    )


def show_run(schema: str, steps: Sequence[Step], *, as_json: bool, nothing: str) -> None:
    """Print what `up` or `down` did; the files' lines were printed while they ran."""
    if as_json:
        _print_json({"schema": schema, "files": [_step_facts(each) for each in steps]})
    elif not steps:
        click.echo(nothing)


def confirm_losses(planned: Sequence[PlannedFile], losses: Sequence[Loss]) -> None:
    """Ask on the terminal whether files may take away what stands in tables.

    Raises:
        click.Abort: the answer was not yes.

    """
    files = "1 file" if len(planned) == 1 else f"{len(planned)} files"
    click.echo(f"Rolling back {files} would take away what stands in:", err=True)
    for loss in losses:
        columns = f" ({', '.join(loss.columns)})" if loss.columns else ""
        about = "about " if loss.is_estimated else ""
        rows = "1 row" if loss.rows == 1 else f"{about}{loss.rows:,} rows"
        click.echo(f"  {loss.table}{columns}: {rows}", err=True)
    click.confirm("Roll back?", abort=True, err=True)


def show_status(schema: str, lines: Sequence[MigrationStatus], *, as_json: bool) -> None:
    """Print how each version stands."""
    if as_json:
        _print_json({"schema": schema, "migrations": [_status_facts(each) for each in lines]})
        return
    table = Table("version", "name", "state", "applied at (UTC)", "by", "ms", "way back")
    for each in lines:
        row = each.row
        table.add_row(
            version_text(each.version),
            escape(each.name),
            _state_text(each),
            f"{row.applied_at:%Y-%m-%d %H:%M:%S}" if row else "",
            escape(row.applied_by) if row else "",
            str(row.execution_ms) if row and row.execution_ms is not None else "",
            "yes" if each.reversible else "no",
        )
    standard_console().print(table)


def show_plan(schema: str, files: Sequence[PlannedFile], *, as_json: bool) -> None:
    """Print the statements that would run."""
    if as_json:
        _print_json({"schema": schema, "files": [_plan_facts(each) for each in files]})
        return
    if not files:
        click.echo(NOTHING_PENDING)
        return
    for file in files:
        way = "one transaction" if file.transactional else "statement by statement"
        click.echo(f"{file.script.label}: {count_of(len(file.statements), 'statement')}, {way}")
        table = _table("line", "statement", "runs")
        for statement in file.statements:
            how = "in a transaction" if statement.transactional else "on its own"
            table.add_row(str(statement.line), escape(statement.headline), how)
        standard_console().print(table)


def show_rehearsal(schema: str, files: Sequence[RehearsedFile], *, as_json: bool) -> None:
    """Print what each statement did on the shadow."""
    if as_json:
        _print_json({"schema": schema, "files": [_rehearsal_facts(each) for each in files]})
        return
    if not files:
        click.echo(NOTHING_PENDING)
        return
    for file in files:
        _show_rehearsed(file)
    click.echo("Every statement ran on the shadow; the database itself was not changed.")


def _show_rehearsed(file: RehearsedFile) -> None:
    """Print one file: what it costs in all, and the statements that others would notice."""
    way = "one transaction" if file.transactional else "statement by statement"
    click.echo(
        f"{file.migration.label}: {count_of(len(file.observations), 'statement')}, {way}, "
        f"about {file.estimated_ms} ms",
    )
    noticed = [each for each in file.observations if each.is_noticed]
    if not noticed:
        click.echo("  nobody would notice: no lock, scan or rewrite of what is there already")
        return
    table = _table("line", "statement", "effect on what is there", "about ms")
    for seen in noticed:
        table.add_row(
            str(seen.statement.line),
            escape(seen.statement.headline),
            escape("\n".join(_effects(seen))),
            str(seen.estimated_ms),
        )
    standard_console().print(table)


def show_baseline(schema: str, versions: Sequence[Version], *, as_json: bool) -> None:
    """Print which versions were recorded."""
    if as_json:
        _print_json({"schema": schema, "recorded": [_told(version) for version in versions]})
        return
    click.echo(f"recorded as applied: {', '.join(map(version_text, versions))}")
    click.echo("Run migrate drift to see whether the database holds what these files make.")


def show_drift(schema: str, differences: Sequence[Difference], *, as_json: bool) -> None:
    """Print how the database differs from its files."""
    if as_json:
        facts = [_difference_facts(each) for each in differences]
        _print_json({"schema": schema, "differences": facts})
        return
    for each in differences:
        click.echo(each.render())
    if not differences:
        click.echo("No drift: the database holds what its applied files make.")
    else:
        click.echo(f"{len(differences)} objects differ from what the applied files make.")
        click.echo("Write a migration that says what the database should be, and apply it.")


def show_repairs(schema: str, repairs: Sequence[Repair], *, as_json: bool) -> None:
    """Print what was mended."""
    if as_json:
        facts = [{"kind": each.kind, "subject": each.subject} for each in repairs]
        _print_json({"schema": schema, "repairs": facts})
        return
    for each in repairs:
        click.echo(f"{each.kind}: {each.subject}")
    if not repairs:
        click.echo("Nothing to mend.")


def _table(*headings: str) -> Table:
    """Return a table as wide as the terminal, whose statements take what the rest leaves.

    In a file or a pipe, which has no width, it takes what it needs.
    """
    is_shown = sys.stdout.isatty()
    table = Table(expand=is_shown)
    for heading in headings:
        is_statement = heading == "statement"
        table.add_column(
            heading,
            no_wrap=is_statement,
            min_width=24 if is_statement else None,
            ratio=1 if is_statement and is_shown else None,
        )
    return table


def _state_text(line: MigrationStatus) -> str:
    if line.row is not None and not line.row.is_finished:
        progress = f"{line.row.statements_done} of {line.row.statements_total}"
        return f"{line.state} {line.row.direction}: {progress}"
    return str(line.state)


def _effects(seen: Observation) -> list[str]:
    return [
        *(f"blocks {lock.blocks} of {lock.relation}" for lock in seen.locks),
        *(f"scans {name}" for name in seen.scanned),
        *(f"rewrites {name}" for name in seen.rewritten),
    ]


def _told(version: Version) -> int | str | None:
    """Return a version for JSON: a number, text with dots, or null for what is repeatable."""
    if version < 0:
        return None
    return version if isinstance(version, int) else version_text(version)


def _step_facts(step: Step) -> dict[str, object]:
    return {
        "version": _told(step.migration.version),
        "name": step.migration.name,
        "direction": step.direction,
        "statements": step.statements,
        "transactional": step.transactional,
        "execution_ms": step.execution_ms,
    }


def _status_facts(line: MigrationStatus) -> dict[str, object]:
    row = line.row
    return {
        "version": _told(line.version),
        "name": line.name,
        "state": line.state,
        "reversible": line.reversible,
        "applied_at": row.applied_at.isoformat() if row else None,
        "applied_by": row.applied_by if row else None,
        "statements_done": row.statements_done if row else 0,
        "execution_ms": row.execution_ms if row else None,
    }


def _plan_facts(file: PlannedFile) -> dict[str, object]:
    return {
        "version": _told(file.migration.version),
        "name": file.migration.name,
        "file": file.script.label,
        "transactional": file.transactional,
        "statements": [_statement_facts(statement) for statement in file.statements],
    }


def _statement_facts(statement: Statement) -> dict[str, object]:
    return {
        "line": statement.line,
        "kind": statement.kind.value,
        "transactional": statement.transactional,
        "text": statement.text,
    }


def _rehearsal_facts(file: RehearsedFile) -> dict[str, object]:
    return {
        "version": _told(file.migration.version),
        "name": file.migration.name,
        "transactional": file.transactional,
        "estimated_ms": file.estimated_ms,
        "statements": [
            {
                **_statement_facts(seen.statement),
                "locks": [
                    {"relation": lock.relation, "mode": lock.mode, "blocks": lock.blocks}
                    for lock in seen.locks
                ],
                "scanned": list(seen.scanned),
                "rewritten": list(seen.rewritten),
                "shadow_ms": seen.shadow_ms,
                "estimated_ms": seen.estimated_ms,
            }
            for seen in file.observations
        ],
    }


def _difference_facts(difference: Difference) -> dict[str, object]:
    return {
        "change": difference.change,
        "kind": difference.key.kind,
        "name": difference.key.name,
        "from_files": list(difference.before),
        "in_database": list(difference.after),
    }


def _print_json(facts: dict[str, object]) -> None:
    click.echo(json.dumps(facts, indent=2))
