"""Each role has the rights that it should have, and nobody else has any."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    differing = [f"{kind}: {right}" for kind, right in ground.ask("rights_that_differ")]
    differing += [f"beyond: EXECUTE {right}" for (right,) in ground.ask("functions_of_others")]
    differing += [f"beyond: {right}" for (right,) in ground.ask("rights_beside_tables")]
    if differing:
        return failure(
            f"{len(differing)} rights differ: {named(differing)}",
            why="What is missing stops work; what is beyond lets somebody write past us.",
            hint="REVOKE what is beyond; as the owner, SELECT grant_engine_rights() does the rest.",
        )
    return ok("the three roles have their rights, and nobody else has any")


CHECK = Check(name="rights", title="Rights are as they should be", run=_run)
