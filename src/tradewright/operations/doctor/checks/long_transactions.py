"""No transaction stays open for long."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    named,
    ok,
    unknown,
    warning,
)

SECONDS_MAX = 300
IDLE_SECONDS_MAX = 60


def _run(ground: Ground) -> Finding:
    if not ground.value("visible_sessions"):
        return unknown(
            "sessions of others cannot be seen",
            why="This role is no member of pg_read_all_stats.",
            hint="Make it one: GRANT pg_monitor.",
        )
    facts = {"seconds_max": SECONDS_MAX, "idle_seconds_max": IDLE_SECONDS_MAX}
    rows = ground.ask("long_transactions", facts)
    if rows:
        told = [f"{pid} of {who} ({state}) for {seconds} s" for pid, who, state, seconds in rows]
        return warning(
            f"open for long: {named(told)}",
            why="No seal goes past it, no vacuum removes what it might still see, and its locks "
            "hold others up.",
            hint="End it: SELECT pg_terminate_backend(pid); set transaction_timeout for its role.",
        )
    return ok("no transaction is open for five minutes, or idle for one")


CHECK = Check(name="long_transactions", title="Transactions end", run=_run, of_server=True)
