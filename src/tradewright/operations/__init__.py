"""What keeps a house running: jobs, each run when it is due, recorded, and tried again if it fails.

Read `service` for how a job is run, `rules` for when it is due again, and `jobs` for what there is.
Schedules live in the database (migration 008), where an operator changes them.
"""

from tradewright.operations.model import Job, JobStatus, Means, Outcome, RunReport
from tradewright.operations.service import list_jobs, run_due

__all__ = ["Job", "JobStatus", "Means", "Outcome", "RunReport", "list_jobs", "run_due"]
