"""Who trades in a soak: an account of each book and each mode of positions, and what they trade.

Few, so that all clients meet in them. Half of the users are retail clients, whose leverage is
capped and whose debts are forgiven; the others are lent something to trade with. One account is
kept in euros, so that results are converted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from tradewright.core.ids import new_id_text
from tradewright.ledger import credit, transfer_to_account
from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.instrument import Instrument
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass, MarginPrice, PendingMargin
from tradewright.routing import Policy, Ramp, set_policy
from tradewright.routing.model import Book
from tradewright.soak.trading.engines import PROFILES
from tradewright.soak.trading.market import LISTED, OPENS_AT
from tradewright.trading.credit import grant_credit
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.registry import (
    AccountSettings,
    grant_role,
    list_instrument,
    list_provider,
    open_account,
    open_user,
)
from tradewright.trading.swap_store import set_swap_terms
from tradewright.trading.swaps import SwapForm, SwapTerms

ENGINE_LOGIN = {"user": "soak_engine", "password": "soak"}
"""Engines work with the rights of the application; the server is gone with the soak."""

WALLET_OPENING = Decimal(1_000_000)
ACCOUNT_OPENING = Decimal(1_500)
CREDIT = Decimal(500)
CONDITIONS: Mapping[PositionMode, Mapping[str, Any]] = {
    PositionMode.FIFO: {"margin_price": MarginPrice.OPEN, "is_swap_free": True},
    PositionMode.HEDGING: {"pending_margin": PendingMargin.MAX_SIDE},
}
"""What groups compute and pay where not as the others do."""

IN_EUROS = 4
"""The number of the account that is kept in euros."""

_LOT = Decimal(1_000)


@dataclass(frozen=True, slots=True)
class Stage:
    """The accounts, and the transactions that funded them."""

    account_ids: Sequence[str]
    openings: frozenset[str]


def open_stage(session: Session) -> Stage:
    """List the market, and open and fund the accounts, in the caller's transaction."""
    session.execute(load_queries("tradewright.soak.trading")["open_engine_login"])
    for listed in LISTED:
        list_instrument(session, _instrument(listed.symbol, listed.tick))
        set_policy(session, _policy(listed.symbol))
        set_swap_terms(session, _swap_terms(listed.symbol))
    for profile in PROFILES:
        list_provider(session, code=profile.code, priority=profile.priority)
    for mode in PositionMode:
        set_group(session, AccountGroup(code=mode, position_mode=mode, **CONDITIONS.get(mode, {})))
    account_ids, openings = [], []
    for number, (book, mode) in enumerate(product(Book, PositionMode)):
        account_id, opening = _open(session, number, book, mode)
        account_ids.append(account_id)
        openings.append(opening)
    return Stage(account_ids, frozenset(openings))


def _open(session: Session, number: int, book: Book, mode: PositionMode) -> tuple[str, str]:
    client_class = ClientClass.RETAIL if number % 2 else ClientClass.PROFESSIONAL
    currency = "EUR" if number == IN_EUROS else "USD"
    user_id = open_user(
        session, email=f"{number}@soak.example", client_class=client_class, kyc_level=4
    )
    grant_role(session, user_id, "trader")
    settings = AccountSettings(currency=currency, leverage=200, group=mode, book=book)
    account_id = open_account(session, user_id, settings)
    credit(session, user_id, currency, WALLET_OPENING, transaction_id=new_id_text())
    opening = new_id_text()
    transfer_to_account(session, account_id, ACCOUNT_OPENING, transaction_id=opening)
    if client_class is ClientClass.PROFESSIONAL:
        grant_credit(session, account_id, CREDIT)
    return account_id, opening


def _instrument(symbol: str, tick: Decimal) -> Instrument:
    return Instrument(
        symbol=symbol,
        base_currency=symbol[:3],
        quote_currency=symbol[3:],
        asset_class=AssetClass.FX_MAJOR,
        quantity_step=_LOT,
        quantity_min=_LOT,
        quantity_max=_LOT * 10_000,
        price_tick=tick,
        leverage_max=200,
        leverage_max_retail=30,
        commission_per_million=Decimal(30),
        quote_age_max=timedelta(seconds=60),
        is_tradable=True,
    )


def _swap_terms(symbol: str) -> SwapTerms:
    """Return what a position pays or earns over the one rollover of the soak's market."""
    return SwapTerms(
        symbol=symbol,
        effective_on=OPENS_AT.date() - timedelta(days=30),
        form=SwapForm.POINTS,
        long_rate=Decimal("-6.5"),
        short_rate=Decimal("2.25"),
        currency=symbol[3:],
        swap_free_fee=Decimal("12.5"),
    )


def _policy(symbol: str) -> Policy:
    """Return what divides hybrid orders: a third at least, more of the large and the exposed.

    What other books bring above the limit is hedged.
    """
    return Policy(
        symbol=symbol,
        default_percent=33,
        size=Ramp(Decimal(20_000), Decimal(200_000)),
        exposure=Ramp(Decimal(50_000), Decimal(500_000)),
        exposure_limit=Decimal(600_000),
        hedge_target=Decimal(200_000),
    )
