"""Named queries: the SQL of a room lives in its `queries.sql`, not in Python strings.

A query is a comment `-- name: <snake_case>`, one comment line with its purpose, then one
statement closed by a semicolon. Placeholders are psycopg's (`%(name)s`).
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from tradewright.core.errors import ErrorCode, InternalError

_NAME_LINE = re.compile(r"^-- name:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@cache
def load_queries(package: str) -> Mapping[str, str]:
    """Return the queries of `package` (its dotted name) by name, without their semicolons.

    Raises:
        InternalError: INTERNAL_QUERY_FILE_MALFORMED for a bad or repeated name, a missing purpose
            line, or a statement without its semicolon.

    """
    return read_queries(files(package).joinpath("queries.sql").read_text(encoding="utf-8"), package)


def read_queries(text: str, origin: str) -> Mapping[str, str]:
    """Return the queries of a text by name; `origin` is where errors say that it stands.

    Raises:
        InternalError: INTERNAL_QUERY_FILE_MALFORMED as `load_queries`.

    """
    parts = _NAME_LINE.split(text)
    queries: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if not _NAME.fullmatch(name):
            raise _malformed(origin, name, "A name is snake_case.")
        if name in queries:
            raise _malformed(origin, name, "The name is used twice.")
        queries[name] = _statement(origin, name, body)
    return MappingProxyType(queries)


def _statement(origin: str, name: str, body: str) -> str:
    purpose, _, statement = body.strip().partition("\n")
    if not re.fullmatch(r"-- \S.*\.", purpose):
        raise _malformed(origin, name, "The line after the name must be '-- <purpose>.'")
    statement = statement.strip()
    if not statement.endswith(";"):
        raise _malformed(origin, name, "The statement must end with a semicolon.")
    return statement[:-1].rstrip()


def _malformed(origin: str, name: str, why: str) -> InternalError:
    return InternalError(
        ErrorCode.INTERNAL_QUERY_FILE_MALFORMED,
        f"query '{name}' of {origin} is malformed",
        why=why,
        hint="Correct queries.sql in that package.",
        facts={"package": origin, "query": name},
    )
