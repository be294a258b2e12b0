"""When an instrument is traded: weekly sessions by the clocks of a place.

Owns the rule only; the rows live in `trading_sessions` and are read by `trading`. Foreign exchange
is traded from Sunday 17:00 to Friday 17:00 in New York, which is one session over the week's end.
"""

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct

FOREX_PLACE = "America/New_York"

_DAY_SECONDS = 86_400


class TradingSession(Struct, frozen=True, kw_only=True):
    """One session of the week; weekdays are ISO 8601's, Monday is 1 and Sunday 7.

    The instant of opening belongs to it, the instant of closing does not.
    """

    opens_weekday: int
    opens_at: time
    closes_weekday: int
    closes_at: time
    timezone: str

    def holds(self, now: datetime) -> bool:
        """Return whether an instant lies in the session, by the clocks of its place."""
        local = now.astimezone(ZoneInfo(self.timezone))
        here = _second_of_week(local.isoweekday(), local.time())
        opens = _second_of_week(self.opens_weekday, self.opens_at)
        closes = _second_of_week(self.closes_weekday, self.closes_at)
        if opens < closes:
            return opens <= here < closes
        return here >= opens or here < closes


FOREX_WEEK = TradingSession(
    opens_weekday=7,
    opens_at=time(17),
    closes_weekday=5,
    closes_at=time(17),
    timezone=FOREX_PLACE,
)


def is_open(sessions: Iterable[TradingSession], now: datetime) -> bool:
    """Return whether any of the sessions holds the instant; without sessions it is always open."""
    asked = tuple(sessions)
    return not asked or any(session.holds(now) for session in asked)


def _second_of_week(weekday: int, clock: time) -> int:
    return (weekday - 1) * _DAY_SECONDS + (clock.hour * 60 + clock.minute) * 60 + clock.second
