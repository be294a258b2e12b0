"""What positions were worth when they were opened, for groups that compute margin at that.

The rate of a position is what one unit of base was worth in the account's currency: price times
conversion rate of its opening trades, weighted by quantity; closing keeps it. It is written after
each trade, read only for the accounts of such groups, and held by a law against the trades.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.margin import Exposure
from tradewright.risk.model import MarginPrice
from tradewright.trading.state import AccountState, PositionState

RATE_QUANTUM = Decimal("0.000000000001")
"""Conversion rates are kept to twelve decimals."""


def opening_rate(account: AccountState, price: Decimal, quote_rate: Decimal) -> Decimal | None:
    """Return what a unit of base is worth at an opening price; None where margin is not at that."""
    if account.group.margin_price is MarginPrice.CURRENT:
        return None
    return price * quote_rate


def average_rate(one: Exposure, added: Exposure) -> Decimal | None:
    """Return the opening rate of a position after more is opened on its side.

    Rounded half up to twelve decimals, as PostgreSQL's round(rate, 12).
    """
    if one.opening_rate is None or added.opening_rate is None:
        return None
    worth = one.quantity * one.opening_rate + added.quantity * added.opening_rate
    mean = worth / (one.quantity + added.quantity)
    return mean.quantize(RATE_QUANTUM, rounding=ROUND_HALF_UP)


def opening_rate_after(
    account: AccountState, position: PositionState, opened: tuple[Decimal, Decimal, Decimal]
) -> Decimal | None:
    """Return the opening rate of a position after a quantity is opened at a price and rate."""
    quantity, price, quote_rate = opened
    rate = opening_rate(account, price, quote_rate)
    if rate is None:
        return None
    added = Exposure(position.instrument, quantity, price, rate)
    if not position.quantity:
        return rate.quantize(RATE_QUANTUM, rounding=ROUND_HALF_UP)
    return average_rate(position.exposure(), added)


def read_opening_rates(
    statements: Statements | Session, accounts: Mapping[str, AccountState]
) -> None:
    """Give positions their opening rates, in accounts whose group computes margin at them."""
    ids = [
        one.id
        for one in accounts.values()
        if one.group.margin_price is MarginPrice.OPEN and one.positions
    ]
    if not ids:
        return
    found = statements.execute(load_queries("tradewright.trading")["opening_rates"], {"ids": ids})
    for account_id, symbol, position_id, rate in found.fetchall():
        position = accounts[account_id].position(symbol, position_id)
        if position is not None:
            position.opening_rate = rate
