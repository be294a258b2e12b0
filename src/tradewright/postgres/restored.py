"""A scratch server over the files of a backup: to see whether they make a house again.

It keeps nothing of how the real server was set up: no listening address, archive command, password
or library that is loaded. It has a socket in a private folder, which only the user that runs this
may use, as any role of the backup (peer authentication with a map). It is removed at the end; what
a killed process has left is stopped and removed by the next, as with any temporary server.
"""

import contextlib
import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from psycopg.conninfo import make_conninfo

from tradewright.core.errors import DatabaseError
from tradewright.postgres.binaries import server_user, short_temporary_folder
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.orphans import record_maker

Fill = Callable[[Path], object]
"""Writes a data folder: the path that it is given does not exist yet."""

_SETTINGS = {
    "archive_mode": "off",
    "autovacuum": "off",
    "fsync": "off",
    "max_prepared_transactions": "100",
    "shared_preload_libraries": "",
}
_SIGNALS = ("standby.signal", "recovery.signal", "postmaster.pid")


class RestoredServer(EmbeddedServer):
    """A server whose data folder is filled from a backup when it is started first."""

    def __init__(self, folder: Path, fill: Fill, *, superuser: str, programs: Path) -> None:
        super().__init__(folder, _SETTINGS, is_scratch=True)
        self._fill = fill
        self._superuser = superuser
        self._given_programs = programs

    @cached_property
    def _programs(self) -> Path:
        return self._given_programs

    def conninfo(self, database: str = "postgres") -> str:
        """Return the connection string of a database of this server."""
        return make_conninfo(
            host=str(self._socket_folder()),
            port=self._settings["port"],
            user=self._superuser,
            dbname=database,
        )

    def _create_cluster(self) -> None:
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._fill(draft)
        for name in _SIGNALS:
            (draft / name).unlink(missing_ok=True)
        us = pwd.getpwuid(os.geteuid()).pw_name
        (draft / "postgresql.conf").write_text("include_if_exists = 'tradewright.conf'\n")
        (draft / "postgresql.auto.conf").write_text("")
        (draft / "pg_hba.conf").write_text("local all all peer map=drill\n")
        (draft / "pg_ident.conf").write_text(f'drill "{us}" all\n')
        self._own_tree(draft)
        draft.rename(self.data)

    def _own_tree(self, tree: Path) -> None:
        """Give all files to the server's user, private to it."""
        for folder, _, names in os.walk(tree):
            Path(folder).chmod(0o700)
            for path in (Path(folder), *(Path(folder, name) for name in names)):
                self._user.own(path)


@contextlib.contextmanager
def restored_server(fill: Fill, *, superuser: str, programs: Path) -> Iterator[RestoredServer]:
    """Give a scratch server, not started yet, that `fill` makes; on leaving, remove it.

    `superuser` is the role of the backup to connect as.
    """
    folder = short_temporary_folder(server_user())
    record_maker(folder)
    EmbeddedServer.remove_orphans(folder.parent)
    server = RestoredServer(folder, fill, superuser=superuser, programs=programs)
    try:
        yield server
    finally:
        with contextlib.suppress(DatabaseError):
            server.stop("immediate")
        server.remove()
