"""What a refusal means: the migration's own fault, a follower of an earlier one, or our limits.

Refusals are told apart by SQLSTATE. A statement that needs a superuser, an extension that is not
installed here, or more time than a proof gives is not held against its author.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tradewright.review.origin import RUNNERS_TABLES
from tradewright.review.prove.model import Refused, ServerWord
from tradewright.review.prove.shadow import STATEMENT_SECONDS
from tradewright.review.schema.builtins import EXTENSION_OF
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement

UNDEFINED = frozenset({"42P01", "42703", "42883", "42704", "3F000", "42P10", "55000"})
"""Refusals for want of a table, column, function, type, schema, key or partition."""

_NOT_THERE = frozenset({"42P01", "42883", "42704", "3F000"})
"""Those of them that miss a thing itself, not a part of one."""

_NEEDS_SUPERUSER = "42501"
_OUT_OF_TIME = "57014"
_NOT_AVAILABLE = frozenset({"0A000", "58P01", "42704"})
_OUR_LIMITS = ("53", "54")
_UNSUPPORTED = "0A000"
_OF_THE_BUILD = ("ICU is not supported in this build", "requires the server to be built with")
"""What a server says of parts that it was built without: ICU, lz4, zstd, libxml and others."""
_OF_THE_MACHINE = re.compile(
    r'^(?:collation "[^"]+" for encoding "[^"]+"|(?:tablespace|language) "[^"]+") does not exist$'
)
"""Locales and tablespaces are what a server's machine has; a migration rarely makes them."""


_MISSED = re.compile(
    r'(?P<kind>[a-z ]+?) (?:"(?:(?P<space>[^".]+)\.)?(?P<name>[^"]+)"'
    r'|(?P<call>[^"\s(]+)(?:\(| does))'
)
"""The thing that a refusal misses: its kind and its name, as the message begins."""
_OF_EXTENSIONS = frozenset(
    {"type", "function", "procedure", "aggregate", "operator class", "access method", "schema"}
)
_NO_OPERATOR = "operator does not exist"
_EXTENSION_ABSENT = re.compile(r'extension "([^"]+)" is not available')


@dataclass(slots=True)
class Memory:
    """What earlier statements would have made, had they not been refused.

    `made` are the names that any of the files makes, `met` those that statements up to now make;
    `begins` says whether the files begin with an empty database.
    """

    made: frozenset[str] = frozenset()
    begins: bool = True
    met: set[str] = field(default_factory=set)
    lost: dict[str, Refused] = field(default_factory=dict)
    untried: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)

    def root_of(self, word: ServerWord) -> Refused | None:
        """Return the refused statement whose product this refusal misses, if there is one."""
        return next((self.lost[name] for name in _named(word, self.lost)), None)

    def reason(self, statement: Statement, word: ServerWord) -> str:
        """Return why a refusal says nothing against the migration; empty when it does."""
        absent = _absent_extension(statement, word)
        if absent:
            self.absent.append(absent)
            return f"extension {absent} is not installed on the shadow"
        if _is_of_this_server(word):
            return f"the shadow's server was not set up for it ({word.message})"
        if word.sqlstate in UNDEFINED:
            return self._missing(word)
        return _limit(word)

    def _missing(self, word: ServerWord) -> str:
        name = next(_named(word, self.untried), "")
        if name:
            return f"{name} was to be made by a statement that could not be tried"
        if _is_among(word, RUNNERS_TABLES):
            return f"its runner makes this table ({word.message})"
        if self.absent and self._may_come_with_extension(word):
            return f"it may need {', '.join(self.absent)}, which the shadow lacks ({word.message})"
        if self.begins or word.sqlstate not in _NOT_THERE or _is_among(word, self.met):
            return ""
        return f"no file makes this ({word.message}); --schema FILE tells what stood before"

    def _may_come_with_extension(self, word: ServerWord) -> bool:
        """Return whether an extension may bring what is missed: nothing that a file makes."""
        if word.message.startswith(_NO_OPERATOR):
            return True
        missed = _MISSED.match(word.message)
        if missed is None or _is_among(word, self.made):
            return False
        if missed["kind"] == "relation":
            return missed["space"] is not None and missed["space"].lower() not in self.made
        name = (missed["name"] or missed["call"]).rpartition(".")[2].lower()
        brought_by = EXTENSION_OF.get(name)
        return missed["kind"] in _OF_EXTENSIONS and brought_by in {None, *self.absent}


def _is_among(word: ServerWord, names: Iterable[str]) -> bool:
    return next(_named(word, names), None) is not None


def _absent_extension(statement: Statement, word: ServerWord) -> str:
    """Return the extension that the server lacks, where a refusal says so; a DO block may too."""
    if word.sqlstate not in _NOT_AVAILABLE:
        return ""
    said = _EXTENSION_ABSENT.match(word.message)
    return said[1] if said else extension_of(statement)


def _is_of_this_server(word: ServerWord) -> bool:
    """Return whether a server of another build, or on another machine, would not refuse this."""
    if word.sqlstate == _UNSUPPORTED:
        return any(sign in f"{word.message} {word.detail}" for sign in _OF_THE_BUILD)
    return word.sqlstate == "42704" and _OF_THE_MACHINE.match(word.message) is not None


def _limit(word: ServerWord) -> str:
    """Return which of the shadow's own limits a refusal comes from, if one."""
    if word.sqlstate == _OUT_OF_TIME:
        return f"it was stopped after {STATEMENT_SECONDS} seconds"
    if word.sqlstate == _NEEDS_SUPERUSER:
        return f"the shadow's role may not do this ({word.message})"
    if not word.sqlstate or word.sqlstate.startswith(_OUR_LIMITS):
        return f"the shadow gave up ({word.message})"
    return ""


def _named(word: ServerWord, names: Iterable[str]) -> Iterator[str]:
    text = word.message.lower()
    return (name for name in names if any(each in text for each in _as_named(name)))


def _as_named(name: str) -> tuple[str, ...]:
    """Return how the server writes a name, alone or behind its schema."""
    return (
        f'"{name}"',
        f'.{name}"',
        f" {name}(",
        f".{name}(",
        f"type {name} does",
        f".{name} does",
    )


def extension_of(statement: Statement) -> str:
    """Return the extension that a statement creates; empty when it creates none."""
    return str(statement.node.get("extname", "")) if statement.kind == "CreateExtensionStmt" else ""


def roles_named(node: Node) -> set[str]:
    """Return the roles that a statement names as somebody's, never those that it creates."""
    found: set[str] = set()
    pending: list[object] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if current.get("roletype") == "ROLESPEC_CSTRING":
                found.add(str(current.get("rolename", "")))
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return found - {""}
