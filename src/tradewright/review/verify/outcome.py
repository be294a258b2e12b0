"""What a test found, and all of them together; values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a test found: a line of figures, what is wrong, and figures for machines."""

    status: Status
    figures: str
    problems: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, figures: str, problems: list[str], facts: Mapping[str, object]) -> "Outcome":
        """Return a test that passed unless there are problems."""
        status = Status.FAILED if problems else Status.PASSED
        return cls(status=status, figures=figures, problems=tuple(problems), facts=facts)

    @classmethod
    def not_applicable(cls, why: str) -> "Outcome":
        """Return a test that has nothing to try."""
        return cls(status=Status.NOT_APPLICABLE, figures=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A test with its outcome and the time that it took."""

    number: int
    id: str
    title: str
    outcome: Outcome
    elapsed_ms: int

    def as_dict(self) -> dict[str, object]:
        """Return the verdict as JSON-ready values."""
        return {
            "number": self.number,
            "test": self.id,
            "title": self.title,
            "status": str(self.outcome.status),
            "figures": self.outcome.figures,
            "problems": list(self.outcome.problems),
            "facts": dict(self.outcome.facts),
            "elapsed_ms": self.elapsed_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All tests of a folder."""

    folder: str
    verdicts: tuple[Verdict, ...]
    elapsed_ms: int

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The tests that failed."""
        return tuple(v for v in self.verdicts if v.outcome.status is Status.FAILED)

    def as_dict(self) -> dict[str, object]:
        """Return the verification as JSON-ready values."""
        return {
            "folder": self.folder,
            "passed": not self.failed,
            "elapsed_ms": self.elapsed_ms,
            "tests": [verdict.as_dict() for verdict in self.verdicts],
        }
