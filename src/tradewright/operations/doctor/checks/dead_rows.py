"""No table is mostly dead rows."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning

DEAD_MIN = 10_000


def _run(ground: Ground) -> Finding:
    rows = ground.ask("dead_rows", {"dead_min": DEAD_MIN})
    if rows:
        told = [f"{name} ({dead:,} dead, {live:,} live)" for name, dead, live in rows]
        return warning(
            f"mostly dead rows: {named(told)}",
            why="Every scan reads them, and the files do not shrink by themselves.",
            hint="Run VACUUM (ANALYZE) on the table; find what holds autovacuum back.",
        )
    return ok("no table is mostly dead rows")


CHECK = Check(name="dead_rows", title="Tables are not bloated", run=_run)
