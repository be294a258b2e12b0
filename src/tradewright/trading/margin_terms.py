"""What instruments bind as margin beside the leverage, as it is set by a named actor.

The rows are read with the instruments (`reference`) and kept in memory; `risk/margin` has the
formulas. A change holds for every batch that begins after it was committed.
"""

from decimal import Decimal

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate

_QUERIES = "tradewright.trading"


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
    columns = {"symbol": symbol, "rate": rate, "rate_min_retail": rate_min_retail}
    try:
        with connection.transaction():
            acting_as(connection, actor)
            row = connection.execute(load_queries(_QUERIES)["set_margin_rates"], columns).fetchone()
            if row is None:
                raise _unknown(symbol)
    except psycopg.Error as error:
        raise translate(error) from error


def _unknown(symbol: str) -> InputError:
    return InputError(
        ErrorCode.INSTRUMENT_UNKNOWN,
        f'unknown instrument "{symbol}"',
        why="Margin terms are those of an instrument of this broker.",
        hint="List the instruments with `tradewright margin list`.",
        facts={"symbol": symbol},
    )
