"""No sequence is near its end."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    unknown,
    warning,
)


def _run(ground: Ground) -> Finding:
    rows = ground.ask("sequences_used")
    used = [(name, share) for name, may_know, share in rows if may_know]
    told = [f"{name} at {share:.0%}" for name, share in used if share > 0.5]
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
    hidden = [name for name, may_know, _ in rows if not may_know]
    if hidden:
        return unknown(
            f"where they stand cannot be seen: {named(hidden)}",
            why="This role may not read them.",
            hint="Call SELECT grant_engine_rights() as the owner, and be a member of a role.",
        )
    return ok(f"{len(used)} sequences have room")


CHECK = Check(name="sequences", title="Sequences have room", run=_run)
