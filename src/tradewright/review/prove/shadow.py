"""The shadow: a database on a scratch server, owned by a role that can harm nothing but it.

Migrations are strangers' code. They run as an ordinary role with a password of its own: it cannot
read or write the server's files, start programs, make databases or become a superuser. Roles that
they make are dropped with the database. A sentry ends what ignores its time limit.
"""

import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.resources import files
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tradewright.migrate.shadow import scratch_server
from tradewright.postgres.connect import NO_LIMITS, Limits, Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.queries import load_queries

SCHEMA = "public"
STATEMENT_SECONDS = 15
FILE_SECONDS = 60
TRUSTED = (
    *("pg_stat_statements", "pgstattuple", "pg_buffercache", "amcheck", "moddatetime", "vector"),
    *("bloom", "earthdistance", "pgrowlocks", "autoinc", "insert_username", "refint"),
)
"""Extensions that only a superuser may create, and that the shadow lets its role create too."""

_NUMBERS = count(1)


@contextmanager
def shadow_server() -> Iterator[EmbeddedServer]:
    """Run a scratch server for proofs; it is stopped and removed on leaving."""
    with scratch_server() as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """One database of a scratch server and the role that owns it."""

    server: EmbeddedServer
    administrator: Session
    name: str
    role: str
    password: str = field(repr=False)
    searched: list[str] = field(default_factory=lambda: [SCHEMA])
    """The schemas that names are looked for in, in their order; the first one gets new things."""

    def conninfo(self) -> str:
        """Return how its role reaches this database."""
        base = self.server.conninfo(self.name)
        return make_conninfo(base, user=self.role, password=self.password)

    @contextmanager
    def session(self, *, patience: int = 1) -> Iterator[Session]:
        """Open a session that is ended, whatever it does, after FILE_SECONDS.

        `patience` makes this and the time of a statement so many times longer.
        """
        limits = Limits(
            transaction_timeout_ms=0,
            idle_in_transaction_session_timeout_ms=0,
            statement_timeout_ms=STATEMENT_SECONDS * 1000 * patience,
        )
        session = connect(self.conninfo(), schema=SCHEMA, autocommit=True, limits=limits)
        pid = session.info.backend_pid
        sentry = threading.Timer(FILE_SECONDS * patience, self._terminate, (pid,))
        sentry.daemon = True
        sentry.start()
        try:
            if self.searched != [SCHEMA]:
                session.execute(_queries()["search"], {"schemas": self.searched})
            yield session
        finally:
            sentry.cancel()
            session.close()

    def add_role(self, name: str) -> None:
        """Make a role that migrations name and that somebody else makes in real life."""
        text = "CREATE ROLE {} ADMIN {}"
        command = sql.SQL(text).format(sql.Identifier(name), sql.Identifier(self.role))
        with suppress(psycopg.errors.DuplicateObject):
            self.administrator.execute(command)

    def add_schema(self, name: str, *, is_default: bool = False) -> None:
        """Make a schema, of the shadow's own role, for a placeholder that names one.

        What its runner makes is often where it looks for names too; Flyway's even comes first.
        """
        text = "CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}"
        command = sql.SQL(text).format(sql.Identifier(name), sql.Identifier(self.role))
        with self.session() as session:
            session.execute(command)
        self.searched.insert(0 if is_default else len(self.searched), name)

    @contextmanager
    def neighbour(self, *, copy: bool) -> Iterator["Shadow"]:
        """Give one more database of the same role, empty or a copy of this one."""
        name = f"{self.name}_{next(_NUMBERS)}"
        _make_database(self, name, self.name if copy else None)
        try:
            yield replace(self, name=name)
        finally:
            self.server.drop_database(name)

    def _terminate(self, pid: int) -> None:
        with suppress(psycopg.Error), _administrator(self.server) as session:
            session.execute(_queries()["terminate"], {"pid": pid})


@contextmanager
def shadow_database(server: EmbeddedServer) -> Iterator[Shadow]:
    """Make an empty database for one proof; on leaving, drop it and every role made meanwhile."""
    with _administrator(server) as administrator:
        before = _roles(administrator)
        shadow = Shadow(
            server=server,
            administrator=administrator,
            name=f"shadow_{next(_NUMBERS)}",
            role=f"prover_{secrets.token_hex(4)}",
            password=secrets.token_urlsafe(24),
        )
        try:
            _make_role(shadow)
            _make_database(shadow, shadow.name)
            yield shadow
        finally:
            server.drop_database(shadow.name)
            _drop_roles(administrator, _roles(administrator) - before)


def _make_role(shadow: Shadow) -> None:
    role, password = sql.Identifier(shadow.role), sql.Literal(shadow.password)
    commands = (
        sql.SQL("SET scram_iterations = 1"),  # the password is random; opening sessions is not free
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, password),
        sql.SQL("ALTER ROLE {} SET createrole_self_grant = 'set, inherit'").format(role),
        sql.SQL("ALTER ROLE {} SET temp_file_limit = '1GB'").format(role),
    )
    for command in commands:
        shadow.administrator.execute(command)


def _make_database(shadow: Shadow, name: str, template: str | None = None) -> None:
    shadow.server.create_database(name, template)
    database = sql.Identifier(name)
    owner = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(shadow.role))
    path = sql.Literal(f"{_extension_home(shadow.server)}:$system")
    extensions = sql.SQL("ALTER DATABASE {} SET extension_control_path = {}").format(database, path)
    shadow.administrator.execute(owner)
    shadow.administrator.execute(extensions)


def _drop_roles(administrator: Session, names: set[str]) -> None:
    """Drop roles with what they were given on the server itself."""
    if names:
        listed = sql.SQL(", ").join(map(sql.Identifier, sorted(names)))
        administrator.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(listed))
        administrator.execute(sql.SQL("DROP ROLE {}").format(listed))


def _roles(administrator: Session) -> set[str]:
    return {str(row[0]) for row in administrator.execute(_queries()["roles"])}


@contextmanager
def _administrator(server: EmbeddedServer) -> Iterator[Session]:
    session = connect(server.conninfo(), autocommit=True, limits=NO_LIMITS)
    try:
        yield session
    finally:
        session.close()


def look_again(session: Session) -> None:
    """Let a transaction see what another session has made of roles since it last looked.

    A server keeps in mind that a role was not there, and asks again when it locks something new.
    """
    with session.transaction(force_rollback=True):
        session.execute(_queries()["look_again"])


def stand_in_extensions() -> frozenset[str]:
    """Return the names of the extensions that small replacements stand in for."""
    folder = files("tradewright.review.prove") / "extensions"
    names = (entry.name for entry in folder.iterdir())
    return frozenset(name.removesuffix(".control") for name in names if name.endswith(".control"))


def _extension_home(server: EmbeddedServer) -> Path:
    """Write the stand-ins, and extensions made trusted, where the server finds them."""
    home = server.home / "stand-ins"
    folder = home / "extension"
    if folder.exists():
        return home
    folder.mkdir(mode=0o755, parents=True)
    home.chmod(0o755)
    for entry in (files("tradewright.review.prove") / "extensions").iterdir():
        (folder / entry.name).write_text(entry.read_text("utf-8"), "utf-8")
    installed = server.programs().parent / "share" / "extension"
    for name in TRUSTED:
        for path in installed.glob(f"{name}*"):
            shutil.copyfile(path, folder / path.name)
        control = folder / f"{name}.control"
        if control.exists():
            control.write_text(f"{control.read_text('utf-8')}\ntrusted = true\n", "utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
    return home


def _queries() -> dict[str, str]:
    return dict(load_queries("tradewright.review.prove"))
