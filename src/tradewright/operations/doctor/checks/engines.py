"""No engine is gone that has orders or hedges with providers."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    rows = ground.ask("engines")
    gone = [f"{name} with {work}" for name, lives, work in rows if work and not lives]
    if gone:
        return failure(
            f"engines are gone with work in flight: {named(gone)}",
            why="Providers may answer, and nobody books it or watches those orders.",
            hint="Start an engine that reaches the same providers: tradewright engine run.",
        )
    living = sum(lives for _, lives, _ in rows)
    return ok(f"{living} engines live, and none that is gone has anything in flight")


CHECK = Check(name="engines", title="No work is left behind", run=_run)
