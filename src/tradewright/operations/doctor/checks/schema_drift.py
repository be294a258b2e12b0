"""The catalog is what the migrations make of an empty database.

They are applied to a scratch server for it, so it is looked at only when asked for.
"""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    if ground.differences is None:
        return ok("not looked at: give --drift")
    differences = ground.differences()
    if differences:
        return failure(
            f"{len(differences)} differences: {named(differences)}",
            why="Somebody has changed the schema by hand, or a run was cut off: what the "
            "migrations promise is not what is there.",
            hint="See tradewright migrate drift, and bring it back by a migration.",
        )
    return ok("the catalog is what the migrations make")


CHECK = Check(name="schema_drift", title="The schema is as migrated", run=_run)
