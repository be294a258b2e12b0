"""Swap terms and holidays as they are set and read, and what has been rolled over so far.

Terms are never changed: new ones hold from a later day. Everything is read when a batch rolls
over, once a day for an account, so an order pays nothing for it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from msgspec import Struct
from msgspec.structs import asdict

from tradewright.core.errors import ErrorCode
from tradewright.core.money import minor_unit
from tradewright.core.ranges import NOT_NEGATIVE, SIGNED, require_ranges, whole
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.trading.swaps import PastGroups, SwapBook, SwapForm, SwapTerms

DAYS_MAX = 31
"""How many days of a position one command books at the most."""

_SETTLES_WITHIN = timedelta(days=31)
_QUERIES = "tradewright.trading"
_RANGES = {
    "long_rate": SIGNED,
    "short_rate": SIGNED,
    "settlement_days": whole(0, 2),
    "swap_free_fee": NOT_NEGATIVE,
    "grace_nights": whole(0, 365),
}


class Rolling(Struct, frozen=True):
    """What a rollover must know: when each position is first and was last rolled, and the terms.

    `first` is the first rollover that a position was open over. `held` is what positions were
    rolled over for by (position, day), of accounts for which a provider tells of an old deal.
    """

    first: dict[str, date]
    rolled: dict[str, date]
    book: SwapBook
    held: dict[tuple[str, date], Decimal] = {}
    past: PastGroups = PastGroups({}, {})


NO_ROLLING = Rolling({}, {}, SwapBook({}, {}))
"""What a batch without a rollover reads."""


def set_swap_terms(connection: Session, terms: SwapTerms) -> None:
    """Set what holding an instrument costs from a day on, once.

    Raises:
        InputError: SWAP_TERMS_MALFORMED, INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.
        StateError: SWAP_TERMS_SET.

    """
    minor_unit(terms.currency)
    require_ranges(ErrorCode.SWAP_TERMS_MALFORMED, asdict(terms), _RANGES)
    try:
        connection.execute(load_queries(_QUERIES)["add_swap_terms"], asdict(terms))
    except psycopg.Error as error:
        raise translate(error) from error


def add_holiday(connection: Session, currency: str, holiday_on: date) -> None:
    """Say that a currency does not settle on a day; saying it again changes nothing.

    Raises:
        InputError: INPUT_CURRENCY_UNKNOWN.

    """
    minor_unit(currency)
    connection.execute(
        load_queries(_QUERIES)["add_rollover_holiday"],
        {"currency": currency, "holiday_on": holiday_on},
    )


def end_days(statements: Statements, through: date) -> None:
    """Say that the days up to one have ended, when the batches of now are booked."""
    statements.execute(load_queries(_QUERIES)["end_trading_days"], {"through": [through]})


def read_rolling(
    statements: Statements, account_ids: Sequence[str], through: date, late: Mapping[str, date]
) -> Rolling:
    """Read what rolling some accounts over up to a day needs; their accounts are locked.

    `late` are the accounts of which a provider tells late, with the first day that it concerns.
    """
    queries = load_queries(_QUERIES)
    rows = statements.execute(queries["positions_to_roll"], {"ids": list(account_ids)}).fetchall()
    rolled = {row[0]: row[2] for row in rows if row[2] is not None}
    first = {row[0]: row[1] for row in rows if row[1] is not None}
    since = min([through, *rolled.values(), *first.values(), *late.values()])
    terms: dict[str, list[SwapTerms]] = {}
    for row in statements.execute(queries["swap_terms_since"], {"since": [since]}).fetchall():
        terms.setdefault(row[0], []).append(_terms(row))
    holidays: dict[str, frozenset[date]] = {}
    until = {"since": [since], "until": [through + _SETTLES_WITHIN]}
    for currency, days in statements.execute(queries["rollover_holidays"], until).fetchall():
        holidays[currency] = frozenset(days)
    book, past = SwapBook(terms, holidays), _read_past(statements, account_ids, since)
    held = _read_held(statements, late) if late else {}
    return Rolling(first, rolled, book, held, past)


def _read_past(statements: Statements, account_ids: Sequence[str], since: date) -> PastGroups:
    """Read what held at ends of days since one, of what was changed later."""
    queries, days = load_queries(_QUERIES), {"since": [since]}
    of_accounts = {"ids": account_ids, "since": [since]}
    groups: dict[str, list[tuple[date, str]]] = {}
    for row in statements.execute(queries["past_account_groups"], of_accounts).fetchall():
        groups.setdefault(row[0], []).append((row[1], row[2]))
    freedoms: dict[str, list[tuple[date, bool]]] = {}
    for row in statements.execute(queries["past_swap_freedoms"], days).fetchall():
        freedoms.setdefault(row[0], []).append((row[1], row[2]))
    return PastGroups(groups, freedoms)


def _read_held(statements: Statements, late: Mapping[str, date]) -> dict[tuple[str, date], Decimal]:
    """Read for what quantity positions have been rolled over since the first day of concern."""
    rows = statements.execute(
        load_queries(_QUERIES)["rolled_quantities"],
        {"ids": sorted(late), "since": [min(late.values())]},
    )
    return {(row[0], row[1]): row[2] for row in rows.fetchall()}


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
        swap_free_fee=row[8],
        grace_nights=row[9],
    )
