"""WAL is archived, where the house has declared that it is."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok


def _run(ground: Ground) -> Finding:
    within, wal_level, mode, last, failed, now, is_standby = ground.ask("archiving")[0]
    if is_standby:
        return ok("this is a standby: its primary archives")
    if within is None:
        return ok(f"not declared; archive_mode is {mode}")
    problem = ""
    if wal_level == "minimal" or mode == "off":
        problem = f"wal_level is {wal_level}, archive_mode is {mode}"
    elif failed is not None and (last is None or failed > last):
        problem = f"archiving fails since {failed:%Y-%m-%d %H:%M} UTC"
    elif last is None or now - last > within:
        problem = f"nothing was archived for more than {within}"
    if problem:
        return failure(
            problem,
            why="What was committed since the last backup would be lost with the server.",
            hint="Set archive_mode and archive_command, archive_timeout below what is declared, "
            "and look into pg_stat_archiver and the server's log.",
        )
    return ok(f"the last WAL was archived {last:%Y-%m-%d %H:%M} UTC")


CHECK = Check(name="archiving", title="WAL is archived", run=_run)
