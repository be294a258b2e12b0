"""Swap terms and holidays as they are set and read, and what has been rolled over so far.

Terms are never changed: new ones hold from a later day. Everything is read when a batch rolls
over, once a day for an account, so an order pays nothing for it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from msgspec import Struct
from msgspec.structs import asdict

from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.trading.swaps import SwapBook, SwapForm, SwapTerms

DAYS_MAX = 31
"""How many days of a position one command books at the most."""

_SETTLES_WITHIN = timedelta(days=31)
_QUERIES = "tradewright.trading"


class Rolling(Struct, frozen=True):
    """What a rollover must know: when each position was opened and last rolled, and the terms.

    `opened` is the market's time of the quote that the position was opened on.
    """

    opened: dict[str, datetime]
    rolled: dict[str, date]
    book: SwapBook


NO_ROLLING = Rolling({}, {}, SwapBook({}, {}))
"""What a batch without a rollover reads."""


def set_swap_terms(connection: Session, terms: SwapTerms) -> None:
    """Set what holding an instrument costs from a day on, once.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.
        StateError: SWAP_TERMS_SET.

    """
    try:
        connection.execute(load_queries(_QUERIES)["add_swap_terms"], asdict(terms))
    except psycopg.Error as error:
        raise translate(error) from error


def add_holiday(connection: Session, currency: str, holiday_on: date) -> None:
    """Say that a currency does not settle on a day; saying it again changes nothing."""
    connection.execute(
        load_queries(_QUERIES)["add_rollover_holiday"],
        {"currency": currency, "holiday_on": holiday_on},
    )


def read_rolling(statements: Statements, account_ids: Sequence[str], through: date) -> Rolling:
    """Read what rolling some accounts over up to a day needs; their accounts are locked."""
    queries = load_queries(_QUERIES)
    rows = statements.execute(queries["positions_to_roll"], {"ids": list(account_ids)}).fetchall()
    rolled = {row[0]: row[2] for row in rows if row[2] is not None}
    opened = {row[0]: row[1] for row in rows}
    since = min([through, *rolled.values(), *(one.date() for one in opened.values())])
    terms: dict[str, list[SwapTerms]] = {}
    for row in statements.execute(queries["swap_terms_since"], {"since": [since]}).fetchall():
        terms.setdefault(row[0], []).append(_terms(row))
    holidays: dict[str, frozenset[date]] = {}
    until = {"since": [since], "until": [through + _SETTLES_WITHIN]}
    for currency, days in statements.execute(queries["rollover_holidays"], until).fetchall():
        holidays[currency] = frozenset(days)
    return Rolling(opened, rolled, SwapBook(terms, holidays))


def _terms(row: tuple[Any, ...]) -> SwapTerms:
    return SwapTerms(
        symbol=row[0],
        effective_on=row[1],
        form=SwapForm(row[2]),
        long_rate=row[3],
        short_rate=row[4],
        currency=row[5],
        settlement_days=row[6],
        is_daily=row[7],
    )
