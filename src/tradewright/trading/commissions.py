"""What a trade costs: commission per lot, in basis points or per million of notional.

Terms are set for a group, an instrument, or a group in an instrument; the most particular ones
hold, and without any the instrument's own price per million. The engine reads them at its start
and whenever they have changed; `positions` charges them per side, at the fill, once for all of it.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from msgspec import Struct

from tradewright.core.errors import ErrorCode
from tradewright.core.money import minor_unit
from tradewright.core.ranges import NOT_NEGATIVE, Range, require_ranges
from tradewright.liquidity.instrument import Instrument
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

BPS = Decimal(10_000)
MILLION = Decimal(1_000_000)


class CommissionForm(StrEnum):
    """What the rate is a price of: a lot, a ten-thousandth or a million of notional."""

    PER_LOT = "per_lot"
    BPS = "bps"
    PER_MILLION = "per_million"


class CommissionTerms(Struct, frozen=True, kw_only=True):
    """A rate and the least that a fill costs; both in `currency`, except a share of notional."""

    form: CommissionForm
    rate: Decimal
    currency: str
    minimum: Decimal = Decimal(0)


RATES = MappingProxyType(
    {
        CommissionForm.PER_LOT: NOT_NEGATIVE,
        CommissionForm.BPS: Range(Decimal(0), BPS),
        CommissionForm.PER_MILLION: Range(Decimal(0), MILLION),
    }
)
"""What a rate may be: a share of the notional is never more than all of it."""

TermsKey = tuple[str | None, str | None]
"""Group and symbol that terms are set for; None stands for all."""

TermsBook = Mapping[TermsKey, CommissionTerms]


def terms_for(
    book: TermsBook, group: str, instrument: Instrument, currency: str
) -> CommissionTerms:
    """Return the terms that hold for a group in an instrument, the most particular ones."""
    if book:
        for key in ((group, instrument.symbol), (group, None), (None, instrument.symbol)):
            if key in book:
                return book[key]
    return CommissionTerms(
        form=CommissionForm.PER_MILLION, rate=instrument.commission_per_million, currency=currency
    )


def commission(
    terms: CommissionTerms,
    instrument: Instrument,
    quantity: Decimal,
    rates: tuple[Decimal, Decimal],
) -> Decimal:
    """Return the commission of one side in the account's currency, before rounding.

    `rates` convert the base currency and the terms' currency; the middle is taken.
    """
    base_rate, terms_rate = rates
    size = abs(quantity)
    match terms.form:
        case CommissionForm.PER_LOT:
            amount = size / instrument.contract_size * terms.rate * terms_rate
        case CommissionForm.BPS:
            amount = size * base_rate * terms.rate / BPS
        case CommissionForm.PER_MILLION:
            amount = size * base_rate * terms.rate / MILLION
        case _:
            assert_never(terms.form)
    return max(amount, terms.minimum * terms_rate) if terms.minimum else amount


def spread(fee: Decimal, parts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Divide the commission of a fill among its trades by their quantities.

    Each share is rounded down to the currency's minor unit and the last takes what is left, so
    that none is below zero and together they are the fee.
    """
    if len(parts) == 1:
        return [fee]
    unit, whole = minor_unit(currency), sum(abs(part) for part in parts)
    shares = [(fee * abs(part) / whole).quantize(unit, rounding=ROUND_DOWN) for part in parts[:-1]]
    return [*shares, fee - sum(shares)]


def set_terms(
    connection: Session, terms: CommissionTerms, *, group: str | None, symbol: str | None
) -> None:
    """Set the terms of a group, of an instrument, or of a group in one; audited by trigger.

    Raises:
        InputError: COMMISSION_TERMS_MALFORMED, INPUT_CURRENCY_UNKNOWN.
        psycopg.Error: the group or the instrument does not exist.

    """
    minor_unit(terms.currency)
    require_ranges(
        ErrorCode.COMMISSION_TERMS_MALFORMED,
        {"commission rate": terms.rate, "least commission": terms.minimum},
        {"commission rate": RATES[terms.form], "least commission": NOT_NEGATIVE},
    )
    connection.execute(
        load_queries("tradewright.trading")["set_commission_terms"],
        {
            "group_code": group,
            "symbol": symbol,
            "form": terms.form,
            "rate": terms.rate,
            "currency": terms.currency,
            "minimum": terms.minimum,
        },
    )


def read_terms(statements: Statements) -> TermsBook:
    """Return all terms by group and symbol."""
    rows = statements.execute(
        load_queries("tradewright.trading")["commission_terms"], {}
    ).fetchall()
    return {
        (row[0], row[1]): CommissionTerms(
            form=CommissionForm(row[2]), rate=row[3], currency=row[4], minimum=row[5]
        )
        for row in rows
    }
