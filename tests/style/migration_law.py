"""The laws of SQL in migrations, as checks on the syntax tree that PostgreSQL's parser gives.

Owns what can be read from the files alone; what needs a server is proved in tests/db. Each check
takes the name of a file and its statements and returns offences.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import postgast
from google.protobuf.message import Message

Statements = list[Any]
Check = Callable[[str, Statements], list[str]]

FORBIDDEN_TYPES = {
    "float4": "real",
    "float8": "double precision",
    "serial": "serial",
    "smallserial": "smallserial",
    "bigserial": "bigserial",
    "serial4": "serial",
    "serial8": "bigserial",
    "timestamp": "timestamp without time zone",
    "money": "money",
}
NAMED_CONSTRAINTS = {
    postgast.pg_query_pb2.CONSTR_CHECK: "CHECK",
    postgast.pg_query_pb2.CONSTR_PRIMARY: "PRIMARY KEY",
    postgast.pg_query_pb2.CONSTR_UNIQUE: "UNIQUE",
    postgast.pg_query_pb2.CONSTR_EXCLUSION: "EXCLUDE",
    postgast.pg_query_pb2.CONSTR_FOREIGN: "FOREIGN KEY",
}


def statements(sql: str) -> Statements:
    """Parse SQL into the messages of its statements."""
    return [statement.stmt for statement in postgast.parse(sql).stmts]


def read_migrations(folder: Path) -> dict[str, Statements]:
    """Parse every up migration of a folder, by file name."""
    files = sorted(path for path in folder.glob("*.sql") if not path.name.endswith(".down.sql"))
    return {path.name: statements(path.read_text(encoding="utf-8")) for path in files}


def find(messages: Iterable[Message], kind: str) -> Iterator[Any]:
    """Yield every message called `kind` inside `messages`, at any depth."""
    for message in messages:
        if type(message).__name__ == kind:
            yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                repeated = not isinstance(value, Message)
                yield from find(value if repeated else [value], kind)


def unnamed_constraints(file: str, parsed: Statements) -> list[str]:
    """Find constraints whose name PostgreSQL would invent."""
    return [
        f"{file}: a {NAMED_CONSTRAINTS[constraint.contype]} has no name"
        for constraint in find(parsed, "Constraint")
        if constraint.contype in NAMED_CONSTRAINTS and not constraint.conname
    ]


def forbidden_types(file: str, parsed: Statements) -> list[str]:
    """Find floats, serials, timestamps without zone, money and varchar(n)."""
    names = [(name.names[-1].string.sval, name) for name in find(parsed, "TypeName") if name.names]
    named = [f"{file}: type {FORBIDDEN_TYPES[n]}" for n, _ in names if n in FORBIDDEN_TYPES]
    sized = [f"{file}: type varchar(n)" for n, node in names if n == "varchar" and node.typmods]
    return named + sized


def public_names(file: str, parsed: Statements) -> list[str]:
    """Find names qualified with `public`, in statements and in the bodies of functions."""
    relations = [r.relname for r in find(parsed, "RangeVar") if r.schemaname == "public"]
    dotted = [
        ".".join(part.string.sval for part in node_names)
        for kind, field in (("TypeName", "names"), ("FuncCall", "funcname"))
        for node_names in (getattr(node, field) for node in find(parsed, kind))
        if len(node_names) > 1 and node_names[0].string.sval == "public"
    ]
    functions = [
        f.funcname[-1].string.sval
        for f in find(parsed, "CreateFunctionStmt")
        if len(f.funcname) > 1 and f.funcname[0].string.sval == "public"
    ]
    bodies = [text for text in _texts(parsed) if re.search(r"\bpublic\s*\.", text)]
    return [
        *(f"{file}: public.{name}" for name in relations + functions),
        *(f"{file}: {name}" for name in dotted),
        *(f"{file}: a body says public.: {' '.join(body.split())[:50]}" for body in bodies),
    ]


def _texts(parsed: Statements) -> list[str]:
    definitions = [node for node in find(parsed, "DefElem") if node.defname == "as"]
    return [text.sval for text in find([*definitions, *find(parsed, "DoStmt")], "String")]


def misnamed_indexes(file: str, parsed: Statements) -> list[str]:
    """Find indexes not called idx_<table>_<columns>.

    The first column must stand there, its `_id` may be left out; the words after it are free,
    because the founding document's own names shorten them (idx_balance_ledger_user_time).
    """
    offences = []
    for index in find(parsed, "IndexStmt"):
        first = index.index_params[0].index_elem.name
        stem = "_".join(filter(None, ["idx", index.relation.relname, first.removesuffix("_id")]))
        if not re.fullmatch(rf"{re.escape(stem)}(_\w+)?", index.idxname):
            offences.append(f'{file}: index "{index.idxname}" should begin with "{stem}"')
    return offences


def uncommented_tables(migrations: dict[str, Statements]) -> list[str]:
    """Find tables without COMMENT ON TABLE in any migration; partitions speak by their parent."""
    commented = {
        comment.object.list.items[-1].string.sval
        for parsed in migrations.values()
        for comment in find(parsed, "CommentStmt")
        if comment.objtype == postgast.pg_query_pb2.OBJECT_TABLE
    }
    return [
        f"{file}: table {table.relation.relname} has no COMMENT ON TABLE"
        for file, parsed in migrations.items()
        for table in find(parsed, "CreateStmt")
        if table.relation.relname not in commented
        and not table.HasField("partbound")
        and table.relation.relpersistence != "t"
    ]


def without_down(folder: Path) -> list[str]:
    """Find migrations that have no .down.sql, and downs that belong to none."""
    names = {path.name for path in folder.glob("*.sql")}
    ups = {name for name in names if not name.endswith(".down.sql")}
    downs = names - ups
    return [
        *(
            f"{up}: no down"
            for up in sorted(ups)
            if f"{up.removesuffix('.sql')}.down.sql" not in downs
        ),
        *(f"{d}: no up" for d in sorted(downs) if f"{d.removesuffix('.down.sql')}.sql" not in ups),
    ]
