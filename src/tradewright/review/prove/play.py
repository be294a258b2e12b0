"""Running a file's statements as its runner would: which transaction each one is in.

Inside a transaction every statement has a savepoint, so that one refusal does not undo the rest.
BEGIN and COMMIT of the file itself are not sent: they only say where a transaction begins. Nor is
COPY from or to the client, of which there is none.
"""

from collections.abc import Sequence

import psycopg

from tradewright.postgres.connect import Session
from tradewright.review.prove.model import ServerWord
from tradewright.review.rule import Context
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction

REFUSED_BY_PARSER = "refusal"


def pieces_of(reading: Reading) -> list[Statement]:
    """Return what the runner would send: the statements, and what no parser accepts, in order."""
    broken = [
        Statement(reading.source, REFUSED_BY_PARSER, "", refusal.broken.start, refusal.broken.end)
        for refusal in reading.refusals
    ]
    whole = [statement for statement in reading.statements if not statement.repaired]
    return sorted([*whole, *broken], key=lambda statement: statement.start)


def talks_to_client(statement: Statement) -> bool:
    """Return whether a statement waits for rows from its client, or gives it some: COPY does."""
    return statement.kind == "CopyStmt" and not statement.node.get("filename")


class Player:
    """Sends statements on one session; `finish` ends the transaction that may be open."""

    def __init__(self, session: Session, context: Context) -> None:
        self.session = session
        self._context = context
        self._is_open = False

    def step(self, statement: Statement) -> None:
        """Send one statement, in the transaction that its file gives it.

        Raises:
            psycopg.Error: the server refused it; what ran before stands.

        """
        if statement.kind == "TransactionStmt":
            self._control(str(statement.node.get("kind")))
        elif not talks_to_client(statement):
            self._send(statement)

    def _send(self, statement: Statement) -> None:
        inside = bool(in_transaction(self._context, statement))
        if inside is not self._is_open:
            self.session.execute("BEGIN" if inside else "COMMIT")
            self._is_open = inside
        if not inside:
            self.session.execute(statement.text.encode())
            return
        self.session.execute("SAVEPOINT tradewright_step")
        try:
            self.session.execute(statement.text.encode())
            self.session.execute("RELEASE tradewright_step")
        except psycopg.Error:
            if not self.session.closed:
                self.session.execute("ROLLBACK TO tradewright_step")
            raise

    def finish(self, *, keep: bool = True) -> None:
        """Commit, or roll back, what is open."""
        if self._is_open and not self.session.closed:
            self._is_open = False
            self.session.execute("COMMIT" if keep else "ROLLBACK")

    @property
    def is_open(self) -> bool:
        """Return whether a transaction is open."""
        return self._is_open

    def _control(self, kind: str) -> None:
        if kind == "TRANS_STMT_ROLLBACK":
            self.finish(keep=False)


def replay(session: Session, statements: Sequence[Statement], context: Context) -> Player:
    """Send statements one after another and leave the last transaction open.

    Raises:
        StepRefused: with the statement that the server refused; all is rolled back.

    """
    player = Player(session, context)
    for statement in statements:
        try:
            player.step(statement)
        except psycopg.Error as error:
            if not session.closed:
                player.finish(keep=False)
            raise StepRefused(statement, error) from error
    return player


class StepRefused(Exception):  # noqa: N818 - never seen outside the proof
    """A statement that the server refused while a file was sent as a whole."""

    def __init__(self, statement: Statement, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.statement = statement
        self.error = error


def word_of(error: psycopg.Error) -> ServerWord:
    """Return what the server said; a lost session has no code."""
    message = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return ServerWord(
        sqlstate=error.sqlstate or "",
        message=message,
        detail=error.diag.message_detail or "",
        hint=error.diag.message_hint or "",
    )


def offset_of(statement: Statement, error: psycopg.Error) -> int:
    """Return the byte of the file at which the server stopped reading, else the statement's."""
    position = error.diag.statement_position
    if not position:
        return statement.start
    before = statement.text[: int(position) - 1]
    return statement.start + len(before.encode("utf-8", "replace"))
