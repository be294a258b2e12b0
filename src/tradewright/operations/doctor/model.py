"""What the doctor looks at, what a check is, and what it may find."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

NAMED_MAX = 5
"""How many of a kind a finding names; it counts the rest."""


class Verdict(StrEnum):
    """How a check ended; unknown where the role may not see what was asked for."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a short fact, why it matters, and what to do about it."""

    verdict: Verdict
    what: str
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the checks stand on: a session in autocommit, and what the schema wing knows.

    `versions` lists each migration with how it stands, `differences` the catalog's from what the
    migrations make; they are None where nobody can look.
    """

    session: Session
    versions: Callable[[], Sequence[tuple[str, str]]] | None = None
    differences: Callable[[], Sequence[str]] | None = None

    def ask(self, query: str, facts: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of one of this room's queries."""
        statement = load_queries("tradewright.operations.doctor")[query]
        return self.session.execute(statement, facts or {}).fetchall()

    def value(self, query: str) -> Any:
        """Return the only value of a query that has one row."""
        return self.ask(query)[0][0]

    def setting(self, name: str) -> str:
        """Return a setting of the server as this session has it."""
        return str(self.ask("setting", {"name": name})[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check by its name; `reads_all` is said of those that read whole tables.

    `of_server`: it looks at the server, and says something without the house's schema too.
    """

    name: str
    title: str
    run: Callable[[Ground], Finding]
    reads_all: bool = False
    of_server: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A check and what it found."""

    check: Check
    finding: Finding = field()


def ok(what: str) -> Finding:
    """Return that all is well."""
    return Finding(Verdict.OK, what)


def warning(what: str, *, why: str, hint: str) -> Finding:
    """Return what should be looked after soon."""
    return Finding(Verdict.WARNING, what, why, hint)


def failure(what: str, *, why: str, hint: str) -> Finding:
    """Return what is broken, or loses something."""
    return Finding(Verdict.FAILURE, what, why, hint)


def unknown(what: str, *, why: str, hint: str) -> Finding:
    """Return that it could not be seen."""
    return Finding(Verdict.UNKNOWN, what, why, hint)


def named(names: Sequence[object]) -> str:
    """Name the first of some things, and count the others."""
    told = ", ".join(str(name) for name in names[:NAMED_MAX])
    more = len(names) - NAMED_MAX
    return f"{told} and {more} more" if more > 0 else told
