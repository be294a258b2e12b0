"""Who trades in a soak of a house: users with a key, an account and some money, and a provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from tradewright.access import KeyTerms, Scope, create_key
from tradewright.core.ids import new_id_text
from tradewright.ledger import credit, transfer_to_account
from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.fix.connections import Connection, Purpose, set_connection
from tradewright.liquidity.instrument import Instrument
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.soak.house.commands import PRICES, QUANTITY_STEP
from tradewright.trading.groups import STANDARD
from tradewright.trading.registry import (
    AccountSettings,
    grant_role,
    list_instrument,
    list_provider,
    open_account,
    open_user,
)

PROVIDER = "LP-ONE"
LOGINS = {"app": "soak_app", "operator": "soak_operator"}
PASSWORD = "soak"  # noqa: S105 (the server is gone with the soak)

SEATS = 6
"""Few, so that all clients meet in them."""

WALLET_OPENING = Decimal(1_000_000)
ACCOUNT_OPENING = Decimal(20_000)


@dataclass(frozen=True, slots=True)
class Seat:
    """A user as a client program knows them: an account and a key."""

    account_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The seats, and the transactions that funded them."""

    seats: Sequence[Seat]
    openings: frozenset[str]


def open_stage(session: Session, ports: tuple[int, int]) -> Stage:
    """Open all in the caller's transaction; the provider's `ports` are for orders and quotes."""
    session.execute(load_queries("tradewright.soak.house")["open_logins"])
    for symbol in PRICES:
        list_instrument(session, _instrument(symbol))
    list_provider(session, code=PROVIDER, priority=1)
    for purpose, port in zip((Purpose.ORDERS, Purpose.QUOTES), ports, strict=True):
        set_connection(session, _connection(purpose, port))
    seats, openings = [], []
    for number in range(SEATS):
        seat, opening = _open(session, number)
        seats.append(seat)
        openings.append(opening)
    return Stage(seats, frozenset(openings))


def _open(session: Session, number: int) -> tuple[Seat, str]:
    user_id = open_user(
        session,
        email=f"{number}@soak.example",
        client_class=ClientClass.PROFESSIONAL,
        kyc_level=4,
    )
    grant_role(session, user_id, "trader")
    book = (Book.A, Book.A, Book.B)[number % 3]
    settings = AccountSettings(currency="USD", leverage=200, group=STANDARD, book=book)
    account_id = open_account(session, user_id, settings)
    credit(session, user_id, "USD", WALLET_OPENING, transaction_id=new_id_text())
    opening = new_id_text()
    transfer_to_account(session, account_id, ACCOUNT_OPENING, transaction_id=opening)
    terms = KeyTerms(name="soak", scopes=frozenset({Scope.READ, Scope.TRADE, Scope.PAY}))
    made = create_key(session, user_id, terms, actor="soak", reason="to trade")
    return Seat(account_id, made.secret), opening


def _connection(purpose: Purpose, port: int) -> Connection:
    return Connection(
        provider=PROVIDER,
        purpose=purpose,
        host="127.0.0.1",
        port=port,
        sender="HOUSE",
        target="LP",
        heartbeat_seconds=1,
        uses_tls=False,
    )


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base_currency=symbol[:3],
        quote_currency=symbol[3:],
        asset_class=AssetClass.FX_MAJOR,
        quantity_step=Decimal(QUANTITY_STEP),
        quantity_min=Decimal(QUANTITY_STEP),
        quantity_max=Decimal(QUANTITY_STEP * 10_000),
        price_tick=Decimal("0.00001"),
        leverage_max=200,
        leverage_max_retail=30,
        commission_per_million=Decimal(30),
        quote_age_max=timedelta(seconds=10),
        is_tradable=True,
    )
