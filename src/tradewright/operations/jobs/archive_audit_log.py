"""Archive the months of the audit log that have grown old, into the folder of the runner.

A runner that lacks what it takes leaves the job to another one, and says so only when there is
something to archive; until then the job is done by anybody.
"""

from tradewright.operations import archive
from tradewright.operations.model import Done, Job, Means


def _lacks(means: Means) -> str:
    with means.source() as session:
        if not archive.months_to_archive(session):
            return ""
        if means.archive_folder is None:
            return "a folder to archive months of the audit log to"
        return "" if archive.may_archive(session) else "the rights of the owner of audit_log"


def _work(means: Means) -> Done:
    if means.archive_folder is None:
        return Done(0)
    reports = archive.run(means.source, means.archive_folder)
    left = [f"{report.month:%Y-%m}: {report.left}" for report in reports if report.left]
    return Done(sum(bool(report.steps) for report in reports), "; ".join(left) or None)


JOB = Job(name="archive_audit_log", work=_work, lacks=_lacks)
