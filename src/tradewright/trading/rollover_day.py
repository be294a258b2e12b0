"""Rolling a day over by hand: every account that holds something, on recorded quotes.

For a day on which no engine ran. It books what the engine would, each position and day once, so
it may run beside engines and again. The market is that of the quotes before 17:00 in New York.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tradewright.core.clock import utc_now
from tradewright.core.errors import TradewrightError
from tradewright.core.trading_day import end_of_day
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderQuote, Quote
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Pipeline
from tradewright.postgres.queries import load_queries
from tradewright.trading.batch import Trading, book_batch
from tradewright.trading.reference import read_reference
from tradewright.trading.rollovers import require_ended
from tradewright.trading.swaps import RollOver, RolloverReport

ACCOUNTS_MAX = 500
QUOTE_AGE_MAX = timedelta(days=1)
_SIZE = Decimal(1)


@dataclass(frozen=True, slots=True)
class RolledDay:
    """How many accounts and position days were booked, and accounts that still wait for a price."""

    accounts: int
    booked: int
    waiting: int


def market_before(quotes: Iterable[Quote], day: date) -> Market:
    """Return the market as the quotes before the day's end in New York leave it."""
    market, end = Market(QuoteBoard(QUOTE_AGE_MAX)), end_of_day(day)
    for number, quote in enumerate(quotes):
        if quote.quoted_at >= end:
            break
        market.update(
            ProviderQuote(
                provider="RECORD",
                symbol=quote.symbol,
                bid=quote.bid,
                ask=quote.ask,
                bid_size=_SIZE,
                ask_size=_SIZE,
                quoted_at=quote.quoted_at,
                sequence=number,
            )
        )
    market.advance(end)
    return market


def roll_day(session: Session, market: Market, day: date) -> RolledDay:
    """Roll every account over up to a day; the session is in no transaction. Again is harmless.

    Raises:
        StateError: SWAP_DAY_NOT_ENDED, by the clock.
        TradewrightError: a batch could not be booked; what was booked before it stands.

    """
    require_ended(day, utc_now())
    with session.transaction():
        reference = read_reference(session)
        rows = session.execute(load_queries("tradewright.trading")["accounts_holding"]).fetchall()
    trading = Trading(reference, market, threading.Lock())
    pipeline, booked, waiting = Pipeline(session), 0, 0
    for start in range(0, len(rows), ACCOUNTS_MAX):
        left = [row[0] for row in rows[start : start + ACCOUNTS_MAX]]
        while left:
            count, unfinished = _roll(pipeline, trading, left, day)
            booked += count
            if not count:
                waiting += len(unfinished)
                break
            left = unfinished
    return RolledDay(len(rows), booked, waiting)


def _roll(
    pipeline: Pipeline, trading: Trading, account_ids: Sequence[str], day: date
) -> tuple[int, list[str]]:
    """Roll accounts over once; return how many days were booked, and who is not done."""
    commands = [RollOver(account_id=account_id, through=day) for account_id in account_ids]
    booked, unfinished = 0, []
    answers = book_batch(pipeline, trading, commands).answers
    for account_id, answer in zip(account_ids, answers, strict=True):
        if isinstance(answer, TradewrightError):
            raise answer
        if isinstance(answer, RolloverReport):
            booked += answer.booked_count
        if not isinstance(answer, RolloverReport) or not answer.is_complete:
            unfinished.append(account_id)
    return booked, unfinished
