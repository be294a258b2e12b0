"""A server that is away while a breaker triggers: prices go on, and the event is written once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from tests import fix_floor
from tests.conftest import migrate_engine
from tests.db.trading.test_breakers import MOVEMENT, code, events
from tests.fix_floor import ORDERS, PRICE, FixFloor, until
from tests.floor import buy
from tradewright.core.clock import pause
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.risk.breaker_store import add_breaker
from tradewright.trading.engine import Engine

FALLEN = Price(Decimal("1.05000"), Decimal("1.05010"))
TRIPPED = [("armed", "anna"), ("triggered", "market")]


@contextmanager
def stage_of(server: EmbeddedServer, folder: Path) -> Iterator[FixFloor]:
    """Set a floor up whose provider is behind FIX, on a server that may be stopped."""
    server.create_database("floor")
    conninfo = server.conninfo("floor")
    migrate_engine(conninfo)
    with connect(conninfo, autocommit=True) as session:
        stage = FixFloor.opened(conninfo, session, folder)
        add_breaker(session, MOVEMENT, actor="anna", reason="peg")
        yield stage


def test_the_prices_outlive_the_server_and_what_a_breaker_did_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session for orders says nothing for a while, so it does not miss the server first."""
    monkeypatch.setattr(fix_floor, "ORDERS", replace(ORDERS, heartbeat_seconds=30))
    with (
        EmbeddedServer.temporary({"fsync": "off"}) as server,
        stage_of(server, tmp_path) as stage,
        stage.provider() as acceptor,
        stage.engine(gateway := stage.gateway()) as running,
    ):
        server.stop()
        for price in (FALLEN, PRICE):
            acceptor.set_price("EURUSD", price)
            until(partial(has_bid, running, price))
        assert gateway._prices is not None
        assert gateway._prices._caller.why == "", "the session for prices has not ended"
        with pytest.raises(DatabaseError):
            running.tell_failures()
        server.start()
        with connect(stage.conninfo, autocommit=True) as session:
            stage.floor.session = session
            until(lambda: len(events(stage.floor)) > 1)
            refused = code(running, buy(stage.account, 1000))
            for price in (FALLEN, PRICE) * 3:
                acceptor.set_price("EURUSD", price)
                pause(0.2)
            told = events(stage.floor)
    assert refused is ErrorCode.BREAKER_TRIGGERED
    assert told == TRIPPED


def has_bid(running: Engine, price: Price) -> bool:
    """Return whether the engine has heard of a price."""
    top = running.market.top("EURUSD")
    return top is not None and top.bid == price.bid
