"""Which database a command works on: a given one, the environment's, or a server of our own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.homes import require_server

DATABASE_NAME = "tradewright"
"""The database that is made on an embedded server."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database to connect to; `server` is set when we run it ourselves."""

    conninfo: str
    server: EmbeddedServer | None


@contextmanager
def open_database(
    url: str | None = None, keep: Path | None = None, *, makes: bool = True
) -> Iterator[Database]:
    """Give the database of `url`, else of DATABASE_URL, else of an embedded server.

    The embedded server lives in the folder `keep` and keeps its data there, or in a temporary
    folder that is removed; it is stopped on leaving when this call started it. A given `keep` comes
    before DATABASE_URL, since somebody asked for it by name. Who only looks at what is there says
    so with `makes`: no server is made then.

    Raises:
        StateError: EMBEDDED_SERVER_MISSING.

    """
    given = url or (None if keep else os.environ.get("DATABASE_URL"))
    if given:
        yield Database(given, None)
        return
    if keep and not makes:
        require_server(keep)
    with EmbeddedServer(keep) if keep else EmbeddedServer.temporary() as server:
        server.ensure_database(DATABASE_NAME)
        yield Database(server.conninfo(DATABASE_NAME), server)
