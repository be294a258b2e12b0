"""Every constraint was held against all rows, the old ones too."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    waiting = [row[0] for row in ground.ask("constraints_not_valid")]
    if waiting:
        return failure(
            f"not validated: {named(waiting)}",
            why="Rows from before the constraint may break it, and nobody would know.",
            hint="Use ALTER TABLE ... VALIDATE CONSTRAINT ...; it holds up no writer.",
        )
    return ok("all constraints are validated")


CHECK = Check(name="constraints_valid", title="Constraints are valid", run=_run)
