"""The use case: verify a folder of migrations by the ten tests, on a shadow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tradewright.core.clock import monotonic_seconds
from tradewright.migrate.files import our_migrations
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.prove.prover import Prover
from tradewright.review.prove.shadow import shadow_database, shadow_server
from tradewright.review.result import Review, review_folder
from tradewright.review.verify.declared import Declared, read_declared
from tradewright.review.verify.model import Ground
from tradewright.review.verify.outcome import Verification
from tradewright.review.verify.registry import all_checks, judge
from tradewright.review.verify.row_trials import RowTrials

ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whose migrations are to be verified (ours where none are named), and on how many rows."""

    folder: Path | None = None
    rows: int = ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was read of a request before any server is started."""

    title: str
    read: Review
    declared: Declared
    rows: int


def verify(request: Request) -> Verification:
    """Run the ten tests on a scratch server of their own.

    Raises:
        InputError: no migration in the folder, or what it declares cannot be read.
        StateError: EMBEDDED_NOT_INSTALLED.

    """
    subject = subject_of(request)
    with shadow_server() as server:
        return verify_on(server, subject)


def subject_of(request: Request) -> Subject:
    """Read what is to be verified."""
    folder = request.folder or our_migrations()
    return Subject(
        title=str(request.folder or "Tradewright's own migrations"),
        read=review_folder(folder),
        declared=read_declared(folder),
        rows=request.rows,
    )


def verify_on(server: EmbeddedServer, subject: Subject) -> Verification:
    """Run the ten tests on a database of their own on `server`."""
    started = monotonic_seconds()
    with ground_of(server, subject) as ground:
        verdicts = judge(ground, all_checks())
    elapsed_ms = round((monotonic_seconds() - started) * 1000)
    return Verification(folder=subject.title, verdicts=verdicts, elapsed_ms=elapsed_ms)


@contextmanager
def ground_of(server: EmbeddedServer, subject: Subject) -> Iterator[Ground]:
    """Apply and try the migrations; give what the tests stand on while the schema stands."""
    context = subject.read.context
    with shadow_database(server) as shadow:
        prover = Prover(shadow, context)
        with RowTrials(shadow, context).running() as trials:
            prover.build(trials.before_file)
        prover.try_orphans()
        prover.fire_triggers()
        yield Ground(
            prover=prover,
            findings=subject.read.findings,
            declared=subject.declared,
            row_trials=tuple(trials.done),
            rows=subject.rows,
        )
