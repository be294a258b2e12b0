"""What a rule is, what it is shown, and what it answers.

A rule names the kinds of events it wants and a function that turns one event into hits. Kinds
are the parser's statement names (`CreateStmt`, `UpdateStmt`, ...), the commands of ALTER TABLE
(`AT_AddColumn`, ...), and the reviewer's own: `table`, `column`, `constraint`, `routine` (after the
model knows them), `refusal`, `unread`, `file` (each source, at its end) and `schema` (once, at the
very end). Kinds that begin with `prove-` come from a shadow database; their event holds a `fact`
of `prove.model`. The module's docstring is the rule's page.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.schema.bodies import Body
from tradewright.review.schema.catalog import Column, Constraint, Routine, Schema, Table
from tradewright.review.source.parser import Node
from tradewright.review.source.statements import Reading, Refusal
from tradewright.review.source.text import Direction, Source, Statement

if TYPE_CHECKING:
    from tradewright.review.settings import Settings


@dataclass(slots=True, eq=False, repr=False)
class Event:
    """One thing met while reading; only what belongs to its kind is filled in.

    `body` is set while the statement stands inside a function or a DO block; `routine` only in a
    function. An index comes with its table.
    """

    kind: str
    source: Source
    statement: Statement
    node: Node
    table: Table | None = None
    column: Column | None = None
    constraint: Constraint | None = None
    routine: Routine | None = None
    body: Body | None = None
    reading: Reading | None = None
    refusal: Refusal | None = None
    fact: object | None = None


@dataclass(slots=True)
class Hit:
    """A rule's answer: where, what, what to do, and about which object.

    `fix` gives the edits that make the rule silent, or none where no edit is safe.
    """

    statement: Statement
    offset: int
    message: str
    advice: str
    subject: str
    corrected: str = ""
    severity: Severity | None = None
    fix: Callable[[], Iterable[Edit]] | None = None


@dataclass(slots=True)
class Context:
    """What every rule may look at: the model so far, all sources, and the settings."""

    schema: Schema
    settings: "Settings"
    readings: list[Reading] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    said: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    unapplied: frozenset[str] | None = None
    edited: frozenset[str] = frozenset()
    fixing: bool = False

    def is_new(self, table: Table, source: Source) -> bool:
        """Return whether the table is created in the same unapplied set of migrations."""
        created = table.statement.source
        if created.path == source.path or table.temporary:
            return True
        return self.unapplied is not None and created.path in self.unapplied

    def standing(self, names: Iterable[str], source: Source) -> list[str]:
        """Return those of the named tables that stood before the file or its unapplied set."""
        tables = ((name, self.schema.table(_parts(name))) for name in names)
        return [name for name, table in tables if table is None or not self.is_new(table, source)]

    def mentions(self, rule: str, source: Source, words: Iterable[str]) -> bool:
        """Return whether a file holds any of the words (lower case); asked once per file."""
        key = (rule, source.direction, source.path)
        known = self.said.get(key)
        if known is None:
            text = source.lowered
            known = self.said[key] = any(word in text for word in words)
        return known

    def ups(self) -> Iterator[Reading]:
        """Yield the readings of all up sources."""
        return (r for r in self.readings if r.source.direction is Direction.UP)

    def downs(self) -> Iterator[Reading]:
        """Yield the readings of all down sources."""
        return (r for r in self.readings if r.source.direction is Direction.DOWN)


def _parts(name: str) -> tuple[str, str]:
    space, _, table = name.rpartition(".")
    return space, table


Check = Callable[[Context, Event], Iterable[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One idea of the catalogue.

    `of` narrows what the rule is shown, because calling it for nothing is what costs most: a
    `column` to these types (or to those that are `defaulted` or `generated`), a `constraint` to
    these kinds, a `file` to those with a statement of one of these kinds. Empty means all.
    """

    id: str
    severity: Severity
    category: Category
    kinds: tuple[str, ...]
    check: Check
    of: frozenset[str] = frozenset()
    needs: str = "file"
    downs: bool = False
    fixable: bool = False
