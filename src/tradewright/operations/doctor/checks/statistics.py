"""The planner knows the tables: after a restore or a large load it may know nothing."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning

BYTES_MIN = 1_000_000


def _run(ground: Ground) -> Finding:
    names = [row[0] for row in ground.ask("tables_without_statistics", {"bytes_min": BYTES_MIN})]
    if names:
        return warning(
            f"never analyzed: {named(names)}",
            why="Plans are made as for an empty table: what takes a millisecond may take minutes.",
            hint="Run vacuumdb --analyze-in-stages on the database, and see that autovacuum is on.",
        )
    return ok("every table of a megabyte or more was analyzed")


CHECK = Check(name="statistics", title="The planner knows the tables", run=_run)
