"""What is traded, when and at which prices; and what time it is here. For every key alike."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from tradewright.core.clock import utc_now
from tradewright.liquidity.instrument import Instrument
from tradewright.server.http.callers import Calling, Database
from tradewright.server.http.values import Amount, Answer, Instant
from tradewright.trading.instruments import find_instrument
from tradewright.trading.known_prices import read_tops
from tradewright.trading.reference import read_instruments

router = APIRouter(prefix="/v1", tags=["instruments"])

NamedSymbol = Annotated[str, Path(pattern="^[A-Z0-9]{3,12}$")]


class Session(Answer):
    """A session of the week by the clocks of a place; weekdays are of ISO 8601, Monday is 1."""

    opens_weekday: int
    opens_at: Annotated[str, Field(examples=["17:00:00"])]
    closes_weekday: int
    closes_at: str
    timezone: str


class Listed(Answer):
    """An instrument with its terms; without sessions it is traded always."""

    symbol: str
    base_currency: str
    quote_currency: str
    asset_class: str
    quantity_step: Amount
    quantity_min: Amount
    quantity_max: Amount
    price_tick: Amount
    contract_size: Amount
    leverage_max: int
    leverage_max_retail: int
    commission_per_million: Amount
    is_tradable: bool
    is_in_session: bool
    sessions: list[Session]


class Instruments(Answer):
    """Instruments by their symbols."""

    instruments: list[Listed]


class LastQuote(Answer):
    """The newest best bid and ask that are known: to value by, not an offer to deal."""

    symbol: str
    bid: Amount
    ask: Amount
    quoted_at: Instant


class LastQuotes(Answer):
    """Quotes by their symbols; an instrument that never had a price is not among them."""

    quotes: list[LastQuote]


class Time(Answer):
    """What the server's clock says."""

    now: Instant


@router.get("/time", summary="What time it is here")
def time(_: Calling) -> Time:
    """Tell the time of the server."""
    return Time(now=utc_now())


@router.get("/instruments", summary="What is traded")
def instruments(_: Calling, session: Database) -> Instruments:
    """List instruments with their terms and sessions, those that are not tradable now too."""
    now = utc_now()
    found = read_instruments(session)
    return Instruments(instruments=[_listed(found[symbol], now) for symbol in sorted(found)])


@router.get("/instruments/{symbol}", summary="An instrument")
def instrument(_: Calling, session: Database, symbol: NamedSymbol) -> Listed:
    """Show an instrument with its terms and sessions."""
    return _listed(find_instrument(session, symbol), utc_now())


@router.get("/quotes", summary="The newest prices that are known")
def quotes(_: Calling, session: Database) -> LastQuotes:
    """List the last best bid and ask of each symbol, by which accounts are valued, too."""
    tops = read_tops(session)
    rows = [
        LastQuote(symbol=symbol, bid=top.bid, ask=top.ask, quoted_at=top.quoted_at)
        for symbol, top in sorted(tops.items())
    ]
    return LastQuotes(quotes=rows)


def _listed(one: Instrument, now: datetime) -> Listed:
    sessions = [
        Session(
            opens_weekday=each.opens_weekday,
            opens_at=each.opens_at.isoformat(),
            closes_weekday=each.closes_weekday,
            closes_at=each.closes_at.isoformat(),
            timezone=each.timezone,
        )
        for each in one.sessions
    ]
    terms = {
        name: getattr(one, name)
        for name in Listed.model_fields
        if name not in {"sessions", "is_in_session"}
    }
    return Listed(**terms, sessions=sessions, is_in_session=one.is_in_session(now))
