"""Jobs are run when they are due, and succeed."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)


def _run(ground: Ground) -> Finding:
    rows = ground.ask("jobs_in_trouble")
    failing = [name for name, is_failing, _ in rows if is_failing]
    if failing:
        return failure(
            f"failing again and again: {named(failing)}",
            why="What they do is not done: holds stay, seals wait, partitions run out.",
            hint="See tradewright jobs list --json for their last error.",
        )
    if rows:
        late = [f"{name} by {seconds // 60} min" for name, _, seconds in rows]
        return warning(
            f"overdue: {named(late)}",
            why="No runner has come by, or none that has what the job needs.",
            hint="Start tradewright jobs run-due by cron, or disable a job that you do not need.",
        )
    return ok("all jobs are run when they are due")


CHECK = Check(name="jobs", title="Jobs are run", run=_run)
