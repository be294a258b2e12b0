"""The table of history; the only SQL of the runner itself.

Every name is qualified with the schema, because a migration may set any search_path.
"""

from typing import Any

from psycopg import sql
from psycopg.rows import kwargs_row

from tradewright.migrate.model import Direction, HistoryRow
from tradewright.migrate.versions import Version, stored_version
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.session_locks import SessionLock

_HISTORY = "schema_migrations"


class Store:
    """The history of one schema; sessions and transactions are the caller's."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._quoted = sql.Identifier(schema)

    def session_lock(self, name: str) -> SessionLock:
        """Return what only one who may write this history may hold."""
        return SessionLock(name=f"migrate/{name}", table=_HISTORY, schema=self.schema)

    def prepare(self, session: Session) -> None:
        """Make schema and table where they are missing."""
        if not self._value(session, "schema_exists", schema=self._quoted.as_string(session)):
            self._run(session, "create_schema")
        if not self.exists(session):
            self._run(session, "create_history")
            self._run(session, "comment_history")
        elif self._value(session, "versions_are_whole", table=self._table(session)):
            self._run(session, "widen_versions")

    def exists(self, session: Session) -> bool:
        """Tell whether the table of history is there."""
        return bool(self._value(session, "history_exists", table=self._table(session)))

    def _table(self, session: Session) -> str:
        return sql.Identifier(self.schema, _HISTORY).as_string(session)

    def rows(self, session: Session) -> list[HistoryRow]:
        """Return the history, lowest version first; none when there is no table yet."""
        if not self.exists(session):
            return []
        with session.cursor(row_factory=kwargs_row(_history_row)) as cursor:
            cursor.execute(self.query("history"))
            return cursor.fetchall()

    def begin_file(self, session: Session, direction: Direction, **facts: object) -> None:
        """Record that a file begins; see the query for the facts."""
        self._run(session, "begin_file", direction=direction.value, **facts)

    def resume_file(self, session: Session, *, version: Version, checksum: str, total: int) -> None:
        """Record the text of a file that goes on where it stopped."""
        self._run(session, "resume_file", version=version, checksum=checksum, total=total)

    def start_statement(self, session: Session, *, version: Version, started: int | None) -> None:
        """Record that statement `started` begins outside a transaction; None when it failed."""
        self._run(session, "start_statement", version=version, started=started)

    def finish_statement(
        self,
        session: Session,
        *,
        version: Version,
        done: int,
        done_checksum: str,
    ) -> None:
        """Record that the first `done` statements of the file are done."""
        self._run(
            session,
            "finish_statement",
            version=version,
            done=done,
            done_checksum=done_checksum,
        )

    def finish_file(self, session: Session, *, version: Version, execution_ms: int | None) -> None:
        """Record that the file is applied; a baseline took no time."""
        self._run(session, "finish_file", version=version, execution_ms=execution_ms)

    def forget_file(self, session: Session, *, version: Version) -> None:
        """Remove the row of a file that was rolled back."""
        self._run(session, "forget_file", version=version)

    def forget_repeatables(self, session: Session) -> None:
        """Remove the rows of repeatable migrations, so that they run again."""
        self._run(session, "forget_repeatables")

    def backend_pid(self, session: Session) -> int:
        """Return the server process that answers this session just now."""
        return int(self._value(session, "backend_pid"))

    def index_on_table(
        self,
        session: Session,
        *,
        table: str,
        index: str,
    ) -> tuple[str, bool] | None:
        """Return the qualified name and the validity of an index; names are quoted SQL names."""
        facts = {"table": table, "index": index}
        row = session.execute(self.query("index_on_table"), facts).fetchone()
        return None if row is None else (row[0], row[1])

    def relation_exists(self, session: Session, relation: str) -> bool:
        """Tell whether a relation of this quoted SQL name is there."""
        return bool(self._value(session, "relation_exists", relation=relation))

    def detach_pending(self, session: Session, *, parent: str, partition: str) -> bool | None:
        """Return whether a detach waits to be finished; None when nothing is attached."""
        facts = {"parent": parent, "partition": partition}
        row = session.execute(self.query("detach_state"), facts).fetchone()
        return None if row is None else bool(row[0])

    def interrupted_rebuilds(self, session: Session, relation: str) -> list[str]:
        """Return what an interrupted REINDEX CONCURRENTLY left behind, as quoted SQL names."""
        rows = session.execute(self.query("interrupted_rebuilds"), {"relation": relation})
        return [str(row[0]) for row in rows]

    def watch_client(self, session: Session) -> None:
        """Let the server notice within a second that this session's client has vanished."""
        self._run(session, "watch_client")

    def set_lock_timeout(self, session: Session, value: str) -> str:
        """Set how long the session waits for a lock; return what it was."""
        return str(self._value(session, "set_lock_timeout", value=value))

    def accept_file(self, session: Session, *, version: Version, checksum: str, total: int) -> None:
        """Record that an applied file reads otherwise now, and that this is right."""
        self._run(session, "accept_file", version=version, checksum=checksum, total=total)

    def invalid_indexes(self, session: Session) -> list[tuple[str, bool]]:
        """Return the INVALID indexes of the schema, and whether a rebuild left them behind."""
        rows = session.execute(self.query("invalid_indexes"), {"schema": self.schema})
        return [(row[0], row[1]) for row in rows]

    def pending_detaches(self, session: Session) -> list[tuple[str, str]]:
        """Return parent and partition of each interrupted detach."""
        rows = session.execute(self.query("pending_detaches"), {"schema": self.schema})
        return [(row[0], row[1]) for row in rows]

    def role_names(self, session: Session) -> list[str]:
        """Return the roles that somebody made."""
        return [str(row[0]) for row in session.execute(self.query("role_names"), {})]

    def relation_sizes(self, session: Session) -> dict[str, int]:
        """Return the bytes of each table and index, by its qualified quoted name."""
        return {row[0]: row[1] for row in session.execute(self.query("relation_sizes"), {})}

    def relations(self, session: Session) -> list[tuple[int, str, int, int]]:
        """Return each relation's id, qualified name, file node and scans in this transaction."""
        rows = session.execute(self.query("relations"), {"schema": self.schema})
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def locks_held(self, session: Session) -> list[tuple[int, str]]:
        """Return the relation ids and modes of the locks that the session holds."""
        return [(row[0], row[1]) for row in session.execute(self.query("locks_held"))]

    def relation_name(self, session: Session, relation: str) -> str | None:
        """Return the qualified quoted name of what `relation` names here."""
        found = self._value(session, "relation_name", relation=relation)
        return None if found is None else str(found)

    def query(self, name: str) -> sql.Composed:
        """Return a query of this room, its schema filled in."""
        text = load_queries("tradewright.migrate")[name]
        return sql.SQL(text).format(schema=self._quoted)

    def _run(self, session: Session, query: str, /, **facts: object) -> None:
        session.execute(self.query(query), facts or None)

    def _value(self, session: Session, query: str, /, **facts: object) -> Any:
        row = session.execute(self.query(query), facts or None).fetchone()
        return None if row is None else row[0]


def _history_row(**values: Any) -> HistoryRow:
    version, direction = stored_version(values["version"]), Direction(values["direction"])
    return HistoryRow(**{**values, "version": version, "direction": direction})
