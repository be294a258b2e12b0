"""Every migration of this release is applied, whole and as it was released."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok, unknown


def _run(ground: Ground) -> Finding:
    if ground.versions is None:
        return unknown(
            "the history of migrations was not read",
            why="Whoever has asked the doctor has not handed it over.",
            hint="Run tradewright migrate status.",
        )
    versions = ground.versions()
    others = [f"{version} {state}" for version, state in versions if state != "applied"]
    if others:
        return failure(
            f"migrations: {named(others)}",
            why="This release and the database do not belong together.",
            hint="See tradewright migrate status, then tradewright migrate up.",
        )
    return ok(f"all {len(versions)} migrations are applied as they were released")


CHECK = Check(name="schema_version", title="All migrations are applied", run=_run, of_server=True)
