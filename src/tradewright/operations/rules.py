"""When a job is due again. No I/O; the instants are the database's."""

from datetime import datetime, timedelta

from tradewright.operations.model import Schedule

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_DAY = timedelta(days=1)


def due_after_success(schedule: Schedule, due_at: datetime, now: datetime) -> datetime:
    """Return the next instant of the schedule after `now`; what was missed is not made up for.

    An interval keeps its beat: it counts from when the job was due, not from when it ended.
    """
    if schedule.every is not None:
        return due_at + schedule.every * (max(now - due_at, timedelta(0)) // schedule.every + 1)
    if schedule.daily_at is None:
        raise ValueError("a schedule has an interval or a time of day")
    today = datetime.combine(now.date(), schedule.daily_at, tzinfo=now.tzinfo)
    return today if today > now else today + _DAY


def due_after_failure(failure_count: int, now: datetime) -> datetime:
    """Return when to try again after so many failures in a row: later each time, never never."""
    doublings = min(failure_count - 1, 10)
    return now + min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)
