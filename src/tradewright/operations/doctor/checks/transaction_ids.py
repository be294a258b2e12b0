"""Transaction ids are far from running out, and autovacuum works."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)

_AGE_MAX = 1_000_000_000


def judge(database: str, kind: str, age: int, freeze_at: int) -> Finding:
    """Judge the age of a database's oldest transaction id, or that of shared row locks."""
    if age > _AGE_MAX:
        return failure(
            f"{database} is {age:,} {kind} ids old",
            why="At about two thousand million the server takes no writes any more.",
            hint=f"Run vacuumdb --freeze {database} now, and find what holds vacuum back: old "
            "transactions, replication slots, prepared transactions.",
        )
    if age > 2 * freeze_at:
        return warning(
            f"{database} is {age:,} {kind} ids old",
            why=f"Autovacuum should have frozen it at {freeze_at:,}.",
            hint="Find what holds vacuum back: old transactions, replication slots.",
        )
    return ok(f"the oldest {kind} id is {age:,} old, of 2,000,000,000")


def _run(ground: Ground) -> Finding:
    database, kind, age, freeze_at, autovacuum = ground.ask("transaction_ids")[0]
    found = judge(database, kind, age, freeze_at)
    off = ["the server"] if autovacuum != "on" else []
    off += [row[0] for row in ground.ask("tables_without_autovacuum")]
    if off and found == ok(found.what):
        return warning(
            f"autovacuum is off for {named(off)}",
            why="Dead rows pile up, plans go by old figures, and transaction ids run out.",
            hint="Set autovacuum on with ALTER SYSTEM, or RESET autovacuum_enabled of the table.",
        )
    return found


CHECK = Check(
    name="transaction_ids", title="Transaction ids do not run out", run=_run, of_server=True
)
