"""A standby follows, where the house has declared that one does."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, unknown


def _run(ground: Ground) -> Finding:
    within, count, lag, is_standby, names, count_waited_for = ground.ask("standbys")[0]
    if is_standby:
        return ok("this is a standby itself")
    is_visible = ground.value("visible_sessions")
    if names and is_visible and not count_waited_for:
        return _commits_hang(names)
    if within is None:
        return ok(f"not declared; {count} standbys follow")
    if not is_visible:
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


def _commits_hang(names: str) -> Finding:
    return failure(
        f"commits wait for a standby ({names}) and none follows",
        why="Every commit hangs until one comes: orders are taken and not answered.",
        hint="Start the standby, or empty synchronous_standby_names and reload.",
    )


CHECK = Check(name="standbys", title="A standby follows", run=_run)
