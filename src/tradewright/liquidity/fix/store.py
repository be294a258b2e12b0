"""Where FIX sessions are kept: in PostgreSQL for orders, in memory for prices.

A session of orders must know after a crash what it may have sent and what it has taken; one of
prices begins anew with each connection, and its messages are old before they could be kept.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psycopg

from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.fix.actions import Keep, Reset, Send
from tradewright.liquidity.fix.application import ID_LENGTH_MAX
from tradewright.liquidity.fix.codec import Message, decode, encode
from tradewright.liquidity.fix.corrections import read_correction
from tradewright.liquidity.fix.session import Identity
from tradewright.postgres import session_locks
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.session_locks import Holder, SessionLock

_QUERIES = "tradewright.liquidity.fix"

_SECRETS = frozenset({554, 925})
"""Password and NewPassword."""

SessionOpener = Callable[[], AbstractContextManager[Session]]


@dataclass(slots=True)
class MemoryStore:
    """Numbers of a session that begins anew with each connection."""

    _next_in: int = 1
    _next_out: int = 1

    def numbers(self) -> tuple[int, int]:
        """Return the number expected next, and the number to be sent next."""
        return self._next_in, self._next_out

    def write(self, actions: Sequence[Keep | Send | Reset]) -> None:
        """Follow the numbers; the messages themselves are forgotten."""
        for action in actions:
            if isinstance(action, Reset):
                self._next_in = self._next_out = 1
            elif isinstance(action, Keep):
                self._next_in = action.next_in
            else:
                self._next_out = action.seq + 1

    def sent(self, begin: int, end: int) -> dict[int, Message]:  # noqa: ARG002
        """Return nothing: what was asked of a provider of prices is asked anew."""
        return {}


@dataclass(slots=True)
class PostgresStore:
    """A session in fix_sessions and fix_messages, append-only, through a session of its own."""

    open_session: SessionOpener
    provider_id: str
    identity: Identity
    _session: Session | None = None
    _manager: AbstractContextManager[Session] | None = None
    _session_id: str | None = field(default=None)

    def numbers(self) -> tuple[int, int]:
        """Return the number expected next, and the number to be sent next."""
        with self.connected().transaction():
            query = load_queries(_QUERIES)["numbers"]
            row = self.connected().execute(query, {"id": self._numbering()}).fetchone()
        if row is None:
            raise AssertionError("an aggregate gives a row")
        return row[0], row[1]

    def write(self, actions: Sequence[Keep | Send | Reset]) -> None:
        """Keep messages in one transaction; a reset begins a new numbering."""
        connection = self.connected()
        try:
            with connection.transaction():
                self._write(connection, actions)
        except psycopg.Error:
            self._session_id = None
            raise

    def sent(self, begin: int, end: int) -> dict[int, Message]:
        """Return what was sent under some numbers of this numbering."""
        parameters = {"id": self._numbering(), "begin": begin, "end": end}
        rows = self.connected().execute(load_queries(_QUERIES)["sent"], parameters).fetchall()
        read = {seq: decode(raw.encode()) for seq, raw in rows}
        return {seq: message for seq, message in read.items() if message is not None}

    def connected(self) -> Session:
        """Return the store's session, opened when there is none or it was lost.

        Raises:
            StateError: PROVIDER_SESSION_TAKEN, when another process has the FIX session.

        """
        if self._session is None or self._session.closed:
            self._manager = self.open_session()
            session = self._manager.__enter__()
            try:
                self._require_ours(session)
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session

    def _require_ours(self, session: Session) -> None:
        """Hold the FIX session by a lock that ends with the store's session."""
        name = f"fix/{self.provider_id}/{self.identity.sender}/{self.identity.target}"
        lock = SessionLock(name=name, table="fix_messages")
        with session.transaction():
            session.execute(load_queries(_QUERIES)["take_turn"], {"locked": name})
            if session_locks.try_lock(session, lock) is None:
                raise _session_taken(self.identity, session_locks.holders(session, lock))

    def close(self) -> None:
        """Close the store's session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _write(self, connection: Session, actions: Sequence[Keep | Send | Reset]) -> None:
        rows: list[Keep | Send] = []
        for action in actions:
            if isinstance(action, Reset):
                self._keep(connection, rows)
                rows = []
                self._begin(connection)
            else:
                rows.append(action)
        self._keep(connection, rows)

    def _numbering(self) -> str:
        """Return the id of the numbering in force; the first one begins here."""
        if self._session_id is None:
            query = load_queries(_QUERIES)["numbering"]
            row = self.connected().execute(query, self._names()).fetchone()
            if row is None:
                return self._begin(self.connected())
            self._session_id = str(row[0])
        return self._session_id

    def _begin(self, connection: Session) -> str:
        row = connection.execute(load_queries(_QUERIES)["begin"], self._names()).fetchone()
        if row is None:
            raise AssertionError("INSERT ... RETURNING gives a row")
        self._session_id = str(row[0])
        return self._session_id

    def _names(self) -> dict[str, str]:
        return {
            "provider_id": self.provider_id,
            "sender": self.identity.sender,
            "target": self.identity.target,
        }

    def _keep(self, connection: Session, rows: Sequence[Keep | Send]) -> None:
        if not rows:
            return
        raws = [_raw(row.message) for row in rows]
        connection.execute(
            load_queries(_QUERIES)["keep"],
            {
                "id": self._numbering(),
                "directions": ["in" if isinstance(row, Keep) else "out" for row in rows],
                "seqs": [row.seq for row in rows],
                "nexts": [row.next_in if isinstance(row, Keep) else row.seq + 1 for row in rows],
                "kinds": [row.message.kind for row in rows],
                "requests": [_request(row.message) for row in rows],
                "executions": [_execution(row) for row in rows],
                "raws": raws,
            },
        )
        self._keep_corrections(connection, rows)

    def _keep_corrections(self, connection: Session, rows: Sequence[Keep | Send]) -> None:
        """Keep busts and corrections for people, in the transaction that keeps their message."""
        read = [read_correction(row.message) for row in rows if isinstance(row, Keep)]
        told = [each for each in read if each is not None]
        if not told:
            return
        connection.execute(
            load_queries(_QUERIES)["keep_corrections"],
            {
                "provider_id": self.provider_id,
                "kinds": [each.kind for each in told],
                "executions": [each.execution_id for each in told],
                "references": [each.refers_to for each in told],
                "requests": [each.request_id for each in told],
                "symbols": [each.symbol for each in told],
                "quantities": [each.quantity for each in told],
                "prices": [each.price for each in told],
                "told": [each.told_at for each in told],
            },
        )


def _session_taken(identity: Identity, holders: Sequence[Holder]) -> StateError:
    now = [f"{each.application} from {each.address}, process {each.pid}" for each in holders]
    return StateError(
        ErrorCode.PROVIDER_SESSION_TAKEN,
        f'the FIX session of "{identity.sender}" with "{identity.target}" is open elsewhere',
        why="A session has one numbering, so one process speaks on it: "
        f"now {', '.join(now) or 'one that has just ended'}.",
        hint="Stop the engine that has it, or let this one call with CompIDs of its own.",
        facts={
            "sender": identity.sender,
            "target": identity.target,
            "pids": [each.pid for each in holders],
        },
    )


def _raw(message: Message) -> str:
    """Return a message as it is kept: without the password of a logon, which is never resent."""
    fields = [(tag, "*" if tag in _SECRETS else value) for tag, value in message.fields]
    return encode(message.kind, fields).decode()


def _request(message: Message) -> str | None:
    """Return the request that a message is about; ours have names that an index can hold."""
    told = message.get(41) or message.get(11)
    return None if told is None or len(told) > ID_LENGTH_MAX else told


def _execution(row: Keep | Send) -> str | None:
    """Return the id of a received execution that dealt something."""
    message = row.message
    if message.kind != "8" or message.get(150) not in ("F", "1", "2"):
        return None
    told = message.text(17)
    return told if 0 < len(told) <= ID_LENGTH_MAX else None
