"""What a migration, its statements, its history and its state are; values only, no I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tradewright.migrate.naming import Direction
from tradewright.migrate.statements import Statement, parse_statements
from tradewright.migrate.versions import Version

__all__ = [
    "Direction",
    "HistoryRow",
    "Migration",
    "MigrationStatus",
    "PlannedFile",
    "Script",
    "State",
    "Step",
    "Target",
    "statements_checksum",
    "text_checksum",
]


@dataclass(frozen=True)
class Script:
    """The SQL of one direction: a whole file, or the part of a file that begins at `first_line`.

    `title` is what people call it where the bare name of its file would not tell.
    """

    path: Path
    text: str
    first_line: int = 1
    in_transaction: bool = True
    title: str = ""

    @property
    def label(self) -> str:
        """The file's name, by which people know the script."""
        return self.title or self.path.name

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements in order.

        Raises:
            MigrationError: MIGRATION_SYNTAX_WRONG or MIGRATION_CONTROLS_TRANSACTION.

        """
        return parse_statements(
            self.text,
            self.label,
            first_line=self.first_line,
            in_transaction=self.in_transaction,
        )

    @property
    def transactional(self) -> bool:
        """Whether the script runs in one transaction, together with its row of history."""
        return all(statement.transactional for statement in self.statements)

    @property
    def checksum(self) -> str:
        """The sha256 of the text; line ends and blank ends of file do not count."""
        return text_checksum(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One version of the schema: how to get there, and, where it is known, how to get back.

    A repeatable migration has no version of its own (history keeps it below zero): it runs after
    all others, and again whenever its text has changed.
    """

    version: Version
    name: str
    up: Script
    down: Script | None

    @property
    def is_repeatable(self) -> bool:
        """Whether it has a name only."""
        return self.version < 0

    @property
    def label(self) -> str:
        """The file's name, by which people know the migration."""
        return self.up.label


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One row of schema_migrations: an applied version, or one that stopped half-way."""

    version: Version
    name: str
    checksum: str
    direction: Direction
    statements_done: int
    statements_total: int
    statement_started: int | None
    done_checksum: str
    applied_at: datetime
    finished_at: datetime | None
    applied_by: str
    execution_ms: int | None

    @property
    def is_finished(self) -> bool:
        """Whether every statement of the file ran."""
        return self.finished_at is not None


class State(StrEnum):
    """How a version stands between its file and the database's history."""

    APPLIED = "applied"
    PENDING = "pending"
    UNFINISHED = "unfinished"
    EDITED = "edited"
    FILE_MISSING = "file missing"
    OUT_OF_ORDER = "out of order"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStatus:
    """One line of `migrate status`."""

    version: Version
    name: str
    state: State
    reversible: bool
    row: HistoryRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file that would run, and where it would begin."""

    migration: Migration
    script: Script
    direction: Direction
    statements_done: int

    @property
    def transactional(self) -> bool:
        """Whether the file runs in one transaction; what stopped half-way no longer can."""
        return self.script.transactional and self.statements_done == 0

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements that are left to run."""
        return self.script.statements[self.statements_done :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is reported while files run: one finished file."""

    migration: Migration
    direction: Direction
    statements: int
    transactional: bool
    execution_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The database and schema to migrate, and how patiently.

    A statement waits `lock_timeout_ms` for its locks, so that a queue of other sessions does not
    form behind it; then the file is rolled back and tried again, `attempts` times in all.
    """

    conninfo: str = field(repr=False)
    schema: str = "tradewright"
    lock_timeout_ms: int = 5_000
    attempts: int = 10
    wait_seconds: float = 60.0


def text_checksum(text: str) -> str:
    """Return the sha256 (hex) of `text` with one kind of line end and no blank end."""
    normal = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return sha256(normal.encode()).hexdigest()


def statements_checksum(statements: tuple[Statement, ...]) -> str:
    """Return one checksum of the texts of `statements`, whatever stands between them."""
    return sha256("\0".join(text_checksum(each.text) for each in statements).encode()).hexdigest()
