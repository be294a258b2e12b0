"""The audit log has a partition for each of the months to come."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, warning

_MONTHS_MIN = 2


def _run(ground: Ground) -> Finding:
    months, default, pending = ground.ask("audit_partitions")[0]
    if months < 1 + _MONTHS_MIN:
        told = f"ready for {months - 1} more months" if months else "not ready for this month"
        return failure(
            f"the audit log is {told}",
            why="Without a partition every audited change is refused, and with it the day's work.",
            hint="Run tradewright partitions make, and tradewright jobs run-due from then on.",
        )
    if default is not None:
        return warning(
            f"the audit log has a default partition, {default}",
            why="It forbids DETACH CONCURRENTLY, and rows in it keep their month from being made.",
            hint="Move its rows and detach it.",
        )
    if pending is not None:
        return warning(
            f"detaching {pending} was cut off",
            why="Its rows are in nobody's sight, and no other partition can be detached.",
            hint=f"Use ALTER TABLE audit_log DETACH PARTITION {pending} FINALIZE.",
        )
    return ok(f"the audit log is ready for {months - 1} more months")


CHECK = Check(name="audit_partitions", title="The audit log has room", run=_run)
