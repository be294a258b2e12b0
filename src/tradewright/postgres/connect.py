"""Open sessions the way this house wants them: schema, time zone, deadlines, planner settings.

The settings are sent as one query after connecting and not as start-up options, because PgBouncer
refuses options; in session mode they then hold for the session. `pool` hands out many of these,
`retry` runs transactions on them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict, Unpack

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import set_json_loads

from tradewright.core.errors import DatabaseError, ErrorCode, InputError
from tradewright.postgres.queries import load_queries

SERVER_VERSION_MIN = 180000
DEFAULT_SCHEMA = "tradewright"

Session = psycopg.Connection[tuple[Any, ...]]
"""One session of the server; rows come back as tuples unless a cursor says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Deadlines that the server keeps for a session, in milliseconds; 0 means none."""

    lock_timeout_ms: int = 5_000
    idle_in_transaction_session_timeout_ms: int = 60_000
    transaction_timeout_ms: int = 60_000
    statement_timeout_ms: int = 0


DEFAULT_LIMITS = Limits()
PATIENT_LIMITS = Limits(transaction_timeout_ms=0)
"""For what reads or seals a whole record: the larger the house, the longer one statement takes."""

NO_LIMITS = Limits(
    lock_timeout_ms=0,
    idle_in_transaction_session_timeout_ms=0,
    transaction_timeout_ms=0,
)


class ConnectOptions(TypedDict, total=False):
    """What a caller may choose about a session."""

    schema: str
    autocommit: bool
    application_name: str
    connect_timeout_seconds: int
    limits: Limits
    writer: bool


def connect(conninfo: str, **options: Unpack[ConnectOptions]) -> Session:
    """Open one session.

    `schema` (default tradewright) becomes the search path, with pg_temp last so that a temporary
    table can never stand in for a real one. `writer=True` is for who writes batches: generic
    plans, no JIT, index-friendly costs, and guards that look a statement's rows up together
    (docs/decisions/007); a session of single calls pays more with it.

    Raises:
        InputError: INPUT_DATABASE_URL_MALFORMED when `conninfo` cannot be read.
        DatabaseError: DATABASE_UNREACHABLE or DATABASE_TOO_OLD.

    """
    parameters = connection_parameters(conninfo, options)
    try:
        connection = psycopg.connect(make_conninfo(**parameters), autocommit=True)
    except psycopg.OperationalError as error:
        raise unreachable(parameters, str(error)) from None
    try:
        prepare_session(connection, options)
    except BaseException:
        connection.close()
        raise
    return connection


def connection_parameters(conninfo: str, options: ConnectOptions) -> dict[str, Any]:
    """Return libpq's parameters for `conninfo`, with our time limits where it names none.

    The limits end a session whose server froze or vanished without a word; without them a client
    would wait for ever.
    """
    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise InputError(
            ErrorCode.INPUT_DATABASE_URL_MALFORMED,
            "the database URL cannot be read",
            why="It is not shown, because it may hold a password.",
            hint="Write it as postgresql://user:password@host:5432/database, with special "
            "characters percent-encoded.",
        ) from None
    ours = {
        "application_name": options.get("application_name", "tradewright"),
        "connect_timeout": str(options.get("connect_timeout_seconds", 10)),
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "60000",
    }
    return ours | {name: str(value) for name, value in given.items() if value is not None}


def prepare_session(connection: Session, options: ConnectOptions) -> None:
    """Check the server's version and apply the session's settings; leaves no open transaction."""
    _require_version(connection)
    settings = session_settings(options)
    connection.autocommit = True
    connection.execute(
        load_queries("tradewright.postgres")["apply_session_settings"],
        {"names": list(settings), "values": list(settings.values())},
    )
    set_json_loads(_exact, connection)
    connection.autocommit = options.get("autocommit", False)


def _exact(text: str | bytes) -> Any:
    """Read JSON with its numbers to the last digit; a float would lose some."""
    return json.loads(text, parse_float=Decimal)


def session_settings(options: ConnectOptions) -> Mapping[str, str]:
    """Return the server settings of a session, by name."""
    limits = options.get("limits", DEFAULT_LIMITS)
    schema = sql.Identifier(options.get("schema", DEFAULT_SCHEMA)).as_string(None)
    settings = {
        "search_path": f"{schema}, pg_temp",
        "timezone": "UTC",
        # What is read after a lock was waited for must be what is committed by then.
        "default_transaction_isolation": "read committed",
        "lock_timeout": str(limits.lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(limits.idle_in_transaction_session_timeout_ms),
        "transaction_timeout": str(limits.transaction_timeout_ms),
        "statement_timeout": str(limits.statement_timeout_ms),
    }
    if options.get("writer", False):
        settings |= {
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            "random_page_cost": "1.1",
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "tradewright.writes_batches": "on",
        }
    return settings


def unreachable(parameters: Mapping[str, Any], answer: str) -> DatabaseError:
    """Return the error for a server that gave no session, without any password in it."""
    given = str(parameters.get("host", "the local socket"))
    host = given.rpartition("@")[2]  # before it stands the end of a password with an @ in it
    place = f"{host}:{parameters['port']}" if "port" in parameters else host
    password = re.escape(str(parameters.get("password", "")))
    reason = answer.strip().replace(given, host)
    if password:
        reason = re.sub(rf"(?<!\w){password}(?!\w)", "********", reason)
    return DatabaseError(
        ErrorCode.DATABASE_UNREACHABLE,
        f"could not open a session on the database server at {place}",
        why=reason,
        hint="Check that the server runs and that host, port, database, user and password "
        "are right.",
        facts={"host": host, "database": parameters.get("dbname", "")},
    )


def _require_version(connection: Session) -> None:
    version = connection.info.server_version
    if version < SERVER_VERSION_MIN:
        raise DatabaseError(
            ErrorCode.DATABASE_TOO_OLD,
            f"the database server is PostgreSQL {version // 10000}, and 18 is the oldest supported",
            why="The schema uses uuidv7() and virtual columns, which came with PostgreSQL 18.",
            hint="Upgrade the server to PostgreSQL 18 or later.",
            facts={"server_version": version},
        )
