"""A server that follows another one, and takes its place."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError
from tradewright.postgres.binaries import server_user, short_temporary_folder
from tradewright.postgres.embedded import EmbeddedServer

_SECONDS_MAX = 60


class Standby(EmbeddedServer):
    """A server that begins as a copy of `primary` and follows it until it is promoted."""

    def __init__(self, folder: Path, primary: EmbeddedServer) -> None:
        super().__init__(folder, {"cluster_name": "standby", "max_wal_size": "256MB"})
        self._primary = primary

    def conninfo(self, database: str = "postgres") -> str:
        """Return how to connect: the roles and passwords are those of the primary."""
        return make_conninfo(self._primary.conninfo(database), host=str(self._socket_folder()))

    def promote(self) -> None:
        """Let it take the primary's place."""
        with psycopg.connect(self.conninfo(), autocommit=True) as session:
            session.execute("SELECT pg_promote(wait => true)")

    def _create_cluster(self) -> None:
        made = self._run(
            *("pg_basebackup", "--pgdata", "data", "--write-recovery-conf", "--no-sync"),
            *("--checkpoint", "fast", "--dbname", self._primary.conninfo()),
        )
        assert made.returncode == 0, made.stdout


@contextmanager
def followed(primary: EmbeddedServer) -> Iterator[Standby]:
    """Give a standby of which the primary waits for every commit from now on."""
    standby = Standby(short_temporary_folder(server_user()), primary)
    try:
        standby.start()
        with psycopg.connect(primary.conninfo(), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            session.execute("SELECT pg_reload_conf()")
            ends_at = monotonic_seconds() + _SECONDS_MAX
            while (
                session.execute(
                    "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"
                ).fetchone()
                is None
            ):
                assert monotonic_seconds() < ends_at, standby.log.read_text()[-2000:]
                pause(0.05)
        yield standby
    finally:
        with suppress(DatabaseError):
            standby.stop("immediate")
        standby.remove()
