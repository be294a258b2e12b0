"""What a review says: findings with their place, severity and fingerprint.

A finding has the same shape whether it was read from the files or proven on a shadow database.
Lines and columns are counted from one; the fingerprint names the rule and the object, never the
line, so that it survives edits elsewhere in the file.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad the consequence is, worst first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Return 0 for critical up to 3 for info."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Category(StrEnum):
    """The headings under which a review gives its scores."""

    SYNTAX = "SQL syntax"
    CONSTRAINTS = "Constraints"
    PRECISION = "Financial precision"
    TIME = "Time zones"
    INDEXING = "Indexing"
    AVAILABILITY = "Availability"
    SECURITY = "Functions and security"
    MAINTAINABILITY = "Maintainability"


class Stage(StrEnum):
    """Where a finding comes from: the text of the files, or a shadow database."""

    READ = "read"
    PROVE = "prove"


class Location(NamedTuple):
    """A place in a file; line and column count from one, columns in characters."""

    path: str
    line: int
    column: int = 1
    end_line: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A correction of one file: the bytes from `start` to `end` become `text`."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that the reviewer reports.

    `subject` names the object concerned (a table, `table.column`, an index); `offending` is the
    source text of the statement and `corrected` a rewritten one where it can be given. `edits`
    are filled in only where corrections were asked for and the rule has a safe one.
    """

    rule: str
    severity: Severity
    category: Category
    location: Location
    message: str
    advice: str
    subject: str
    offending: str = ""
    corrected: str = ""
    stage: Stage = Stage.READ
    fingerprint: str = field(default="")
    edits: tuple[Edit, ...] = field(default=(), compare=False)

    def as_dict(self) -> dict[str, object]:
        """Return the finding as JSON-ready values."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "category": str(self.category),
            "path": self.location.path,
            "line": self.location.line,
            "column": self.location.column,
            "message": self.message,
            "help": self.advice,
            "object": self.subject,
            "offending": self.offending,
            "corrected": self.corrected,
            "stage": str(self.stage),
            "fingerprint": self.fingerprint,
        }


def fingerprint(rule: str, subject: str, occurrence: int) -> str:
    """Return the stable name of the `occurrence`-th finding of a rule about a subject."""
    text = f"{rule}\x00{subject}\x00{occurrence}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]
