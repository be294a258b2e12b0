"""All migrations apply without errors, on an empty database, as their runner would send them."""

from tradewright.review.prove.model import Refused, Untried
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    files = ground.prover.files
    statements = sum(file.statements for file in files)
    elapsed_ms = sum(file.elapsed_ms for file in files)
    problems = [
        f"{fact.statement.source.label}: {fact.word}"
        for fact in ground.told(Refused)
        if isinstance(fact, Refused)
    ]
    untried = sum(1 + f.followers for f in ground.told(Untried) if isinstance(f, Untried))
    figures = f"{len(files)} files, {statements} statements, {elapsed_ms / 1000:.1f} s"
    if untried:
        figures += f"; {untried} statements could not be tried here"
    facts = {
        "files": len(files),
        "statements": statements,
        "elapsed_ms": elapsed_ms,
        "objects": ground.prover.schema_objects,
        "untried": untried,
    }
    return Outcome.of(figures, problems, facts)


CHECK = Check(number=1, id="applies", title="All migrations apply without errors", run=_run)
