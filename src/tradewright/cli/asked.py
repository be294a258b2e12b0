"""What every subcommand on a database is asked: which database, which schema, how to tell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tradewright.cli import options
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.target import open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that every subcommand takes."""

    url: str | None
    keep: Path | None
    schema: str
    as_json: bool

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session on the database that was asked for; commits on leaving."""
        with (
            open_database(self.url, self.keep) as database,
            connect(
                database.conninfo, schema=self.schema, application_name="tradewright"
            ) as session,
        ):
            yield session


def with_common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the common options and hand them over as one `Asked`."""

    def command(
        database: str | None, keep: Path | None, schema: str, *, as_json: bool, **rest: Any
    ) -> None:
        if database is None and keep is None:
            raise click.UsageError("Give --database URL, --keep FOLDER, or DATABASE_URL.")
        url = None if keep else database
        function(Asked(url=url, keep=keep, schema=schema, as_json=as_json), **rest)

    command.__doc__ = function.__doc__
    for option in (options.JSON, options.SCHEMA, options.KEEP, options.DATABASE):
        command = option(command)
    return command
