"""The trading floor of the tests: instruments, prices at will, accounts with money, an engine.

The providers of the floor have no outages and no chance: each answers as its profile says, so a
test sets the price and the size that an order meets. `Floor` works on a real database; what
stands above it needs none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tradewright import ledger
from tradewright.audit import check_laws
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.asset_class import class_of_pair
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderProfile, ProviderQuote, Quote, Side
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.groups import STANDARD
from tradewright.trading.model import (
    CancelOrder,
    Command,
    OrderReport,
    OrderType,
    ReplaceOrder,
    Report,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.registry import (
    AccountSettings,
    grant_role,
    list_instrument,
    list_provider,
    open_account,
    open_user,
)

DAY = datetime(2026, 1, 13, 8, tzinfo=UTC)
AGE_MAX = timedelta(seconds=60)


def pair(symbol: str, **changes: Any) -> Instrument:
    """Return the instrument of a currency pair, free of commission unless changed."""
    asset_class = class_of_pair(symbol[:3], symbol[3:])
    usual = Instrument(
        symbol=symbol,
        base_currency=symbol[:3],
        quote_currency=symbol[3:],
        asset_class=asset_class,
        quantity_step=Decimal(1000),
        quantity_min=Decimal(1000),
        quantity_max=Decimal(20_000_000),
        price_tick=Decimal("0.001") if symbol.endswith("JPY") else Decimal("0.00001"),
        leverage_max=500,
        leverage_max_retail=asset_class.leverage_max_retail,
        commission_per_million=Decimal(0),
        quote_age_max=AGE_MAX,
        is_tradable=True,
    )
    return replace(usual, **changes)


PAIRS = tuple(pair(symbol) for symbol in ("EURGBP", "EURUSD", "GBPUSD", "USDJPY"))


def market_of(
    prices: Mapping[str, tuple[str, str]],
    size: str = "1000000000",
    *,
    takes_any_price: bool = False,
) -> Market:
    """Return a market in which one provider quotes each symbol at (bid, ask)."""
    market = Market(QuoteBoard(AGE_MAX, takes_any_price=takes_any_price))
    market.advance(DAY)
    for symbol, (bid, ask) in prices.items():
        set_price(market, symbol, bid, ask, size=size)
    return market


def set_price(market: Market, symbol: str, bid: object, ask: object, *, size: str = "1e9") -> None:
    """Let the market's one provider quote a symbol anew."""
    global _sequence  # noqa: PLW0603 (a provider numbers its quotes for ever)
    _sequence += 1
    market.update(
        ProviderQuote(
            provider="LP-ONE",
            symbol=symbol,
            bid=Decimal(str(bid)),
            ask=Decimal(str(ask)),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            quoted_at=market.now,
            sequence=_sequence,
        )
    )


_sequence = 0


def steady(code: str, priority: int, **changes: Any) -> ProviderProfile:
    """Return a provider that quotes the market as it is and deals always, unless changed."""
    usual = ProviderProfile(
        code=code,
        priority=priority,
        spread_markup_bps=Decimal(0),
        size=Decimal(1_000_000),
        latency_ms=0,
        last_look_ms=0,
        tolerance_bps=Decimal(10_000),
        reject_probability=Decimal(0),
        outage_probability=Decimal(0),
        outage_quotes_max=1,
        quote_age_ms_max=60_000,
    )
    return replace(usual, **changes)


ONE = steady("LP-ONE", 1)
TWO = steady("LP-TWO", 2, spread_markup_bps=Decimal(1), size=Decimal(5_000_000))
"""One at the market's own price for a million; two a basis point wider for five million."""


def buy(account_id: str, quantity: int = 100_000, **fields: Any) -> SubmitOrder:
    """Return a market order to buy EURUSD, with a key of its own unless changed."""
    return order(account_id, Side.BUY, quantity, **fields)


def sell(account_id: str, quantity: int = 100_000, **fields: Any) -> SubmitOrder:
    """Return a market order to sell EURUSD, with a key of its own unless changed."""
    return order(account_id, Side.SELL, quantity, **fields)


def replacing(account_id: str, key: str, new_key: str, **terms: Decimal) -> ReplaceOrder:
    """Return a replacement of the order of a key by other terms, under a new key."""
    return ReplaceOrder(
        account_id=account_id, client_order_id=key, new_client_order_id=new_key, **terms
    )


def order(account_id: str, side: Side, quantity: object, **fields: Any) -> SubmitOrder:
    """Return an order; prices may be given as text, a price decides the type."""
    numbers: dict[str, Any] = {
        name: Decimal(str(fields.pop(name)))
        for name in ("limit_price", "stop_price", "stop_loss", "take_profit", "trailing_distance")
        if name in fields
    }
    if "limit_price" in numbers:
        fields = {
            "order_type": OrderType.LIMIT,
            "time_in_force": TimeInForce.GTC,
        } | fields
    elif "stop_price" in numbers:
        fields = {"order_type": OrderType.STOP, "time_in_force": TimeInForce.GTC} | fields
    elif "trailing_distance" in numbers:
        fields = {
            "order_type": OrderType.TRAILING_STOP,
            "time_in_force": TimeInForce.GTC,
        } | fields
    fields = {"client_order_id": new_id_text(), "symbol": "EURUSD"} | fields
    return SubmitOrder(
        account_id=account_id, side=side, quantity=Decimal(str(quantity)), **numbers, **fields
    )


@dataclass(slots=True)
class Floor:
    """A database with pairs and providers listed; hands out accounts and engines."""

    conninfo: str
    session: Session
    profiles: Sequence[ProviderProfile] = (ONE, TWO)
    now: datetime = DAY

    @classmethod
    def opened(
        cls, conninfo: str, session: Session, profiles: Sequence[ProviderProfile] = (ONE, TWO)
    ) -> "Floor":
        """List what the floor deals in; `session` is in autocommit."""
        for instrument in PAIRS:
            list_instrument(session, instrument)
        for profile in profiles:
            list_provider(session, code=profile.code, priority=profile.priority)
        return cls(conninfo, session, profiles)

    def account(
        self,
        deposit: str = "10000",
        *,
        currency: str = "USD",
        leverage: int = 30,
        client_class: ClientClass = ClientClass.RETAIL,
        book: Book = Book.B,
        group: str = STANDARD,
    ) -> str:
        """Open a user with one account that holds `deposit`; return the account's id."""
        with self.session.transaction():
            user_id = open_user(
                self.session,
                email=f"{new_id_text()}@example.org",
                client_class=client_class,
                kyc_level=2,
            )
            grant_role(self.session, user_id, "trader")
            settings = AccountSettings(currency=currency, leverage=leverage, book=book, group=group)
            account_id = open_account(self.session, user_id, settings)
        amount = Decimal(deposit)
        if amount:
            ledger.credit(self.session, user_id, currency, amount, transaction_id=new_id_text())
            ledger.transfer_to_account(
                self.session, account_id, amount, transaction_id=new_id_text()
            )
        return account_id

    def build(self, *, writers: int = 1) -> Engine:
        """Return an engine over the database, not yet started."""
        return Engine(
            lambda: connect(self.conninfo, writer=True, autocommit=True),
            {profile.code: SimulatedProvider(profile, seed=1) for profile in self.profiles},
            writers=writers,
        )

    @contextmanager
    def engine(
        self, *, writers: int = 1, eurusd: tuple[str, str] | None = ("1.10000", "1.10010")
    ) -> Iterator[Engine]:
        """Run an engine, with a first price of EURUSD."""
        with self.build(writers=writers) as engine:
            if eurusd is not None:
                self.quote(engine, "EURUSD", *eurusd)
            yield engine

    def quote(self, engine: Engine, symbol: str, bid: str, ask: str) -> None:
        """Move a price one second later, and wait for all that it sets off."""
        self.now += timedelta(seconds=1)
        engine.on_quote(Quote(symbol, Decimal(bid), Decimal(ask), self.now))
        engine.wait_until_idle()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.session.execute(query.encode(), parameters).fetchall()

    def one(self, query: str, *parameters: object) -> Any:
        """Return the one value of a query's one row."""
        rows = self.rows(query, *parameters)
        assert len(rows) == 1, rows
        return rows[0][0]

    def balance(self, account_id: str) -> Decimal:
        """Return an account's balance."""
        balance: Decimal = self.one("SELECT balance FROM accounts WHERE id = %s", account_id)
        return balance

    def position(self, account_id: str, symbol: str = "EURUSD") -> Decimal:
        """Return an account's signed open quantity."""
        quantity: Decimal = self.one(
            "SELECT coalesce(sum(quantity), 0) FROM positions"
            " WHERE account_id = %s AND symbol = %s AND is_open",
            account_id,
            symbol,
        )
        return quantity

    def broken_laws(self) -> dict[str, object]:
        """Return the laws that are broken, with examples; empty on a sound database."""
        return {name: law.examples for name, law in check_laws(self.session).items() if law.broken}


def ask(engine: Engine, command: Command) -> Report:
    """Submit a command, wait for it and for all that follows, and return its own report."""
    report = engine.submit(command).result(timeout=30)
    engine.wait_until_idle()
    return report


def deal(engine: Engine, command: SubmitOrder | CancelOrder | ReplaceOrder) -> OrderReport:
    """Submit, cancel or replace an order and return its report."""
    report = ask(engine, command)
    assert isinstance(report, OrderReport)
    return report


def refusal(work: Callable[[], object]) -> TradewrightError:
    """Return the house's error that a piece of work ends with."""
    try:
        done = work()
    except TradewrightError as error:
        return error
    raise AssertionError(f"was not refused: {done}")


def row_counts(session: Session) -> dict[str, int]:
    """Return how many rows each table has, but for what is written whoever asks for what.

    Those are the days that have ended and the last prices.
    """
    tables = session.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'tradewright'::regnamespace"
        " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relname NOT IN ('trading_days', 'last_prices')"
        " ORDER BY 1"
    ).fetchall()
    counts = {}
    for (table,) in tables:
        row = session.execute(f'SELECT count(*) FROM tradewright."{table}"'.encode()).fetchone()
        assert row is not None
        counts[table] = row[0]
    return counts
