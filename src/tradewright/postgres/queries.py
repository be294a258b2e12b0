"""Named queries: the SQL of a room lives in its `queries.sql`, not in Python strings.

A query is a comment `-- name: <snake_case>`, one comment line with its purpose, then one
statement closed by a semicolon. Placeholders are psycopg's (`%(name)s`). What several queries of a
file share is a fragment, `-- fragment: <snake_case>` with its purpose and no semicolon, which takes
the place of each line `-- use: <its name>`, a comma behind it stays; the server sees whole
statements.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from tradewright.core.errors import ErrorCode, InternalError

_HEAD = re.compile(r"^-- (name|fragment):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_USE = re.compile(r"^[ \t]*-- use:[ \t]*(.*?)(,?)[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@cache
def load_queries(package: str) -> Mapping[str, str]:
    """Return the queries of `package` (its dotted name) by name, without their semicolons.

    Raises:
        InternalError: INTERNAL_QUERY_FILE_MALFORMED for a bad or repeated name, a missing purpose
            line, a statement without its semicolon, or a fragment that is unknown or unused.

    """
    return read_queries(files(package).joinpath("queries.sql").read_text(encoding="utf-8"), package)


def read_queries(text: str, origin: str) -> Mapping[str, str]:
    """Return the queries of a text by name; `origin` is where errors say that it stands.

    Raises:
        InternalError: INTERNAL_QUERY_FILE_MALFORMED as `load_queries`.

    """
    parts = _HEAD.split(text)
    found: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    for kind, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if not _NAME.fullmatch(name):
            raise _malformed(origin, name, "A name is snake_case.")
        if name in found["name"] or name in found["fragment"]:
            raise _malformed(origin, name, "The name is used twice.")
        found[kind][name] = _body(origin, name, body)
    queries, fragments = found["name"], found["fragment"]
    unused = fragments.keys() - {
        used for body in queries.values() for used, _ in _USE.findall(body)
    }
    if unused:
        raise _malformed(origin, min(unused), "No query uses the fragment.")
    return MappingProxyType(
        {name: _statement(origin, name, body, fragments) for name, body in queries.items()}
    )


def _body(origin: str, name: str, text: str) -> str:
    """Return what stands below a name and its purpose."""
    purpose, _, body = text.strip().partition("\n")
    if not re.fullmatch(r"-- \S.*\.", purpose):
        raise _malformed(origin, name, "The line after the name must be '-- <purpose>.'")
    return body.strip("\n")


def _statement(origin: str, name: str, body: str, fragments: Mapping[str, str]) -> str:
    """Return a query with its fragments, without its semicolon."""

    def text_of(use: re.Match[str]) -> str:
        if use[1] not in fragments:
            raise _malformed(origin, name, f"There is no fragment '{use[1]}' in the file.")
        return fragments[use[1]] + use[2]

    statement = _USE.sub(text_of, body).strip()
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
