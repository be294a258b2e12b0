"""`tradewright migrate`: apply, roll back and inspect migrations, ours or anybody's."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tradewright import migrate
from tradewright.postgres.target import open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that every subcommand takes."""

    url: str | None
    keep: Path | None
    schema: str
    folder: Path
    as_json: bool

    def migrations(self) -> list[migrate.Migration]:
        """Read the migrations of the folder."""
        return migrate.find_migrations(self.folder)

    @contextmanager
    def target(self) -> Iterator[migrate.Target]:
        """Give the database that was asked for; an embedded one runs as long as the command."""
        with open_database(self.url, self.keep) as database:
            yield migrate.Target(conninfo=database.conninfo, schema=self.schema)


_COMMON_OPTIONS = (
    click.option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        help="The database, as postgresql://user:password@host:port/name.  [env: DATABASE_URL]",
    ),
    click.option(
        "--keep",
        metavar="FOLDER",
        type=click.Path(path_type=Path, file_okay=False),
        help="Use an embedded server whose data stays in FOLDER.",
    ),
    click.option("--schema", default="tradewright", show_default=True, help="The schema."),
    click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="The folder of the migrations.  [default: the ones of Tradewright itself]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
)


def _with_common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the common options and hand them over as one `Asked`."""

    @wraps(function)
    def wrapped(**values: Any) -> None:
        function(_asked(values), **values)

    command: Callable[..., None] = wrapped
    for option in reversed(_COMMON_OPTIONS):
        command = option(command)
    return command


def _asked(values: dict[str, Any]) -> Asked:
    """Take the common options out of `values`."""
    url, keep, folder = (values.pop(name) for name in ("database", "keep", "folder"))
    if url is None and keep is None:
        raise click.UsageError(
            "Name the database with --database URL or DATABASE_URL, "
            "or keep an embedded server with --keep FOLDER.",
        )
    return Asked(
        url=None if keep else url,
        keep=keep,
        schema=values.pop("schema"),
        folder=folder or migrate.our_migrations(),
        as_json=values.pop("as_json"),
    )


def _example(*lines: str) -> str:
    """Return the end of a help text, its lines kept as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(
    "migrate",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_example(
        "tradewright migrate status --database postgresql://me@localhost/broker",
        "tradewright migrate up --database postgresql://me@localhost/broker",
    ),
)
def command() -> None:
    """Apply, roll back and inspect migrations."""


@command.command("up", epilog=_example("tradewright migrate up --dir migrations --to 6"))
@_with_common_options
def up_command(asked: Asked, to: int | None, out_of_order: bool) -> None:
    """Apply what is pending."""
    with asked.target() as target:
        steps = migrate.up(
            target,
            asked.migrations(),
            to=to,
            out_of_order=out_of_order,
            on_step=None if asked.as_json else _print_step,
        )
    _finish_run(asked, steps, nothing="Nothing to apply: the database is up to date.")


@command.command(
    "down", epilog=_example("tradewright migrate down 2", "tradewright migrate down --to 3")
)
@click.argument("count", type=click.IntRange(min=1), default=1)
@_with_common_options
def down_command(asked: Asked, count: int, to: int | None) -> None:
    """Roll back the last COUNT migrations (1), or all above a version."""
    with asked.target() as target:
        steps = migrate.down(
            target,
            asked.migrations(),
            count=count,
            to=to,
            on_step=None if asked.as_json else _print_step,
        )
    _finish_run(asked, steps, nothing="Nothing to roll back.")


@command.command("status", epilog=_example("tradewright migrate status --json"))
@_with_common_options
def status_command(asked: Asked) -> None:
    """Show how each version stands between its file and the database."""
    with asked.target() as target:
        lines = migrate.status(target, asked.migrations())
    if asked.as_json:
        _print_json({"schema": asked.schema, "migrations": [_status_facts(each) for each in lines]})
        return
    table = Table("version", "name", "state", "applied at (UTC)", "by", "ms", "way back")
    for each in lines:
        row = each.row
        table.add_row(
            str(each.version),
            each.name,
            _state_text(each),
            f"{row.applied_at:%Y-%m-%d %H:%M:%S}" if row else "",
            row.applied_by if row else "",
            str(row.execution_ms) if row and row.execution_ms is not None else "",
            "yes" if each.reversible else "no",
        )
    Console().print(table)


@command.command("plan", epilog=_example("tradewright migrate plan --to 6"))
@_with_common_options
def plan_command(asked: Asked, to: int | None, out_of_order: bool) -> None:
    """Show what `up` would run, without running it."""
    with asked.target() as target:
        files = migrate.plan(target, asked.migrations(), to=to, out_of_order=out_of_order)
    if asked.as_json:
        _print_json({"schema": asked.schema, "files": [_plan_facts(each) for each in files]})
        return
    if not files:
        click.echo("Nothing to apply: the database is up to date.")
        return
    table = Table("file", "line", "statement", "runs")
    for each in files:
        runs = "in one transaction" if each.script.transactional else ""
        for number, statement in enumerate(each.statements):
            table.add_row(
                each.script.path.name if number == 0 else "",
                str(statement.line),
                statement.headline,
                runs or ("in a transaction" if statement.transactional else "on its own"),
            )
        table.add_section()
    Console().print(table)


for _command in (up_command, plan_command):
    _command.params += [
        click.Option(["--to"], type=int, metavar="VERSION", help="Stop after this version."),
        click.Option(
            ["--out-of-order"],
            is_flag=True,
            help="Also apply versions that are older than the latest applied one.",
        ),
    ]
down_command.params.append(
    click.Option(
        ["--to"],
        type=int,
        metavar="VERSION",
        help="Roll back every version above this one; 0 rolls back all.",
    ),
)


def _print_step(step: migrate.Step) -> None:
    done = {"up": "applied", "down": "rolled back"}[step.direction]
    way = "one transaction" if step.transactional else "statement by statement"
    click.echo(
        f"{done} {step.migration.label}: {step.statements} statements, {way}, "
        f"{step.execution_ms} ms",
    )


def _finish_run(asked: Asked, steps: list[migrate.Step], *, nothing: str) -> None:
    if asked.as_json:
        _print_json({"schema": asked.schema, "files": [_step_facts(each) for each in steps]})
    elif not steps:
        click.echo(nothing)


def _step_facts(step: migrate.Step) -> dict[str, object]:
    return {
        "version": step.migration.version,
        "name": step.migration.name,
        "direction": step.direction,
        "statements": step.statements,
        "transactional": step.transactional,
        "execution_ms": step.execution_ms,
    }


def _state_text(line: migrate.MigrationStatus) -> str:
    if line.row is not None and not line.row.is_finished:
        return (
            f"{line.state} {line.row.direction}: "
            f"{line.row.statements_done} of {line.row.statements_total}"
        )
    return str(line.state)


def _status_facts(line: migrate.MigrationStatus) -> dict[str, object]:
    row = line.row
    return {
        "version": line.version,
        "name": line.name,
        "state": line.state,
        "reversible": line.reversible,
        "applied_at": row.applied_at.isoformat() if row else None,
        "applied_by": row.applied_by if row else None,
        "statements_done": row.statements_done if row else 0,
        "execution_ms": row.execution_ms if row else None,
    }


def _plan_facts(file: migrate.PlannedFile) -> dict[str, object]:
    return {
        "version": file.migration.version,
        "name": file.migration.name,
        "file": file.script.path.name,
        "transactional": file.script.transactional,
        "statements": [
            {
                "line": statement.line,
                "kind": statement.kind.value,
                "transactional": statement.transactional,
                "text": statement.text,
            }
            for statement in file.statements
        ],
    }


def _print_json(facts: dict[str, object]) -> None:
    click.echo(json.dumps(facts, indent=2))
