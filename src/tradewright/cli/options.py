"""Options that several commands take: which database, which schema, and JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import click
from click.core import ParameterSource

from tradewright.postgres.connect import ConnectOptions, Session, connect
from tradewright.postgres.target import open_database

DATABASE = click.option(
    "--database",
    metavar="URL",
    envvar="DATABASE_URL",
    help="The database, as postgresql://user:password@host:port/name.  [env: DATABASE_URL]",
)
KEEP = click.option(
    "--keep",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Use an embedded server whose data stays in FOLDER.",
)
FOLDER = click.option(
    "--folder",
    metavar="FOLDER",
    envvar="TRADEWRIGHT_ARCHIVE",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where files of archived months are.  [env: TRADEWRIGHT_ARCHIVE]",
)
_NAME_BYTES_MAX = 63
"""PostgreSQL cuts a longer name without a word, and would look into another schema."""


def _named(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not 0 < len(value.encode()) <= _NAME_BYTES_MAX:
        raise click.BadParameter(f"a schema has a name of 1 to {_NAME_BYTES_MAX} bytes")
    return value


SCHEMA = click.option(
    "--schema", default="tradewright", show_default=True, callback=_named, help="The schema."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that every subcommand takes."""

    url: str | None
    keep: Path | None
    schema: str
    as_json: bool

    @contextmanager
    def session(self, **chosen: Unpack[ConnectOptions]) -> Iterator[Session]:
        """Give a session on the database that was asked for; commits on leaving."""
        chosen["schema"] = self.schema
        chosen["application_name"] = click.get_current_context().command_path
        with (
            open_database(self.url, self.keep, makes=False) as database,
            connect(database.conninfo, **chosen) as session,
        ):
            yield session


def with_database(function: Callable[..., None]) -> Callable[..., None]:
    """Add the common options and hand them over as one `Asked`."""

    def command(
        database: str | None, keep: Path | None, schema: str, *, as_json: bool, **rest: Any
    ) -> None:
        if database is None and keep is None:
            raise click.UsageError("Give --database URL, --keep FOLDER, or DATABASE_URL.")
        url = one_place(database, keep)
        function(Asked(url=url, keep=keep, schema=schema, as_json=as_json), **rest)

    command.__doc__ = function.__doc__
    for option in (JSON, SCHEMA, KEEP, DATABASE):
        command = option(command)
    return command


def one_place(database: str | None, keep: Path | None) -> str | None:
    """Return the URL that a command goes by: with --keep none, and the environment's is left aside.

    Raises:
        click.UsageError: both were given on the command line.

    """
    source = click.get_current_context().get_parameter_source("database")
    if keep is not None and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("Give --database URL or --keep FOLDER, not both.")
    return database if keep is None else None


def example(line: str) -> str:
    """Return the end of a help text, its line kept as it is."""
    return f"\b\nExample:\n  {line}"
