"""No index repeats another."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning


def _run(ground: Ground) -> Finding:
    pairs = [row[0] for row in ground.ask("duplicate_indexes")]
    if pairs:
        return warning(
            f"indexes of the same columns: {named(pairs)}",
            why="Each write pays for both, and no query gains.",
            hint="Drop the one that no constraint needs: DROP INDEX CONCURRENTLY.",
        )
    return ok("no index repeats another")


CHECK = Check(name="duplicate_indexes", title="No index is there twice", run=_run)
