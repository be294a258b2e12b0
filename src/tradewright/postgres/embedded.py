"""A private PostgreSQL server in a folder, for development, tests, demonstrations and shadows.

It owns a data folder, a password, a socket and the server's life: create, start, stop, kill. It
trusts nobody (scram-sha-256 over a socket in a private folder), keeps data checksums and fsync on,
and refuses to run in production. Connections are made by `connect`; programs are found by
`binaries`.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.postgres.binaries import programs_folder, server_user, short_temporary_folder
from tradewright.postgres.homes import home_of, make_home, refuse_production, require_ours
from tradewright.postgres.occupancy import Occupancy
from tradewright.postgres.orphans import children_of, orphaned_folders, record_maker

SUPERUSER = "tradewright"

DEFAULT_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "port": "5432",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "max_wal_size": "4GB",
        "wal_compression": "off",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "unix_socket_permissions": "0700",
    },
)
"""Server settings of every embedded server; a caller may override each."""

_START_SECONDS = 300
_START_ATTEMPTS = 3
_SOCKET_FOLDER = re.compile(r"[A-Za-z0-9._/-]{1,80}")


class EmbeddedServer:
    """One server in one folder; the folder may be used by one process after another."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        is_scratch: bool = False,
    ) -> None:
        self.folder = folder.resolve()
        self._settings = {**DEFAULT_SETTINGS, **(settings or {})}
        self._user = server_user()
        self._is_scratch = is_scratch
        self._is_temporary = False
        self._started_here = False
        self._occupancy = Occupancy()

    @classmethod
    @contextlib.contextmanager
    def temporary(
        cls,
        settings: Mapping[str, str] | None = None,
        *,
        is_scratch: bool = False,
    ) -> Iterator[Self]:
        """Run a server in a folder of its own; on leaving, stop it and remove the folder.

        A scratch server, which rehearses for a real one and is never anybody's database, may run
        in production too.
        """
        folder = short_temporary_folder(server_user())
        record_maker(folder)
        cls.remove_orphans(folder.parent)
        server = cls(folder, settings, is_scratch=is_scratch)
        server._is_temporary = True
        try:
            server.start()
            yield server
        finally:
            with contextlib.suppress(DatabaseError):
                server.stop("immediate")
            server.remove()

    @staticmethod
    def remove_orphans(parent: Path) -> None:
        """Stop and remove temporary servers whose maker was killed."""
        for folder in orphaned_folders(parent):
            orphan = EmbeddedServer(folder)
            with contextlib.suppress(DatabaseError, OSError):
                orphan.stop("immediate")
                orphan.remove()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.home.exists():
            return
        with self._lock():
            if self._occupancy.end(self.home, started_here=self._started_here):
                self.stop()
            self._started_here = False

    @property
    def home(self) -> Path:
        """The folder of the data: ours, or another if the server's user cannot reach that."""
        return home_of(self.folder)

    @property
    def data(self) -> Path:
        """The data folder (PGDATA)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "log" / "server.log"

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        pid = self._recorded_pid()
        return pid if pid is not None and self._is_our_server(pid) else None

    @staticmethod
    def programs() -> Path:
        """Return the folder of PostgreSQL's client programs, without any server."""
        return programs_folder(server_user())

    def binary(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs, for example `pg_dump`."""
        return self._programs / name

    def conninfo(self, database: str = "postgres") -> str:
        """Return the connection string, password included, of a database of this server."""
        return make_conninfo(
            host=str(self._socket_folder()),
            port=self._settings["port"],
            user=SUPERUSER,
            password=self._password_file.read_text().strip(),
            dbname=database,
        )

    def start(self) -> None:
        """Start the server, creating it first when needed; attach when it already runs.

        Raises:
            StateError: EMBEDDED_IN_PRODUCTION when TRADEWRIGHT_ENV says production;
                EMBEDDED_FOLDER_UNUSABLE when the folder holds somebody else's files.
            DatabaseError: EMBEDDED_START_FAILED with the last lines of the server's log.

        """
        if not self._is_scratch:
            refuse_production()
        self._make_home()
        with self._lock():
            self._occupancy.begin(self.home)
            if self.pid is not None:
                return
            if not self.data.exists():
                self._create_cluster()
            self._write_settings()
            self._launch()
            self._started_here = True

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs; `mode` is smart, fast or immediate, as in pg_ctl."""
        self._occupancy.forget()
        pid = self.pid
        if pid is None:
            return
        seconds = str(_START_SECONDS)
        done = self._run("pg_ctl", "stop", "-D", "data", "-m", mode, "-w", "-t", seconds)
        if done.returncode != 0 and self.pid is not None:
            raise DatabaseError(
                ErrorCode.EMBEDDED_STOP_FAILED,
                f"could not stop the embedded server in '{self.folder}'",
                why=done.stdout.strip(),
                hint="Close its connections, or stop it with mode immediate.",
            )
        self._wait_until_gone(pid)
        self._started_here = False

    def kill(self) -> None:
        """Kill server and sessions as a power cut would (SIGKILL), and wait for the end."""
        pid = self.pid
        if pid is None:
            return
        sessions = children_of(pid)
        os.kill(pid, signal.SIGKILL)
        for session in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)
        self._wait_until_gone(pid)

    def remove(self) -> None:
        """Remove every file of a stopped server."""
        for folder in (self._socket_folder(), self.home, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a copy of `template` when given (nobody may be connected to it)."""
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._administer(command)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the sessions in it."""
        command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._administer(command.format(sql.Identifier(name)))

    def has_database(self, name: str) -> bool:
        """Tell whether a database of this name exists."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            return found.fetchone() is not None

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists; safe beside other processes that want it too."""
        with self._lock():
            if not self.has_database(name):
                self.create_database(name)

    @cached_property
    def _programs(self) -> Path:
        return programs_folder(self._user)

    @property
    def _password_file(self) -> Path:
        return self.home / "password"

    def _administer(self, command: sql.Composed) -> None:
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(command)

    def _make_home(self) -> None:
        require_ours(self.folder)
        make_home(self.folder, self._user)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        self._user.own(self.log.parent)

    def _socket_folder(self) -> Path:
        """Return the folder of the socket; one with a short path when ours would be too long."""
        own = self.home / "socket"
        if _SOCKET_FOLDER.fullmatch(str(own)):
            return own
        record = self.home / "socket-folder"
        if record.exists() and Path(record.read_text()).is_dir():
            return Path(record.read_text())
        elsewhere = short_temporary_folder(self._user)
        record.write_text(str(elsewhere))
        return elsewhere

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time create and start the server."""
        with (self.home / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _create_cluster(self) -> None:
        self._write_password()
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._user.own(draft)
        done = self._run(
            "initdb",
            *("--pgdata", "data.new", "--username", SUPERUSER, "--pwfile", "password"),
            *("--auth", "scram-sha-256", "--data-checksums", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            "--no-instructions",
            *(["--no-sync"] if self._is_temporary else []),
        )
        if done.returncode != 0:
            raise DatabaseError(
                ErrorCode.EMBEDDED_START_FAILED,
                f"could not create the embedded server in '{self.folder}'",
                why=done.stdout.strip(),
                hint="Free space in that folder, or name another one.",
            )
        with (draft / "postgresql.conf").open("a") as handle:
            handle.write("include_if_exists = 'tradewright.conf'\n")
        draft.rename(self.data)

    def _write_password(self) -> None:
        """Make the superuser's password, in a file that only the server's user can read."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(self._password_file, flags, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(32))
        self._user.own(self._password_file)

    def _write_settings(self) -> None:
        socket = self._socket_folder()
        socket.mkdir(mode=0o700, exist_ok=True)
        self._user.own(socket)
        settings = {**self._settings, "unix_socket_directories": str(socket)}
        lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
        path = self.data / "tradewright.conf"
        path.write_text("".join(lines))
        path.chmod(0o600)
        self._user.own(path)

    def _launch(self) -> None:
        """Start the server; again when what a killed one left behind stood in the way."""
        log, seconds = "log/server.log", str(_START_SECONDS)
        for attempt in range(_START_ATTEMPTS):
            pause(0.5 * attempt)
            self._clear_stale_lock_files()
            done = self._run("pg_ctl", "start", "-D", "data", "-l", log, "-w", "-t", seconds)
            if done.returncode == 0:
                return
        tail = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
        raise DatabaseError(
            ErrorCode.EMBEDDED_START_FAILED,
            f"could not start the embedded server in '{self.folder}'",
            why="\n".join([done.stdout.strip(), *tail]),
            hint=f"Read the server's log: {self.log}",
        )

    def _clear_stale_lock_files(self) -> None:
        """Remove the lock files of a killed server whose process id is still taken.

        It may be a zombie that nobody has reaped, or belong to another program by now; PostgreSQL
        cannot tell that from a running server. When the id is free, PostgreSQL clears its files
        itself. Sessions that outlived the server still stop the start: they hold its memory.
        """
        socket = f".s.PGSQL.{self._settings['port']}.lock"
        for path in (self.data / "postmaster.pid", self._socket_folder() / socket):
            pid = _pid_in(path)
            if pid is not None and Path(f"/proc/{pid}").exists() and not self._is_our_server(pid):
                path.unlink(missing_ok=True)

    def _recorded_pid(self) -> int | None:
        return _pid_in(self.data / "postmaster.pid")

    def _wait_until_gone(self, pid: int) -> None:
        """Wait for a process that is ending; it removes its pid file a moment before it is gone."""
        deadline = monotonic_seconds() + 30
        while self._is_our_server(pid) and monotonic_seconds() < deadline:
            pause(0.01)

    def _is_our_server(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.data.resolve()
        except OSError:
            return False

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's user, in our home, without PG* variables."""
        user = self._user
        return subprocess.run(
            [str(self.binary(program)), *arguments],
            cwd=self.home,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=user.uid if user.switch else None,
            group=user.gid if user.switch else None,
            extra_groups=[] if user.switch else None,
        )


def _pid_in(path: Path) -> int | None:
    """Return the process id on the first line of a lock file, or None."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
