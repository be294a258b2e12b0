"""What a statement did to the tables that stood before its file: rewritten, or shut to everybody.

Nothing is guessed from the text: a rewritten table is stored in another file than before, and the
locks are those that the session holds.
"""

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.review.prove.model import Fact, Locked, Rewritten
from tradewright.review.source.text import Statement

_HARMLESS = frozenset(
    {
        "CommentStmt",
        "CreateFunctionStmt",
        "GrantStmt",
        "InsertStmt",
        "SelectStmt",
        "VariableSetStmt",
        "ViewStmt",
    }
)
_REPLACED = frozenset({"TruncateStmt", "RefreshMatViewStmt"})
"""Statements that throw the old rows away, which is no rewrite."""


class Watch:
    """Compares the tables before and after each statement of one file."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._queries = load_queries("tradewright.review.prove")
        rows = self._tables()
        self._old = {oid: name for oid, (name, _) in rows.items()}
        self._stored = {oid: node for oid, (_, node) in rows.items()}
        self._locked: Locked | None = None

    def seen(self, statement: Statement, *, in_transaction: bool) -> list[Fact]:
        """Return what a statement that has just run did; locks are told once for a file."""
        if not self._old or statement.kind in _HARMLESS:
            return []
        facts: list[Fact] = []
        rewritten = self._rewritten()
        if rewritten and statement.kind not in _REPLACED:
            facts.append(Rewritten(statement=statement, tables=rewritten))
        locked = self._newly_locked() if in_transaction else ()
        if locked and self._locked is None:
            self._locked = Locked(statement=statement, tables=locked)
            facts.append(self._locked)
        elif locked and self._locked is not None:
            self._locked.tables = tuple(sorted({*self._locked.tables, *locked}))
        return facts

    def _rewritten(self) -> tuple[str, ...]:
        now = {oid: node for oid, (_, node) in self._tables().items()}
        names = {
            name
            for oid, name in self._old.items()
            if oid in now and now[oid] != self._stored.get(oid)
        }
        self._stored = now
        return tuple(sorted(names))

    def _newly_locked(self) -> tuple[str, ...]:
        held = {row[0] for row in self._session.execute(self._queries["locks_held"], {})}
        return tuple(sorted(self._old[oid] for oid in held if oid in self._old))

    def _tables(self) -> dict[int, tuple[str, int]]:
        rows = self._session.execute(self._queries["stored_tables"], {})
        return {oid: (name, node) for oid, name, node in rows}
