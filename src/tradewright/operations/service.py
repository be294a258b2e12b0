"""Run what is due, each job by one runner at a time, and record what came of it.

Any number of runners may run beside each other. A job is claimed by a lock of the session that
keeps its record; a runner that is killed loses the session and with it the claim, and the next
runner writes its run down as lost and runs the job again. The work has sessions of its own.
"""

from collections.abc import Iterable, Mapping

import psycopg

from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.operations import store
from tradewright.operations.jobs import JOBS
from tradewright.operations.model import Done, Job, JobStatus, Means, Outcome, RunReport
from tradewright.operations.rules import due_after_failure, due_after_success
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate


def run_due(means: Means, jobs: Iterable[Job] = JOBS.values()) -> list[RunReport]:
    """Run each job that is due once; return what came of each, in the order of their due times.

    A job whose means this runner lacks is left to another and reported as such. What a job raises
    is recorded and reported, and holds up no other job.

    Raises:
        DatabaseError: the record itself could not be kept.

    """
    known = {job.name: job for job in jobs}
    try:
        with means.source() as keeper:
            names = [name for name in store.read_due(keeper) if name in known]
            return [_run_claimed(keeper, means, known[name]) for name in names]
    except psycopg.Error as error:
        raise translate(error) from error


def list_jobs(connection: Session) -> list[JobStatus]:
    """Read every job with its schedule and what came of its last run."""
    return store.read_jobs(connection)


def _run_claimed(keeper: Session, means: Means, job: Job) -> RunReport:
    lacking = job.lacks(means)
    if lacking:
        return RunReport(job=job.name, outcome=Outcome.NOT_EQUIPPED, error=lacking)
    with store.claimed(keeper, job.name) as is_ours:
        run = store.begin_run(keeper, job.name) if is_ours else None
        if run is None:
            return RunReport(job=job.name, outcome=Outcome.BUSY)
        return _recorded(keeper, run, _worked(means, job))


def _worked(means: Means, job: Job) -> Mapping[str, object]:
    """Do the work; return what is to be recorded of it."""
    try:
        return _succeeded(job.work(means))
    except TradewrightError as error:
        told = error
    except psycopg.Error as error:
        told = translate(error)
    except Exception as error:  # noqa: BLE001 (a job's defect is recorded and stops no other job)
        text = f"{type(error).__name__}: {error}"
        return {"outcome": Outcome.FAILED, "error_code": ErrorCode.INTERNAL_DEFECT, "error": text}
    return {"outcome": Outcome.FAILED, "error_code": str(told.code), "error": told.render()}


def _succeeded(done: int | Done) -> Mapping[str, object]:
    count, left = (done.count, done.left) if isinstance(done, Done) else (done, None)
    return {"outcome": Outcome.SUCCEEDED, "done_count": count, "error": left}


def _recorded(keeper: Session, run: store.Begun, result: Mapping[str, object]) -> RunReport:
    """Record a run's end and when its job is due again, in one transaction."""
    with keeper.transaction():
        ended = store.end_run(keeper, run, **result)
        if ended is None:
            return RunReport(job=run.name, outcome=Outcome.BUSY)
        if result["outcome"] is Outcome.SUCCEEDED:
            next_due_at = due_after_success(run.schedule, run.due_at, ended[0])
            store.set_due(keeper, run.name, next_due_at, 0)
        else:
            failures = run.failure_count + 1
            store.set_due(keeper, run.name, due_after_failure(failures, ended[0]), failures)
    return RunReport(job=run.name, seconds=float(ended[1]), **result)  # type: ignore[arg-type]
