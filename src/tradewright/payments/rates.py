"""Exchange rates with their age: written as they are observed, refused once they are old.

A rate is the worth of one unit of the base currency in the quote currency. Without a fresh rate
nothing is converted; it is never taken to be 1.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.money import minor_unit
from tradewright.core.ranges import POSITIVE, require_ranges
from tradewright.payments import store
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate

RATE_AGE_MAX = timedelta(days=4)
"""An older rate measures no limit. Markets are closed from Friday to Sunday, and at Easter from
Thursday to Monday; meanwhile a limit is measured at the last price before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateObserved:
    """What one unit of `base` was worth in `quote`, by whose word and when."""

    base: str
    quote: str
    rate: Decimal
    source: str
    observed_at: datetime


def record_rates(connection: Session, observed: Iterable[RateObserved]) -> int:
    """Keep rates; return how many were new. The same observation again is not written again.

    Raises:
        InputError: INPUT_CURRENCY_UNKNOWN, EXCHANGE_RATE_MALFORMED, INPUT_INSTANT_FUTURE.

    """
    return sum(_record(connection, each) for each in observed)


def read_rate(
    connection: Session, base: str, quote: str, *, age_max: timedelta = RATE_AGE_MAX
) -> RateObserved:
    """Return the newest rate of a pair whose instant has come, as long as it is fresh.

    Raises:
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    row = store.one(connection, "newest_rate", base=base, quote=quote)
    if row is None:
        raise StateError(
            ErrorCode.EXCHANGE_RATE_MISSING,
            f"there is no rate from {base} to {quote}",
            why="A missing rate is never taken to be 1.",
            hint="Record a rate with tradewright payments rate.",
        )
    rate, source, observed_at, age = row
    if age > age_max:
        raise StateError(
            ErrorCode.EXCHANGE_RATE_STALE,
            f"the rate from {base} to {quote} is {age // timedelta(seconds=1)} s old",
            why=f"Nothing is measured at a rate older than {age_max // timedelta(hours=1)} hours.",
            hint="Record a newer rate with tradewright payments rate.",
            facts={"source": source, "observed_at": observed_at},
        )
    return RateObserved(base=base, quote=quote, rate=rate, source=source, observed_at=observed_at)


def _record(connection: Session, observed: RateObserved) -> bool:
    minor_unit(observed.base)
    minor_unit(observed.quote)
    if observed.base == observed.quote:
        raise InputError(
            ErrorCode.EXCHANGE_RATE_MALFORMED,
            f"there is no rate from {observed.base} to {observed.quote}",
            why="A rate is a number above zero between two currencies.",
            hint="Give what one unit of the first currency is worth in the second.",
        )
    name = f"rate from {observed.base} to {observed.quote}"
    require_ranges(ErrorCode.EXCHANGE_RATE_MALFORMED, {name: observed.rate}, {name: POSITIVE})
    try:
        return store.one(connection, "record_rate", **asdict(observed)) is not None
    except psycopg.Error as error:
        if error.diag.constraint_name == "exchange_rates_are_of_the_past":
            raise _of_the_future(observed) from error
        raise translate(error) from error


def _of_the_future(observed: RateObserved) -> InputError:
    return InputError(
        ErrorCode.INPUT_INSTANT_FUTURE,
        f"a rate cannot have been observed at {observed.observed_at}, which has not come yet",
        why="It would be the newest until then, and for days to come.",
        hint="Give when it was observed, at most a minute ahead of the server's clock.",
    )
