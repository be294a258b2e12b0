"""What the tests of FIX share: a provider that listens, a gateway to it, an engine between."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.floor import Floor, buy
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Fault, Temper
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.fix.caller import Endpoint
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.fix.session import Identity
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.postgres.connect import Session, connect
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport

PRICE = Price(Decimal("1.10000"), Decimal("1.10010"))
CODE = "LP-ONE"
ORDERS = Identity(sender="HOUSE", target="LP", heartbeat_seconds=1)
QUOTES = Identity(sender="HOUSE", target="LP", heartbeat_seconds=1, resets_on_logon=True)


def until(holds: Callable[[], object], *, seconds: int = 60) -> None:
    """Wait until something holds; fail when it does not in time."""
    ends = monotonic_seconds() + seconds
    while not holds():
        assert monotonic_seconds() < ends, "waited for too long"
        pause(0.02)


class Deaf:
    """Hears everything and books nothing, as an engine that dies then."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def take_answer(self, *answer: object) -> None:
        """Hear an answer."""
        self.told.append(answer)

    def take_quote(self, quote: object) -> None:
        """Hear a quote."""

    def take_time(self, now: object) -> None:
        """Hear the time."""


@dataclass(slots=True)
class FixFloor:
    """A floor whose one provider is behind FIX; the acceptor may be started again and again."""

    conninfo: str
    folder: Path
    floor: Floor
    account: str
    temper: Temper = field(default_factory=Temper)
    ports: tuple[int, int] = (0, 0)
    prices: Mapping[str, Price] = field(default_factory=lambda: {"EURUSD": PRICE})

    @classmethod
    def opened(
        cls, conninfo: str, session: Session, folder: Path, faults: Sequence[Fault] = (Fault.NONE,)
    ) -> "FixFloor":
        """List the floor with one account in book A."""
        floor = Floor.opened(conninfo, session)
        account = floor.account(
            "10000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=Book.A
        )
        return cls(conninfo, folder, floor, account, Temper(faults=faults))

    @contextmanager
    def provider(self) -> Iterator[FixAcceptor]:
        """Let the provider listen, on the ports that it had before."""
        acceptor = FixAcceptor(self.folder, self.prices, self.temper, ports=self.ports)
        acceptor.start()
        self.ports = acceptor.ports
        try:
            yield acceptor
        finally:
            acceptor.stop()

    def gateway(self, *, answer_ms_max: int = 1000) -> FixGateway:
        """Return a gateway to the provider, not yet connected."""
        provider_id = self.floor.one(
            "SELECT id::text FROM liquidity_providers WHERE code = %s", CODE
        )
        orders, quotes = (
            Endpoint(host="127.0.0.1", port=port, identity=identity, uses_tls=False)
            for port, identity in zip(self.ports, (ORDERS, QUOTES), strict=True)
        )
        store = PostgresStore(
            lambda: connect(self.conninfo, autocommit=True), provider_id, orders.identity
        )
        return FixGateway(
            CODE,
            store,
            orders,
            (quotes, list(self.prices)),
            answer_ms_max=answer_ms_max,
        )

    @contextmanager
    def engine(
        self, gateway: FixGateway | None = None, *, with_price: bool = True
    ) -> Iterator[Engine]:
        """Run an engine with the gateway; wait until there is a price to deal on."""
        running = Engine(
            lambda: connect(self.conninfo, writer=True, autocommit=True),
            {CODE: gateway or self.gateway()},
        )
        with running:
            if with_price:
                until(lambda: running.market.top("EURUSD") is not None)
            yield running

    @contextmanager
    def both(self) -> Iterator[tuple[FixAcceptor, Engine]]:
        """Run the provider and the engine."""
        with ExitStack() as stack:
            acceptor = stack.enter_context(self.provider())
            yield acceptor, stack.enter_context(self.engine())

    def deal(self, running: Engine, quantity: int = 100_000, **fields: Any) -> OrderReport:
        """Submit an order and wait until it has no outcome open; return its first report."""
        report = running.submit(buy(self.account, quantity, **fields)).result(timeout=30)
        assert isinstance(report, OrderReport)
        self.settle(running)
        return report

    def settle(self, running: Engine) -> None:
        """Wait until no order is with the provider."""
        until(
            lambda: (
                running.pending_count == 0
                and not self.floor.rows("SELECT FROM orders WHERE is_routed")
            )
        )
        running.wait_until_idle()

    def orders(self) -> list[tuple[Any, ...]]:
        """Return what became of all orders."""
        return self.floor.rows("SELECT status, filled_quantity FROM orders ORDER BY id")

    def ours(self) -> list[tuple[Any, ...]]:
        """Return what we have of executions, booked or set aside."""
        return self.floor.rows(
            "SELECT provider_execution_id, sum(quantity), max(price) FROM ("
            " SELECT provider_execution_id, quantity, price FROM order_fills"
            " UNION ALL SELECT provider_execution_id, quantity, price FROM unsolicited_fills"
            ") AS all_of_them GROUP BY 1 ORDER BY 1"
        )

    def aside(self) -> list[tuple[Any, ...]]:
        """Return what was set aside."""
        return self.floor.rows("SELECT quantity, reason FROM unsolicited_fills ORDER BY id")


def theirs(acceptor: FixAcceptor) -> list[tuple[Any, ...]]:
    """Return what the provider has of executions."""
    return sorted((trade.execution_id, trade.quantity, trade.price) for trade in acceptor.trades)
