"""A standby follows, where the house has declared that one does."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, unknown


def _run(ground: Ground) -> Finding:
    within, count, lag = ground.ask("standbys")[0]
    if within is None:
        return ok(f"not declared; {count} standbys follow")
    if not ground.value("visible_sessions"):
        return unknown(
            "standbys cannot be seen",
            why="This role is no member of pg_read_all_stats.",
            hint="Make it one: GRANT pg_monitor.",
        )
    if count == 0 or lag > within:
        told = f"the nearest standby is {lag} behind" if count else "no standby follows"
        return failure(
            told,
            why="If this server is lost, so is what no standby has.",
            hint="Start the standby, and look at pg_stat_replication.",
        )
    return ok(f"{count} standbys follow, the nearest {lag} behind")


CHECK = Check(name="standbys", title="A standby follows", run=_run)
