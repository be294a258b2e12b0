"""Trying the bodies of routines without running them.

CREATE FUNCTION checks little more than the spelling of a body: a column that is not there, or a
text compared with a uuid, is found when the routine is called. So each query and expression of a
body is prepared on the shadow, with the routine's variables as parameters of their types.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg

from tradewright.postgres.connect import Session
from tradewright.review.schema.tree import find, strings, walk
from tradewright.review.source.parser import Node, ParseError, decode, parse, plpgsql_tree
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement

_PREPARED = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_STATEMENT, _ASSIGNMENT = 0, 3
_WRONG = ("42", "22")
"""Classes of SQLSTATE that say a query can never run: names and types, and constants."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One query of a routine with its variables turned into parameters."""

    statement: Statement
    sql: str


def probes_of(readings: Iterable[Reading]) -> Iterator[Probe]:
    """Yield what can be prepared of every routine in PL/pgSQL."""
    for reading in readings:
        for statement in reading.statements:
            if statement.kind == "CreateFunctionStmt" and not statement.repaired:
                yield from _of_routine(statement)


def _of_routine(statement: Statement) -> Iterator[Probe]:
    try:
        functions = plpgsql_tree(statement.text.encode())
    except ParseError:
        return
    for wrapped in functions:
        function = wrapped.get("PLpgSQL_function", {})
        variables, records = _variables(function.get("datums", ()))
        for expression in find(function.get("action", {}), "PLpgSQL_expr"):
            sql = _prepared(expression, variables, records)
            if sql:
                yield Probe(statement, sql)


def _variables(datums: Iterable[Node]) -> tuple[dict[str, str], set[str]]:
    """Return the variables with their types, and the names of records."""
    variables, records = {}, {"new", "old"}
    for kind, inside in walk(list(datums)):
        name = str(inside.get("refname", ""))
        if kind == "PLpgSQL_var":
            variables[name] = str(inside["datatype"]["PLpgSQL_type"].get("typname", ""))
        elif kind in {"PLpgSQL_rec", "PLpgSQL_row"}:
            records.add(name)
    return variables, records


def _prepared(expression: Node, variables: Mapping[str, str], records: set[str]) -> str:
    """Return a PREPARE of one query; empty where it cannot be prepared on its own."""
    query, mode = str(expression.get("query", "")), expression.get("parseMode", 0)
    if mode >= _ASSIGNMENT:
        query = query.partition("=")[2]
    text = query if mode == _STATEMENT else f"SELECT {query}"
    try:
        parsed = parse(text.encode())
    except ParseError:
        return ""
    if len(parsed) != 1 or parsed[0].kind not in _PREPARED:
        return ""
    node = parsed[0].node or decode(parsed[0].tree)
    return _with_parameters(text, node, variables, records)


def _with_parameters(text: str, node: Node, variables: Mapping[str, str], records: set[str]) -> str:
    data, used, places = text.encode(), list[str](), list[tuple[int, str]]()
    for reference in find(node, "ColumnRef"):
        names = strings(reference.get("fields"))
        if names and names[0] in records:
            return ""
        if len(names) == 1 and names[0] in variables:
            places.append((reference.get("location", 0), names[0]))
    for at, name in sorted(places, reverse=True):
        if name not in used:
            used.append(name)
        number = used.index(name) + 1
        data = data[:at] + f"${number}".encode() + data[at + len(name.encode()) :]
    types = ", ".join(variables[name] for name in used)
    if "%" in types or "" in (variables[name] for name in used):
        return ""
    return f"PREPARE tradewright_probe{f' ({types})' if used else ''} AS {data.decode()}"


def failures(session: Session, probes: Iterable[Probe]) -> Iterator[tuple[Statement, str]]:
    """Prepare every probe; yield the routine and the server's words where it cannot ever run."""
    for probe in probes:
        try:
            session.execute(probe.sql.encode())
            session.execute("DEALLOCATE tradewright_probe")
        except psycopg.Error as error:
            if (error.sqlstate or "").startswith(_WRONG):
                yield probe.statement, error.diag.message_primary or str(error)
