"""Firing every trigger of the finished schema once for each command that it waits for.

A function's body is only looked at when it runs, so that a column it misses is found in production.
Here each trigger fires alone, on a made-up row, in a transaction that is rolled back. Only refusals
of class 42 count: a name or type that is not there. What a guard says on purpose does not. Names
without a schema are looked for in that of the table, then in all others: which of them the
application's sessions search is not known here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.review.prove.model import Home, TriggerFailed
from tradewright.review.prove.orphans import insert_row, isolate, quoted
from tradewright.review.prove.play import word_of
from tradewright.review.prove.rows import columns_of
from tradewright.review.schema.tree import range_name
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement

_OWN_MISTAKE = "42"
_NO_RIGHT = "42501"
_COMMANDS = {4: "INSERT", 16: "UPDATE", 8: "DELETE"}
"""Bit of pg_trigger.tgtype → the command that fires the trigger."""


@dataclass(frozen=True, slots=True)
class _Trigger:
    home: Home
    name: str
    bits: int


def fire_triggers(session: Session, readings: Iterable[Reading]) -> list[TriggerFailed]:
    """Fire every trigger and return those that fail by their own mistake."""
    places = _places(readings)
    rows = session.execute(_queries()["fired_triggers"]).fetchall()
    failed = []
    for schema, table, name, bits in rows:
        statement = places.get((table, name))
        trigger = _Trigger(Home(schema, table), name, bits)
        if statement is not None and not session.closed:
            failed += list(_failures(session, trigger, statement))
    return failed


def _failures(session: Session, trigger: _Trigger, statement: Statement) -> Iterator[TriggerFailed]:
    for bit, command in _COMMANDS.items():
        error = _fire(session, trigger, command) if trigger.bits & bit else None
        if error is not None and _is_own_mistake(error.sqlstate or ""):
            yield TriggerFailed(
                statement=statement,
                trigger=trigger.name,
                table=trigger.home.table,
                command=command,
                word=word_of(error),
            )
            return


def _is_own_mistake(sqlstate: str) -> bool:
    return sqlstate.startswith(_OWN_MISTAKE) and sqlstate != _NO_RIGHT


def _fire(session: Session, trigger: _Trigger, command: str) -> psycopg.Error | None:
    """Let one trigger meet one command on one row; return what the server said against it."""
    home = trigger.home
    try:
        with session.transaction(force_rollback=True):
            isolate(session, home)
            session.execute(_queries()["search_everywhere"], {"schema": home.schema})
            if command != "INSERT":
                insert_row(session, home, {})
            enable = sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}")
            session.execute(enable.format(quoted(home), sql.Identifier(trigger.name)))
            _send(session, home, command)
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return error
    return None


def _send(session: Session, home: Home, command: str) -> None:
    if command == "INSERT":
        insert_row(session, home, {})
    elif command == "DELETE":
        session.execute(sql.SQL("DELETE FROM {}").format(quoted(home)))
    else:
        columns = columns_of(session, home.schema, home.table)
        names = [sql.Identifier(column.name) for column in columns if not column.is_generated]
        same = sql.SQL(", ").join(sql.SQL("{0} = {0}").format(name) for name in names)
        session.execute(sql.SQL("UPDATE {} SET {}").format(quoted(home), same))


def _queries() -> Mapping[str, str]:
    return load_queries("tradewright.review.prove")


def _places(readings: Iterable[Reading]) -> dict[tuple[str, str], Statement]:
    """Return the statement that made each trigger, by table and name."""
    made = (s for r in readings for s in r.statements if s.kind == "CreateTrigStmt")
    return {(range_name(s.node.get("relation"))[1], str(s.node.get("trigname"))): s for s in made}
