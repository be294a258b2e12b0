"""Values of the due-job runner: jobs, what they need, and what came of their runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from tradewright.payments.model import Provider
from tradewright.payments.providers import PaymentProvider
from tradewright.payments.webhooks.post import Endpoint
from tradewright.postgres.retry import SessionSource


class Outcome(StrEnum):
    """What came of a job that was due."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BUSY = "busy"
    NOT_EQUIPPED = "not_equipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a runner gives its jobs: sessions in autocommit, providers, whom to tell, a folder."""

    source: SessionSource
    providers: Mapping[Provider, PaymentProvider] = field(default_factory=dict)
    endpoint: Endpoint | None = None
    archive_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How much a run did, and in words what it had to leave undone, if anything."""

    count: int
    left: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job by its name: the work, which returns how much was done, and what a runner may lack.

    Work that was cut off anywhere is begun again, so doing it again must do only what is left.
    """

    name: str
    work: Callable[[Means], int | Done]
    lacks: Callable[[Means], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job is due: each time an interval has passed, or at a time of each day in UTC."""

    every: timedelta | None
    daily_at: time | None

    def __str__(self) -> str:
        return f"every {self.every}" if self.every else f"daily at {self.daily_at:%H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a runner did about one job that was due."""

    job: str
    outcome: Outcome
    done_count: int | None = None
    seconds: float = 0.0
    error_code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """A job now: its schedule, and what came of its last run that has ended."""

    name: str
    schedule: str
    is_enabled: bool
    next_due_at: datetime
    overdue_seconds: float
    running_since: datetime | None
    failure_count: int
    last_outcome: str | None
    last_finished_at: datetime | None
    last_seconds: float | None
    last_done_count: int | None
    last_error: str | None
