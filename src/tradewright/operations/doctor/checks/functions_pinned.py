"""Functions find the house's own tables, whatever the caller's search path says."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    names = [row[0] for row in ground.ask("functions_not_pinned")]
    if names:
        return failure(
            f"functions without a search path of their own: {named(names)}",
            why="Somebody's table of the same name would be read in place of ours; a function "
            "that runs as its owner would lend them the owner's rights.",
            hint="Use ALTER FUNCTION ... SET search_path = tradewright, pg_temp.",
        )
    return ok("all functions pin their search path, pg_temp last")


CHECK = Check(name="functions_pinned", title="Functions pin their search path", run=_run)
