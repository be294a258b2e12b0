"""What instruments bind as margin beside the leverage, as it is set by a named actor.

The rows are read with the instruments (`reference`) and kept in memory; `risk/margin` has the
formulas. A change holds for every batch that begins after it was committed.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ranges import POSITIVE, Range, require_ranges
from tradewright.liquidity.instrument import MarginTier
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.risk.margin import HUNDRED

_QUERIES = "tradewright.trading"
_SHARE = Range(Decimal(0), HUNDRED, decimals=6)
"""Shares are kept as parts of one, and told in percent."""


def set_margin_rates(
    connection: Session,
    symbol: str,
    *,
    rate: Decimal | None = None,
    rate_min_retail: Decimal | None = None,
    actor: str,
) -> None:
    """Set the least shares of the notional that an instrument binds; what is None stays.

    Works in a transaction of its own.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, MARGIN_TERMS_MALFORMED.

    """
    _require_shares({"margin rate": rate, "least margin of retail clients": rate_min_retail})
    try:
        with connection.transaction():
            acting_as(connection, actor)
            _set_rates(connection, symbol, rate, rate_min_retail)
    except psycopg.Error as error:
        raise translate(error) from error


def set_margin_tiers(
    connection: Session, symbol: str, tiers: Sequence[MarginTier], *, actor: str
) -> None:
    """Let an instrument have these tiers and no others; none clears them.

    Works in a transaction of its own.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, MARGIN_TERMS_MALFORMED.

    """
    for tier in tiers:
        threshold = {"threshold of a tier": tier.above}
        ranges = {"threshold of a tier": POSITIVE}
        require_ranges(ErrorCode.MARGIN_TERMS_MALFORMED, threshold, ranges)
        _require_shares({"margin rate of a tier": tier.rate})
    _require_rising(tiers)
    columns = {
        "symbol": symbol,
        "above": [tier.above for tier in tiers],
        "rates": [tier.rate for tier in tiers],
    }
    try:
        with connection.transaction():
            acting_as(connection, actor)
            _set_rates(connection, symbol, None, None)
            connection.execute(load_queries(_QUERIES)["set_margin_tiers"], columns)
    except psycopg.Error as error:
        raise translate(error) from error


def _set_rates(
    connection: Session, symbol: str, rate: Decimal | None, rate_min_retail: Decimal | None
) -> None:
    """Lock the instrument, so that its terms change one after another, and set what is given."""
    columns = {"symbol": symbol, "rate": rate, "rate_min_retail": rate_min_retail}
    row = connection.execute(load_queries(_QUERIES)["set_margin_rates"], columns).fetchone()
    if row is None:
        raise _unknown(symbol)


def _require_shares(shares: Mapping[str, Decimal | None]) -> None:
    percents = {name: None if one is None else one * HUNDRED for name, one in shares.items()}
    ranges = dict.fromkeys(shares, _SHARE)
    require_ranges(ErrorCode.MARGIN_TERMS_MALFORMED, percents, ranges, unit=" %")


def _require_rising(tiers: Sequence[MarginTier]) -> None:
    """Refuse tiers by which a larger notional would not pay a higher rate."""
    below = MarginTier(Decimal(0), Decimal(0))
    for tier in tiers:
        if not (tier.above > below.above and tier.rate > below.rate):
            raise InputError(
                ErrorCode.MARGIN_TERMS_MALFORMED,
                f"a tier of {_percent(tier)} above {tier.above:f} cannot follow one of "
                f"{_percent(below)} above {below.above:f}",
                why="A larger notional pays a higher rate.",
                hint="Give thresholds and rates that rise together.",
                facts={"above": tier.above, "rate": tier.rate},
            )
        below = tier


def _percent(tier: MarginTier) -> str:
    return f"{(tier.rate * HUNDRED).normalize():f} %"


def _unknown(symbol: str) -> InputError:
    return InputError(
        ErrorCode.INSTRUMENT_UNKNOWN,
        f'unknown instrument "{symbol}"',
        why="Margin terms are those of an instrument of this broker.",
        hint="List the instruments with `tradewright margin list`.",
        facts={"symbol": symbol},
    )
