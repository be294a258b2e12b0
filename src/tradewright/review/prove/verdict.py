"""What a refusal means: the migration's own fault, a follower of an earlier one, or our limits.

Refusals are told apart by SQLSTATE. A statement that needs a superuser, an extension that is not
installed here, or more time than a proof gives is not held against its author.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tradewright.review.prove.model import Refused, ServerWord
from tradewright.review.prove.shadow import STATEMENT_SECONDS
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement

UNDEFINED = frozenset({"42P01", "42703", "42883", "42704", "3F000", "42P10", "55000"})
"""Refusals for want of a table, column, function, type, schema, key or partition."""

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


@dataclass(slots=True)
class Memory:
    """What earlier statements would have made, had they not been refused."""

    lost: dict[str, Refused] = field(default_factory=dict)
    untried: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)

    def root_of(self, word: ServerWord) -> Refused | None:
        """Return the refused statement whose product this refusal misses, if there is one."""
        return next((self.lost[name] for name in _named(word, self.lost)), None)

    def reason(self, statement: Statement, word: ServerWord) -> str:
        """Return why a refusal says nothing against the migration; empty when it does."""
        if statement.kind == "CreateExtensionStmt" and word.sqlstate in _NOT_AVAILABLE:
            return f"extension {extension_of(statement)} is not installed on the shadow"
        if _is_of_this_server(word):
            return f"the shadow's server was not set up for it ({word.message})"
        if word.sqlstate in UNDEFINED:
            return self._missing(word)
        return _limit(word)

    def _missing(self, word: ServerWord) -> str:
        name = next(_named(word, self.untried), "")
        if name:
            return f"{name} was to be made by a statement that could not be tried"
        if self.absent and word.sqlstate != "42P01":
            return f"it may need {', '.join(self.absent)}, which the shadow lacks ({word.message})"
        return ""


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


def _named(word: ServerWord, names: dict[str, Refused] | set[str]) -> Iterator[str]:
    text = word.message.lower()
    return (name for name in names if f'"{name}"' in text or f" {name}(" in text)


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
