"""The trading day of the currency market: it ends at 17:00 in New York, from Monday to Friday.

New York's summer time moves that end between 21:00 and 22:00 UTC. What falls on a weekend belongs
to the day that ends on Monday. Daylight saving is the zone database's business (`zoneinfo`).
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ENDS_AT = time(17)
_NEW_YORK = ZoneInfo("America/New_York")
_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def trading_day_end(instant: datetime) -> datetime:
    """Return when the trading day of `instant` ends, in UTC; that end belongs to the next day."""
    day = instant.astimezone(_NEW_YORK).date()
    end = _end_of(day)
    while end <= instant or day.weekday() >= _SATURDAY:
        day += _ONE_DAY
        end = _end_of(day)
    return end


def end_of_day(day: date) -> datetime:
    """Return 17:00 in New York of a calendar day, in UTC."""
    return _end_of(day)


def last_ended_day(instant: datetime) -> date:
    """Return the last calendar day whose 17:00 in New York is not after an instant."""
    day = instant.astimezone(_NEW_YORK).date()
    return day if _end_of(day) <= instant else day - _ONE_DAY


def _end_of(day: date) -> datetime:
    return datetime.combine(day, ENDS_AT, _NEW_YORK).astimezone(UTC)
