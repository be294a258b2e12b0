"""What a test stands on, and what a test is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tradewright.review.model import Finding, Severity
from tradewright.review.prove.model import Fact
from tradewright.review.prove.prover import Prover
from tradewright.review.prove.seeds import RowTrial
from tradewright.review.prove.shadow import Shadow
from tradewright.review.verify.declared import Declared
from tradewright.review.verify.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the tests stand on: the proof so far, its shadow, and what the project declares."""

    prover: Prover
    findings: Sequence[Finding]
    """What was read of the same files."""
    declared: Declared = field(default_factory=Declared)
    row_trials: Sequence[RowTrial] = ()
    rows: int = 0

    @property
    def shadow(self) -> Shadow:
        """The database with the finished schema."""
        return self.prover.shadow

    def read(self, *rules: str) -> list[Finding]:
        """Return what the read stage found by some rules, house-keeping left out."""
        return [f for f in self.findings if f.rule in rules and f.severity is not Severity.INFO]

    def told(self, *kinds: type[Fact]) -> list[Fact]:
        """Return the facts of some kinds."""
        return [fact for fact in self.prover.facts if isinstance(fact, kinds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One of the ten tests."""

    number: int
    id: str
    title: str
    run: Callable[[Ground], Outcome]
    is_last: bool = False
    """Whether nothing can be tried behind it, because it takes the schema down."""
    is_part_of_review: bool = True
    """Whether a review has the time for it, and needs no declarations for it."""
