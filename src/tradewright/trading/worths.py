"""What people are shown of accounts and positions: settings, and what is worth what, in cents.

The figures are those of `inquiry.worths_of`; a face shows them as they come from here.
"""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from tradewright.core.money import round_to_minor_unit
from tradewright.postgres.connect import Session
from tradewright.risk.margin import closing_price, conversion
from tradewright.trading.inquiry import ListedAccount, ListedPosition, worths_of
from tradewright.trading.known_prices import KnownPrices, read_tops
from tradewright.trading.reference import read_instruments

_PERCENT = Decimal("0.01")


def account_facts(session: Session, accounts: Sequence[ListedAccount]) -> list[dict[str, Any]]:
    """Return accounts with what they are worth, in their currencies."""
    worths = worths_of(session, accounts)
    rows = []
    for account in accounts:
        row, known = asdict(account), worths[account.id]
        row |= dict.fromkeys(("equity", "used_margin", "free_margin", "margin_level", "priced_at"))
        if known is not None:
            state, level = known.state, known.state.level
            worth = {"equity": state.equity, "used_margin": state.used, "free_margin": state.free}
            row |= {name: round_to_minor_unit(one, account.currency) for name, one in worth.items()}
            row["margin_level"] = None if level is None else level.quantize(_PERCENT)
            row["priced_at"] = known.priced_at
        rows.append(row)
    return rows


def position_facts(
    session: Session, positions: Sequence[ListedPosition], currency: str
) -> list[dict[str, Any]]:
    """Return open positions of an account in `currency` with the result of closing each now.

    The price is the newest that is known, as for the account's equity; None where one lacks.
    """
    instruments = read_instruments(session) if positions else {}
    prices = KnownPrices(read_tops(session)) if positions else KnownPrices({})
    return [
        asdict(each) | _closing(each, instruments[each.symbol].quote_currency, currency, prices)
        for each in positions
    ]


def _closing(
    position: ListedPosition, quoted_in: str, currency: str, prices: KnownPrices
) -> dict[str, Any]:
    top, rate = prices.top(position.symbol), prices.rate(quoted_in, currency)
    if top is None or rate is None:
        return {"current_price": None, "unrealised_pnl": None}
    price = closing_price(top, position.quantity)
    pnl = (price - position.average_price) * position.quantity
    result = round_to_minor_unit(pnl * conversion(pnl, rate), currency)
    return {"current_price": price, "unrealised_pnl": result}
