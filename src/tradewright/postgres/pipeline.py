"""Send the statements of a transaction one behind the other, and wait for their answers together.

psycopg's own pipeline can send any statement with any values, and pays for that generality with
each one. The statements of a batch are few, and every parameter is a column of rows whose type
stands beside it in the statement (`%(ids)s::uuid[]`); so each statement is prepared once for a
session, each column is written in the form that suits its type (`arrays`), and libpq gets both as
they are. A transaction waits for the server when its first rows are asked for, and at its commit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from select import POLLIN, POLLOUT, poll
from typing import Any, Protocol

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from tradewright.postgres.arrays import Column, Encoder, encoder_of
from tradewright.postgres.connect import Session

_PLACEHOLDER = re.compile(r"%\((\w+)\)s::(\w+\[\])")
STALE_STATES = frozenset({"26000", "0A000"})
"""The server knows a prepared statement no more, or not with these columns: prepare it again."""

_NUMBERS = count(1)
_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE})

Columns = Mapping[str, Column]
"""The parameters of a set-based statement by name; a column has one value for each row."""


class Rows(Protocol):
    """What a statement has answered, or will have."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        ...


class Statements(Protocol):
    """Whatever runs statements: a session, or a pipeline on one."""

    def execute(self, query: str, columns: Columns, /) -> Rows:
        """Send one statement."""
        ...


class Pipeline:
    """One session as a pipeline; the session must not be used otherwise inside a transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._libpq = session.pgconn
        self._poll = poll()
        self._prepared: dict[str, _Prepared] = {}
        self._waiting: list[_Pending] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run one transaction: committed when the block ends, rolled back when it raises.

        Raises:
            psycopg.Error: what the server refused, from the first statement that failed.

        """
        self._libpq.enter_pipeline_mode()
        try:
            self._send_plain(b"BEGIN")
            yield
            self._commit()
            self._libpq.exit_pipeline_mode()
        except BaseException as error:
            self._abandon(error)
            raise

    def execute(self, query: str, columns: Columns, /) -> "_Pending":
        """Send a statement whose placeholders are `%(name)s::type[]`; its rows may come later."""
        prepared = self._prepared.get(query) or self._prepare(query)
        values = [encode(columns[name]) for name, encode in prepared.parameters]
        self._libpq.send_query_prepared(prepared.name, values, prepared.formats)
        return self._expect()

    def receive(self) -> None:
        """Wait until everything that was sent has been answered.

        Raises:
            psycopg.Error: the answer of the first statement that failed.

        """
        failed = [result for result in self._collect() if result.status in _FAILED]
        if failed:
            raise error_from_result(failed[0])

    def _collect(self) -> list[pq.abc.PGresult]:
        """Wait until everything that was sent has its answer, refused or not."""
        self._libpq.pipeline_sync()
        results = self._results()
        for pending, result in zip(self._waiting, results, strict=True):
            pending.result = result
        self._waiting = []
        return results

    def _commit(self) -> None:
        """Commit; a transaction that was refused before answers ROLLBACK, and not with an error."""
        committed = self._send_plain(b"COMMIT")
        self.receive()
        if committed.result is None or committed.result.command_status != b"COMMIT":
            raise AssertionError("a refusal of the server was passed over before the commit")

    def _results(self) -> list[pq.abc.PGresult]:
        """Flush, and read up to the answer of the sync that was sent last."""
        libpq = self._libpq
        results: list[pq.abc.PGresult] = []
        self._poll.register(libpq.socket, POLLIN | POLLOUT)
        is_flushed = False
        while True:
            if not is_flushed:
                is_flushed = libpq.flush() == 0
                self._poll.modify(libpq.socket, POLLIN if is_flushed else POLLIN | POLLOUT)
            self._poll.poll()
            libpq.consume_input()
            while not libpq.is_busy():
                result = libpq.get_result()
                if result is None:
                    continue
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)

    def _send_plain(self, statement: bytes) -> "_Pending":
        self._libpq.send_query_params(statement, None)
        return self._expect()

    def _prepare(self, query: str) -> "_Prepared":
        types: dict[str, str] = dict(_PLACEHOLDER.findall(query))
        numbers = {name: number for number, name in enumerate(types, 1)}
        statement = _PLACEHOLDER.sub(lambda found: f"${numbers[found[1]]}::{found[2]}", query)
        encoders = [encoder_of(array_type) for array_type in types.values()]
        name = f"tradewright_{next(_NUMBERS)}".encode()
        self._libpq.send_prepare(name, statement.encode())
        prepared = _Prepared(
            name=name,
            parameters=list(zip(types, [encoder for encoder, _ in encoders], strict=True)),
            formats=[form for _, form in encoders],
            answer=self._expect(),
        )
        self._prepared[query] = prepared
        return prepared

    def _expect(self) -> "_Pending":
        pending = _Pending(self)
        self._waiting.append(pending)
        return pending

    def _abandon(self, error: BaseException) -> None:
        """Leave the transaction: read what is still under way, and roll back.

        A statement whose preparation was skipped or refused is not known to the server and is
        prepared anew when it is wanted again; so are all when the server has forgotten them. A
        session that cannot be brought back to rest is closed.
        """
        try:
            if self._waiting:
                self._collect()
            self._send_plain(b"ROLLBACK")
            self._collect()
            self._libpq.exit_pipeline_mode()
        except BaseException as second:
            self._waiting = []
            self._session.close()
            if not isinstance(second, psycopg.Error):
                raise
        is_forgotten = isinstance(error, psycopg.Error) and error.sqlstate in STALE_STATES
        self._prepared = {
            query: one for query, one in self._prepared.items() if one.is_known and not is_forgotten
        }


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as the server knows it, and how its parameters are written, in their order."""

    name: bytes
    parameters: Sequence[tuple[str, Encoder]]
    formats: Sequence[pq.Format]
    answer: "_Pending"

    @property
    def is_known(self) -> bool:
        """Return whether the server has taken it; it stays when its transaction is rolled back."""
        result = self.answer.result
        return result is not None and result.status == pq.ExecStatus.COMMAND_OK


class _Pending:
    """The answer to one statement, once it is there."""

    __slots__ = ("_pipeline", "result")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.result: pq.abc.PGresult | None = None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows, waiting for them if need be.

        Raises:
            psycopg.Error: what the server refused.

        """
        if self.result is None:
            self._pipeline.receive()
        if self.result is None:
            raise AssertionError("everything sent has been received")
        transformer = Transformer()
        transformer.set_pgresult(self.result)
        return transformer.load_rows(0, self.result.ntuples, tuple)
