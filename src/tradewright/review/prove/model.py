"""What a shadow database showed: facts about statements and files, which rules turn into findings.

Each fact is told to the rules as an event of the kind in `KIND`. Offsets are bytes of the file,
as everywhere in the review.
"""

from dataclasses import dataclass
from enum import StrEnum

from tradewright.review.model import Finding
from tradewright.review.source.text import Source, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWord:
    """What PostgreSQL said when it refused: its code and its sentences."""

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.detail.rstrip('.')})" if self.detail else self.message


@dataclass(slots=True, kw_only=True)
class Refused:
    """A statement that the server refused; `followers` failed for want of what it would make."""

    KIND = "prove-refused"
    statement: Statement
    offset: int
    word: ServerWord
    followers: int = 0


@dataclass(slots=True, kw_only=True)
class Untried:
    """A statement that could not be tried here, and `followers` for the same reason."""

    KIND = "prove-untried"
    statement: Statement
    reason: str
    followers: int = 0


class StandInOf(StrEnum):
    """What was replaced so that the rest could be tried."""

    EXTENSION = "extension"
    ROLE = "role"


@dataclass(slots=True, kw_only=True)
class StandIn:
    """Something that the shadow lacks and that a small replacement stood in for."""

    KIND = "prove-stand-in"
    statement: Statement
    of: StandInOf
    name: str


@dataclass(slots=True, kw_only=True)
class Rewritten:
    """A statement that wrote tables anew which stood before its file."""

    KIND = "prove-rewritten"
    statement: Statement
    tables: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Locked:
    """A statement that shut out readers and writers of tables which stood before its file."""

    KIND = "prove-locked"
    statement: Statement
    tables: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class SecondRun:
    """A second run of a file that failed, or that left another schema than the first.

    Of files in transactions that fail only the last is told, with the number of all `others`.
    """

    KIND = "prove-second-run"
    statement: Statement
    transactional: bool
    word: ServerWord | None = None
    differences: tuple[str, ...] = ()
    others: int = 0

    @property
    def is_refused_whole(self) -> bool:
        """Whether it failed and left no trace."""
        return self.transactional and self.word is not None


@dataclass(slots=True, kw_only=True)
class DownRefused:
    """A down file that the server refused, in the state that its up file had just made."""

    KIND = "prove-down-refused"
    statement: Statement
    offset: int
    word: ServerWord
    at_the_end: bool = False


@dataclass(slots=True, kw_only=True)
class DownDiffers:
    """An up and its down that together leave another schema, or other rows, than before."""

    KIND = "prove-down-differs"
    statement: Statement
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A table by schema and name."""

    schema: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key of the finished schema, by its name and the names of its table."""

    name: str
    schema: str
    table: str
    columns: tuple[str, ...]
    parent: Home
    referenced_columns: tuple[str, ...]
    is_enforced: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def home(self) -> Home:
        """The table that refers."""
        return Home(self.schema, self.table)


class OrphanVerdict(StrEnum):
    """How a foreign key met a row that refers to nothing."""

    REFUSED = "refused"
    GUARDED = "refused by a trigger"
    ACCEPTED = "accepted"
    UNTRIED = "untried"


@dataclass(slots=True, kw_only=True)
class OrphanTrial:
    """A row that refers to nothing, tried through one foreign key."""

    KIND = "prove-orphan"
    statement: Statement
    key: ForeignKey
    verdict: OrphanVerdict
    why: str = ""


@dataclass(slots=True, kw_only=True)
class TriggerFailed:
    """A trigger that fails by its own mistake when a row comes, changes or goes."""

    KIND = "prove-trigger"
    statement: Statement
    trigger: str
    table: str
    command: str
    word: ServerWord


Fact = (
    Refused
    | Untried
    | StandIn
    | Rewritten
    | Locked
    | SecondRun
    | DownRefused
    | DownDiffers
    | OrphanTrial
    | TriggerFailed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProof:
    """How one migration fared: its up, its second run and its down."""

    source: Source
    statements: int
    elapsed_ms: int
    refused: int
    is_judged: bool = True
    """Whether it is under review, so that more was tried than its up."""
    second_run: bool | None
    """Whether it ran twice with the same schema; None when that was not tried."""
    down: bool | None
    """Whether its down restored schema and rows; None without a down, or when not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofResult:
    """Everything that the shadow showed about a set of migrations."""

    files: tuple[FileProof, ...]
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    keys: tuple[OrphanTrial, ...]
    schema_objects: int
    elapsed_ms: int
    all_down: bool | None
    """Whether all downs, last file first, led back to the empty schema; None when not tried."""

    @property
    def applies(self) -> bool:
        """Return whether the server took every statement of every up file."""
        return not any(isinstance(fact, Refused) for fact in self.facts)

    @property
    def is_reversible(self) -> bool:
        """Return whether no down failed or left something behind."""
        return not any(isinstance(fact, DownRefused | DownDiffers) for fact in self.facts)

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON-ready values."""
        return {
            "applies": self.applies,
            "is_reversible": self.is_reversible,
            "all_down": self.all_down,
            "statements": sum(file.statements for file in self.files),
            "foreign_keys": len(self.keys),
            "objects": self.schema_objects,
            "elapsed_ms": self.elapsed_ms,
        }
