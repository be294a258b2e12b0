"""No session waits for a lock for long."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning

SECONDS_MAX = 5


def _run(ground: Ground) -> Finding:
    rows = ground.ask("blocked_sessions", {"seconds_max": SECONDS_MAX})
    if rows:
        told = [f"{pid} waits for {holders}" for pid, holders in rows]
        return warning(
            f"blocked: {named(told)}",
            why="Orders and payments behind it are not booked.",
            hint="Look at the process that is waited for in pg_stat_activity; end it if need be.",
        )
    return ok("nobody waits for a lock")


CHECK = Check(name="blocked_sessions", title="Nobody is blocked", run=_run, of_server=True)
