"""Instants as FIX writes them (UTCTimestamp), both ways."""

from datetime import UTC, datetime

_TIME_FORM = "%Y%m%d-%H:%M:%S.%f"


def as_time(instant: datetime) -> str:
    """Return an instant as FIX writes it, to the millisecond (UTCTimestamp)."""
    return instant.strftime(_TIME_FORM)[:-3]


def read_time(text: str) -> datetime:
    """Return the instant of a UTCTimestamp; what is finer than a microsecond is cut off.

    Raises:
        ValueError: it is none.

    """
    whole, _, fraction = text.partition(".")
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise ValueError(f"{text!r} is no time")
    at = datetime.strptime(whole, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0")))
