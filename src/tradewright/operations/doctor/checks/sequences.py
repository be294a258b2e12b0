"""No sequence is near its end."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)


def _run(ground: Ground) -> Finding:
    used = ground.ask("sequences_used")
    told = [f"{name} at {share:.0%}" for name, share in used if share is not None and share > 0.5]
    if told and used[0][1] > 0.9:
        return failure(
            f"nearly at the end: {named(told)}",
            why="At its end every insert that asks it for a number fails.",
            hint="Raise MAXVALUE, or make the column a bigint.",
        )
    if told:
        return warning(
            f"more than half is used: {named(told)}",
            why="At its end every insert that asks it for a number fails.",
            hint="Raise MAXVALUE, or make the column a bigint, while there is time.",
        )
    return ok(f"{len(used)} sequences have room")


CHECK = Check(name="sequences", title="Sequences have room", run=_run)
