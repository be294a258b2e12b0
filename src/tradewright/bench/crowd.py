"""A crowd of traders for the benchmarks: thousands of funded accounts, with much open in them.

Users and accounts have ids that follow from their numbers and are opened in bulk; everything that
is open in them is booked by the engine itself, as any client's orders are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tradewright.bench.instruments import bench_instruments, quote_bench_market
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode, Movement, house_holder_ids, post_movements
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, OrderStatus, OrderType, SubmitOrder, TimeInForce
from tradewright.trading.registry import list_instrument
from tradewright.wiring import House, simulated_providers

RESTING_QUANTITY = Decimal(1_000)
_OPENED_AT_ONCE = 5_000
_SUBMITTED_AT_ONCE = 2_000
_NEAREST = Decimal("0.02")
_FARTHEST = Decimal("0.20")


@dataclass(frozen=True, slots=True)
class Wealth:
    """What accounts are funded with, from `least` on in a hundred steps, and trade at once."""

    least: Decimal
    step: Decimal
    quantity: Decimal

    def funds(self, number: int) -> Decimal:
        """Return what the account with a number is funded with."""
        return self.least + self.step * (number % 100)


RICH = Wealth(Decimal(10_000_000), Decimal(0), Decimal(1_000))
MARGINED = Wealth(Decimal(1_250), Decimal(60), Decimal(100_000))
"""One position binds 1,100 of 1,250 and more at 1.10 and a leverage of 100."""


def open_crowd(house: House, count: int, wealth: Wealth = RICH) -> list[str]:
    """List the bench's instruments, open and fund so many accounts, and return their ids."""
    queries = load_queries("tradewright.bench")
    accounts: list[str] = []
    with house.session(writer=True) as session:
        with session.transaction():
            for instrument in bench_instruments():
                list_instrument(session, instrument)
        for first in range(1, count + 1, _OPENED_AT_ONCE):
            run = {"first": first, "last": min(count, first + _OPENED_AT_ONCE - 1)}
            with session.transaction():
                session.execute(queries["open_bench_users"], run)
                session.execute(queries["open_bench_traders"], run)
                opened = [row[0] for row in session.execute(queries["open_bench_accounts"], run)]
                _fund(session, opened, wealth)
            accounts += opened
    return accounts


def _fund(session: Session, accounts: Sequence[str], wealth: Wealth) -> None:
    clearing = house_holder_ids(session, "USD")[HouseCode.CLEARING]
    post_movements(
        session,
        [
            Movement(
                transaction_id=new_id_text(),
                operation="credit",
                debit_id=clearing,
                credit_id=account,
                currency="USD",
                amount=wealth.funds(number),
            )
            for number, account in enumerate(accounts)
        ],
    )


def fill_crowd(
    house: House,
    accounts: Sequence[str],
    wealth: Wealth = RICH,
    *,
    positions: int,
    resting: int,
) -> None:
    """Open so many positions and let so many limit orders rest, spread over the accounts.

    An account has at most one position a symbol. The orders rest between 2 and 20 percent away from
    the market, each at a price of its own.

    Raises:
        InternalError: INTERNAL_DEFECT when an order is not taken as it must be.

    """
    with house.session() as session, session.transaction():
        providers = simulated_providers(session, 1)
    with house.engine(providers) as engine:
        quote_bench_market(engine, datetime(2026, 1, 13, 12, tzinfo=UTC))
        _submit(engine, _opening(accounts, positions, wealth.quantity), OrderStatus.FILLED)
        _submit(engine, _resting(accounts, resting), OrderStatus.NEW)


def _opening(accounts: Sequence[str], count: int, quantity: Decimal) -> Iterator[SubmitOrder]:
    symbols = [one.symbol for one in bench_instruments()]
    for number in range(count):
        yield SubmitOrder(
            account_id=accounts[number % len(accounts)],
            client_order_id=f"open-{number}",
            symbol=symbols[number // len(accounts)],
            side=Side.BUY if number % 2 else Side.SELL,
            quantity=quantity,
        )


def _resting(accounts: Sequence[str], count: int) -> Iterator[SubmitOrder]:
    instrument = bench_instruments()[0]
    for number in range(count):
        is_buy = number % 2 == 0
        away = _NEAREST + (_FARTHEST - _NEAREST) * number / count
        price = Decimal("1.1") * (1 - away if is_buy else 1 + away)
        yield SubmitOrder(
            account_id=accounts[number % len(accounts)],
            client_order_id=f"rest-{number}",
            symbol=instrument.symbol,
            side=Side.BUY if is_buy else Side.SELL,
            quantity=RESTING_QUANTITY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            limit_price=price.quantize(instrument.price_tick),
        )


def _submit(engine: Engine, commands: Iterator[SubmitOrder], wanted: OrderStatus) -> None:
    waiting = list(commands)
    for place in range(0, len(waiting), _SUBMITTED_AT_ONCE):
        for future in engine.submit_together(waiting[place : place + _SUBMITTED_AT_ONCE]):
            report = future.result()
            if not isinstance(report, OrderReport) or report.status is not wanted:
                raise InternalError(
                    ErrorCode.INTERNAL_DEFECT,
                    f"an order of the benchmark is not {wanted}: {report}",
                    why="Its accounts are rich and its market stands still.",
                    hint="Report this.",
                )
