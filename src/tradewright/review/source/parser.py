"""The bridge to PostgreSQL's own parser, as plain dictionaries.

libpg_query ships inside the package `postgast`. Its JSON tree is read directly: decoding it
costs less than walking protobuf objects from Python, and importing the protobuf classes alone
would take as long as reading hundreds of files. The text is divided into statements before it is
decoded, and a statement is decoded when a rule first looks into it; until then, whether a kind of
node occurs in it is a search in its text. All offsets are bytes of UTF-8.
"""

import ctypes
import importlib.util
import json
import re
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tradewright.core.errors import ErrorCode, InternalError

LIBRARY_NAMES = {
    "linux": "libpg_query.so",
    "darwin": "libpg_query.dylib",
    "win32": "pg_query.dll",
}

Node = dict[str, Any]
"""One node of the parse tree; `{"CreateStmt": {...}}` wraps a node with its kind."""


class RawStatement(NamedTuple):
    """A parsed statement, the bytes it spans, and its tree: text, decoded only if it is long."""

    kind: str
    tree: str
    start: int
    end: int
    node: Node | None


class ParseError(Exception):
    """PostgreSQL's parser refused the text; `offset` is the byte where it stopped."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class _CError(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _CTree(ctypes.Structure):
    _fields_ = (
        ("tree", ctypes.c_char_p),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_CError)),
    )


class _CFunction(ctypes.Structure):
    _fields_ = (("tree", ctypes.c_char_p), ("error", ctypes.POINTER(_CError)))


@cache
def _library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("postgast")
    if spec is None or spec.origin is None:
        raise InternalError(
            ErrorCode.INTERNAL_PARSER_MISSING,
            "parser library not found",
            why="PostgreSQL's parser comes with the package postgast.",
            hint="Install postgast 0.2 or newer.",
        )
    name = LIBRARY_NAMES.get(sys.platform, "libpg_query.so")
    library = ctypes.CDLL(str(Path(spec.origin).parent / name))
    library.pg_query_parse.argtypes = [ctypes.c_char_p]
    library.pg_query_parse.restype = _CTree
    library.pg_query_free_parse_result.argtypes = [_CTree]
    library.pg_query_free_parse_result.restype = None
    library.pg_query_parse_plpgsql.argtypes = [ctypes.c_char_p]
    library.pg_query_parse_plpgsql.restype = _CFunction
    library.pg_query_free_plpgsql_parse_result.argtypes = [_CFunction]
    library.pg_query_free_plpgsql_parse_result.restype = None
    return library


def parse(data: bytes) -> list[RawStatement]:
    """Parse SQL text into statements.

    Raises:
        ParseError: the parser refused the text, or the tree is nested too deeply to be read.

    """
    if len(data) <= _SAFE_BYTES:
        return _parse(data)
    _refuse_hostile_runs(data)
    return _parse_on_deep_stack(data)


def _parse(data: bytes) -> list[RawStatement]:
    library = _library()
    result = library.pg_query_parse(data)
    try:
        if result.error:
            raise _error(result.error.contents, data)
        return _statements(result.tree.decode(), len(data))
    except RecursionError:
        raise ParseError("expression is nested too deeply to be reviewed", 0) from None
    finally:
        library.pg_query_free_parse_result(result)


def _parse_on_deep_stack(data: bytes) -> list[RawStatement]:
    """Parse in a thread of its own: the library writes deep trees by recursion in C."""
    outcome: list[list[RawStatement] | ParseError] = []

    def work() -> None:
        try:
            outcome.append(_parse(data))
        except ParseError as error:
            outcome.append(error)

    usual = threading.stack_size(_STACK_BYTES + _STACK_BYTES_PER_BYTE * len(data))
    try:
        thread = threading.Thread(target=work)
        thread.start()
    except RuntimeError:
        raise ParseError("not enough memory to review a text of this size", 0) from None
    finally:
        threading.stack_size(usual)
    thread.join()
    result = outcome[0] if outcome else ParseError("text cannot be reviewed", 0)
    if isinstance(result, ParseError):
        raise result
    return result


_STACK_BYTES = 64 * 1024 * 1024
_STACK_BYTES_PER_BYTE = 256
_SAFE_BYTES = 20_000
_OPERATOR_RUN = re.compile(rb"[-+*/<>=~!@#%^&|`?]{2000}")


def _refuse_hostile_runs(data: bytes) -> None:
    """Refuse long runs of operator signs: PostgreSQL's scanner needs quadratic time for them."""
    run = _OPERATOR_RUN.search(data)
    if run is not None:
        raise ParseError("run of operator signs is too long to be reviewed", run.start())


def plpgsql_error(data: bytes) -> ParseError | None:
    """Return what PostgreSQL says of the PL/pgSQL body in a CREATE FUNCTION, if anything."""
    library = _library()
    result = library.pg_query_parse_plpgsql(data)
    try:
        return _error(result.error.contents, data) if result.error else None
    finally:
        library.pg_query_free_plpgsql_parse_result(result)


def plpgsql_tree(data: bytes) -> list[Node]:
    """Return how PostgreSQL reads the PL/pgSQL body in a CREATE FUNCTION: variables and steps.

    Raises:
        ParseError: the body was refused.

    """
    library = _library()
    result = library.pg_query_parse_plpgsql(data)
    try:
        if result.error:
            raise _error(result.error.contents, data)
        tree: list[Node] = json.loads(result.tree)
    except json.JSONDecodeError as error:  # the library leaves a comma out here and there
        raise ParseError("body cannot be read as a tree", 0) from error
    else:
        return tree
    finally:
        library.pg_query_free_plpgsql_parse_result(result)


_BEFORE = '{"stmt":{"'
"""What stands before each statement's kind; inside strings of JSON a quote is escaped."""

_PLACE = re.compile(r'(?:,"stmt_location":(\d+))?(?:,"stmt_len":(\d+))?')
_DECODED_LATE_MAX = 4_000
"""Longer trees are decoded at once, where one that is nested too deeply can still be refused."""


def _statements(tree: str, size: int) -> list[RawStatement]:
    """Divide the tree of a text of `size` bytes into its statements."""
    statements = []
    for piece in tree.split(_BEFORE)[1:]:
        kind, _, rest = piece.partition('":')
        end = rest.find(',"stmt_l')
        place = _PLACE.match(rest, end) if end >= 0 else None
        start = int(place[1] or 0) if place else 0
        length = int(place[2] or 0) if place else 0
        inside = rest[: end - 1 if place else rest.rindex("}}]}")]
        node = decode(inside) if len(inside) > _DECODED_LATE_MAX else None
        end = start + length if length else size
        statements.append(RawStatement(kind, inside, start, end, node))
    return statements


_DECODER = json.JSONDecoder()


def decode(tree: str) -> Node:
    """Return the node that a tree's text describes."""
    node: Node = _DECODER.raw_decode(tree)[0]
    return node


def _error(error: _CError, data: bytes) -> ParseError:
    message = error.message.decode("utf-8", "replace") if error.message else "not accepted"
    characters = max(error.cursorpos - 1, 0)
    if data.isascii():
        return ParseError(message, characters)
    return ParseError(message, len(data.decode("utf-8", "replace")[:characters].encode()))
