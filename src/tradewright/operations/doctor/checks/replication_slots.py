"""No replication slot keeps WAL for a standby that has gone, and none has lost its place."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)

SECONDS_MAX = 600


def _run(ground: Ground) -> Finding:
    rows = ground.ask("replication_slots", {"seconds_max": SECONDS_MAX})
    lost = [name for name, is_lost, _ in rows if is_lost]
    if lost:
        return failure(
            f"slots have lost their place: {named(lost)}",
            why="What they stood for cannot go on: WAL that it still needs is gone.",
            hint="Make the standby or subscriber anew, and SELECT pg_drop_replication_slot(...).",
        )
    if rows:
        told = [f"{name} ({(kept or 0) / 1e6:,.0f} MB)" for name, _, kept in rows]
        return warning(
            f"slots that nobody reads from keep WAL: {named(told)}",
            why="It is kept for them until the disk is full, and then the server stops.",
            hint="Start what reads from the slot, or drop it; set max_slot_wal_keep_size.",
        )
    return ok("no slot keeps WAL for nobody")


CHECK = Check(name="replication_slots", title="Slots are read from", run=_run, of_server=True)
