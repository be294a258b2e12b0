"""`tradewright migrate`: apply, roll back and inspect migrations, ours or anybody's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tradewright import migrate
from tradewright.cli import migrate_output as output
from tradewright.cli import options
from tradewright.migrate import upkeep
from tradewright.migrate.rehearsal import rehearse
from tradewright.migrate.versions import Version, parse_version
from tradewright.postgres.target import open_database


class _VersionType(click.ParamType[Version]):
    """A version as people write it: 3, or 1.2.10."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Version:
        """Return the version, or fail as click does."""
        version = parse_version(str(value))
        if version is None:
            self.fail(f"{value!r} is not a version such as 3 or 1.2.10", param, ctx)
        return version


VERSION = _VersionType()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that every subcommand takes."""

    url: str | None
    keep: Path | None
    schema: str
    folder: Path
    as_json: bool
    lock_timeout_ms: int
    wait_seconds: float

    def migrations(self) -> list[migrate.Migration]:
        """Read the migrations of the folder."""
        return migrate.find_migrations(self.folder)

    @contextmanager
    def target(self, *, makes: bool = False) -> Iterator[migrate.Target]:
        """Give the database that was asked for; an embedded one runs as long as the command."""
        with open_database(self.url, self.keep, makes=makes) as database:
            yield migrate.Target(
                conninfo=database.conninfo,
                schema=self.schema,
                lock_timeout_ms=self.lock_timeout_ms,
                wait_seconds=self.wait_seconds,
            )


_COMMON_OPTIONS = (
    options.DATABASE,
    options.KEEP,
    options.SCHEMA,
    click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="The folder of the migrations.  [default: the ones of Tradewright itself]",
    ),
    options.JSON,
    click.option(
        "--lock-timeout",
        "lock_timeout_ms",
        metavar="MS",
        type=click.IntRange(1, 2**31 - 1),
        default=5_000,
        show_default=True,
        help="How long a statement waits for its lock before the file is tried again.",
    ),
    click.option(
        "--wait",
        "wait_seconds",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        help="How long to wait for another runner to finish.",
    ),
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
        url=options.one_place(url, keep),
        keep=keep,
        schema=values.pop("schema"),
        folder=folder or migrate.our_migrations(),
        as_json=values.pop("as_json"),
        lock_timeout_ms=values.pop("lock_timeout_ms"),
        wait_seconds=values.pop("wait_seconds"),
    )


def _example(*lines: str) -> str:
    """Return the end of a help text, its lines kept as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


@click.group(
    "migrate",
    epilog=_example(
        "tradewright migrate status --database postgresql://me@localhost/broker",
        "tradewright migrate up --database postgresql://me@localhost/broker",
    ),
)
def command() -> None:
    """Apply, roll back and inspect migrations."""


@command.command("up", epilog=_example("tradewright migrate up --dir migrations --to 6"))
@click.option(
    "--dry-run",
    is_flag=True,
    help="Run it on a shadow copy of the schema; the database itself is not changed.",
)
@_with_common_options
def up_command(asked: Asked, to: Version | None, out_of_order: bool, dry_run: bool) -> None:
    """Apply what is pending; with --keep on a server that is made if there is none."""
    with asked.target(makes=not dry_run) as target:
        if dry_run:
            _rehearse(asked, target, to=to, out_of_order=out_of_order)
            return
        steps = migrate.up(
            target,
            asked.migrations(),
            to=to,
            out_of_order=out_of_order,
            on_step=None if asked.as_json else output.print_step,
        )
    output.show_run(
        asked.schema,
        steps,
        as_json=asked.as_json,
        nothing="Nothing to apply: the database is up to date.",
    )


@command.command(
    "down", epilog=_example("tradewright migrate down 2", "tradewright migrate down --to 3")
)
@click.argument("count", type=click.IntRange(min=1), default=1)
@click.option("--yes", is_flag=True, help="Do not ask on a terminal before rows are lost.")
@_with_common_options
def down_command(asked: Asked, count: int, to: Version | None, yes: bool) -> None:
    """Roll back the last COUNT migrations (1), or all above a version.

    On a terminal it shows first which tables that hold rows would be dropped or emptied, or lose
    columns, and asks.
    """
    source = click.get_current_context().get_parameter_source("count")
    if to is not None and source is not ParameterSource.DEFAULT:
        raise click.UsageError("Give COUNT or --to, not both.")
    with asked.target() as target:
        steps = migrate.down(
            target,
            asked.migrations(),
            count=count,
            to=to,
            on_step=None if asked.as_json else output.print_step,
            before_losing=output.confirm_losses if sys.stdin.isatty() and not yes else None,
        )
    output.show_run(asked.schema, steps, as_json=asked.as_json, nothing="Nothing to roll back.")


@command.command(
    "status",
    epilog=_example("tradewright migrate status --json", "tradewright migrate status --check"),
)
@click.option("--check", is_flag=True, help="Exit 1 unless every version is applied as it stands.")
@_with_common_options
def status_command(asked: Asked, check: bool) -> None:
    """Show how each version stands between its file and the database."""
    with asked.target() as target:
        lines = migrate.status(target, asked.migrations())
    output.show_status(asked.schema, lines, as_json=asked.as_json)
    if check and any(each.state is not migrate.State.APPLIED for each in lines):
        sys.exit(1)


@command.command(
    "plan",
    epilog=_example("tradewright migrate plan --to 6", "tradewright migrate plan --shadow"),
)
@click.option(
    "--shadow",
    "on_shadow",
    is_flag=True,
    help="Run it on a shadow copy of the schema, and show locks, scans, rewrites and cost.",
)
@_with_common_options
def plan_command(asked: Asked, to: Version | None, out_of_order: bool, on_shadow: bool) -> None:
    """Show what `up` would run, without running it."""
    with asked.target() as target:
        if on_shadow:
            _rehearse(asked, target, to=to, out_of_order=out_of_order)
            return
        files = migrate.plan(target, asked.migrations(), to=to, out_of_order=out_of_order)
    output.show_plan(asked.schema, files, as_json=asked.as_json)


@command.command("new", epilog=_example("tradewright migrate new add_client_notes --dir db"))
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the migrations.",
)
def new_command(name: str, folder: Path) -> None:
    """Make the next numbered file and its way back."""
    for path in upkeep.new_migration(folder, name):
        click.echo(path)


@command.command("baseline", epilog=_example("tradewright migrate baseline 6 --dir db"))
@click.argument("version", type=VERSION)
@_with_common_options
def baseline_command(asked: Asked, version: Version) -> None:
    """Record versions up to VERSION as applied, without running them."""
    with asked.target() as target:
        versions = upkeep.baseline(target, asked.migrations(), version)
    output.show_baseline(asked.schema, versions, as_json=asked.as_json)


@command.command("drift", epilog=_example("tradewright migrate drift --json"))
@_with_common_options
def drift_command(asked: Asked) -> None:
    """Compare the database with what its applied files make on a shadow; exit 1 if it differs."""
    with asked.target() as target:
        differences = upkeep.find_drift(target, asked.migrations())
    output.show_drift(asked.schema, differences, as_json=asked.as_json)
    if differences:
        sys.exit(1)


@command.command("repair", epilog=_example("tradewright migrate repair --look"))
@click.option("--look", is_flag=True, help="Only show what there is to mend.")
@_with_common_options
def repair_command(asked: Asked, look: bool) -> None:
    """Accept edited files, clear half-begun ones, mend INVALID indexes and pending detaches."""
    with asked.target() as target:
        repairs = upkeep.repair(target, asked.migrations(), only_look=look)
    output.show_repairs(asked.schema, repairs, as_json=asked.as_json)


for _command in (up_command, plan_command):
    _command.params += [
        click.Option(["--to"], type=VERSION, metavar="VERSION", help="Stop after this version."),
        click.Option(
            ["--out-of-order"],
            is_flag=True,
            help="Also apply versions that are older than the latest applied one.",
        ),
    ]
down_command.params.append(
    click.Option(
        ["--to"],
        type=VERSION,
        metavar="VERSION",
        help="Roll back every version above this one; 0 rolls back all.",
    ),
)


def _rehearse(
    asked: Asked, target: migrate.Target, *, to: Version | None, out_of_order: bool
) -> None:
    files = rehearse(target, asked.migrations(), to=to, out_of_order=out_of_order)
    output.show_rehearsal(asked.schema, files, as_json=asked.as_json)
