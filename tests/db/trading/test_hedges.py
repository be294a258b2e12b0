"""Hedges: begun above the limit, dealt with providers, booked to the house, one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import ONE, TWO, Floor, buy, deal, sell, steady
from tradewright import routing
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderAnswer, ProviderProfile, ProviderRequest, Side
from tradewright.liquidity.reconciliation.model import Bucket, TradeLine
from tradewright.liquidity.reconciliation.service import import_trades, reconcile
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.risk.model import ClientClass
from tradewright.routing import Book, Policy
from tradewright.trading.engine import Engine

POLICY = Policy(symbol="EURUSD", exposure_limit=Decimal(500_000), hedge_target=Decimal(100_000))
NEVER = steady("LP-ONE", 1, reject_probability=Decimal(1))
SMALL = steady("LP-ONE", 1, size=Decimal(200_000))


def rich(floor: Floor, book: Book = Book.B) -> str:
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)


def hedges(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT side, quantity, filled_quantity, status, exposure FROM hedges ORDER BY id"
    )


def net(floor: Floor) -> Decimal:
    found: Decimal = floor.one("SELECT net FROM house_exposures WHERE symbol = 'EURUSD'")
    return found


def house(floor: Floor, code: str, currency: str = "USD") -> Decimal:
    """Return what a house account has received less what it has given."""
    moved: Decimal = floor.one(
        "SELECT coalesce(sum(CASE t.credit_holder_id WHEN h.id THEN t.amount ELSE -t.amount END),"
        " 0) FROM house_accounts AS h LEFT JOIN transfers AS t"
        " ON h.id IN (t.debit_holder_id, t.credit_holder_id) AND t.operation = 'hedge_pnl'"
        " WHERE h.code = %s AND h.currency = %s",
        code,
        currency,
    )
    return moved


@contextmanager
def running(
    conninfo: str, session: Session, *profiles: ProviderProfile, policy: Policy = POLICY
) -> Iterator[tuple[Floor, Engine, str]]:
    """Run an engine with a client on a floor with a policy, and hold every law at the end."""
    floor = Floor.opened(conninfo, session, profiles or (ONE, TWO))
    routing.set_policy(session, policy)
    account = rich(floor)
    with floor.engine() as engine:
        yield floor, engine, account
    assert floor.broken_laws() == {}


def test_above_the_limit_the_exposure_is_hedged_down_to_the_target(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine) as (floor, dealing, account):
        deal(dealing, buy(account, 500_000))
        assert hedges(floor) == []
        deal(dealing, buy(account, 100_000))
        assert hedges(floor) == [("buy", 500_000, 500_000, "filled", -600_000)]
        assert net(floor) == -100_000
        deal(dealing, buy(account, 400_000))
        assert len(hedges(floor)) == 1
    fill = floor.rows(
        "SELECT f.quantity, f.price, f.seq, f.position_quantity, p.code FROM hedge_fills AS f"
        " JOIN liquidity_providers AS p ON p.id = f.provider_id"
    )
    assert fill == [(500_000, Decimal("1.10010"), 1, 500_000, "LP-ONE")]
    assert floor.rows("SELECT order_id, quantity, is_accepted FROM provider_requests") == [
        (None, 500_000, True)
    ]


def test_a_long_house_sells_and_its_result_moves_in_the_ledger(
    engine_database: str, engine: Session
) -> None:
    """The house buys 500,000 at 1.10010 and sells 600,000 and more at 1.10500."""
    with running(engine_database, engine) as (floor, dealing, account):
        deal(dealing, buy(account, 600_000))
        floor.quote(dealing, "EURUSD", "1.10500", "1.10510")
        deal(dealing, sell(account, 1_200_000))
        assert hedges(floor)[1] == ("sell", 1_000_000, 1_000_000, "filled", 1_100_000)
    closed = Decimal(500_000) * (Decimal("1.10500") - Decimal("1.10010"))
    assert floor.one("SELECT realised_pnl FROM hedge_fills WHERE seq = 2") == closed
    assert house(floor, "dealing") == closed
    assert house(floor, "liquidity") == -closed
    assert floor.one("SELECT position_quantity FROM hedge_fills WHERE seq = 2") == -500_000
    assert net(floor) == 100_000


def test_a_loss_of_hedging_goes_the_other_way_and_is_kept_in_the_quote_currency(
    engine_database: str, engine: Session
) -> None:
    policy = Policy(symbol="USDJPY", exposure_limit=Decimal(100_000), hedge_target=Decimal(0))
    with running(engine_database, engine, policy=policy) as (floor, dealing, account):
        floor.quote(dealing, "USDJPY", "150.000", "150.010")
        deal(dealing, buy(account, 200_000, symbol="USDJPY"))
        floor.quote(dealing, "USDJPY", "149.000", "149.013")
        deal(dealing, sell(account, 333_000, symbol="USDJPY"))
    assert [row[:2] for row in hedges(floor)] == [("buy", 200_000), ("sell", 333_000)]
    lost = Decimal(200_000) * (Decimal("149.000") - Decimal("150.010"))
    assert house(floor, "dealing", "JPY") == lost == -202_000


def test_hedges_and_orders_that_are_passed_on_leave_the_house_where_the_law_says(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine) as (floor, dealing, account):
        passed_on, hybrid = rich(floor, Book.A), rich(floor, Book.HYBRID)
        for number in range(6):
            for one in (account, passed_on, hybrid):
                deal(dealing, (buy if number % 4 else sell)(one, 300_000))
    assert hedges(floor)
    parts = floor.rows(
        "SELECT passed_on_quantity, hedged_quantity, client_quantity, net FROM house_exposures"
        " WHERE symbol = 'EURUSD'"
    )[0]
    assert parts[0] + parts[1] - parts[2] == parts[3]
    assert abs(net(floor)) <= 500_000


def test_a_hedge_that_is_dealt_in_part_is_followed_by_another_until_the_target(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, SMALL) as (floor, dealing, account):
        deal(dealing, buy(account, 200_000))
        deal(dealing, buy(account, 200_000))
        deal(dealing, buy(account, 200_000))
    assert hedges(floor) == [
        ("buy", 500_000, 200_000, "partially_filled", -600_000),
        ("buy", 300_000, 200_000, "partially_filled", -400_000),
        ("buy", 100_000, 100_000, "filled", -200_000),
    ]
    assert net(floor) == -100_000


def test_a_hedge_that_all_reject_is_tried_again_later_and_not_at_once(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, NEVER) as (floor, dealing, account):
        deal(dealing, buy(account, 600_000))
        assert [row[3] for row in hedges(floor)] == ["rejected"]
        for _ in range(4):
            floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
        assert len(hedges(floor)) == 1
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
        assert [row[3] for row in hedges(floor)] == ["rejected"] * 2
        assert net(floor) == -600_000


def test_the_intent_is_committed_before_a_provider_is_asked(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    routing.set_policy(engine, POLICY)
    account = rich(floor)
    seen: list[tuple[Any, ...]] = []

    class Watching(SimulatedProvider):
        """Looks from a session of its own at what is committed when it is asked."""

        def answer(self, request: ProviderRequest, now: datetime) -> ProviderAnswer:
            with connect(engine_database, autocommit=True) as other:
                seen.extend(other.execute("SELECT status, quantity FROM hedges").fetchall())
            return super().answer(request, now)

    running = Engine(
        lambda: connect(engine_database, writer=True, autocommit=True),
        {"LP-ONE": Watching(ONE, seed=1)},
    )
    with running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 600_000))
    assert seen == [("open", 500_000)]
    assert hedges(floor)[0][3] == "filled"


def test_an_open_hedge_is_taken_up_after_a_restart(engine_database: str, engine: Session) -> None:
    """Its provider knows nothing of it, so it has not been dealt; another takes its place."""
    floor = Floor.opened(engine_database, engine, (ONE,))
    routing.set_policy(engine, POLICY)
    account = rich(floor)
    with floor.engine() as dealing:
        routing.set_policy(engine, Policy(symbol="EURUSD"))
        deal(dealing, buy(account, 600_000))
    routing.set_policy(engine, POLICY)
    engine.execute(
        "INSERT INTO hedges (id, symbol, side, quantity, exposure, exposure_limit, target,"
        " decided_at, engine_id) SELECT %s, 'EURUSD', 'buy', 500000, -600000, 500000, 100000,"
        " clock_timestamp(), id FROM engines",
        (new_id_text(),),
    )
    with floor.engine() as dealing:
        dealing.wait_until_idle()
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
    assert [row[3] for row in hedges(floor)] == ["rejected", "filled"]
    assert net(floor) == -100_000
    assert floor.broken_laws() == {}


def test_an_execution_that_comes_after_its_hedge_has_ended_is_booked_to_it(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, NEVER) as (floor, dealing, account):
        deal(dealing, buy(account, 600_000))
        hedge_id = floor.one("SELECT id::text FROM hedges")
        request = ProviderRequest(
            request_id=f"{hedge_id}-1-LP-ONE",
            symbol="EURUSD",
            side=buy(account).side,
            quantity=Decimal(500_000),
            limit_price=None,
            requested_at=floor.now,
        )
        answer = ProviderAnswer(
            request_id=request.request_id,
            provider="LP-ONE",
            accepted=True,
            price=Decimal("1.10020"),
            quantity=Decimal(700_000),
            hold_ms=9_000,
            decided_at=floor.now,
            reason=None,
            execution_id="late-1",
        )
        for _ in range(2):
            dealing.take_answer(request, answer)
            dealing.wait_until_idle()
        assert hedges(floor)[0][1:4] == (500_000, 500_000, "filled")
        assert floor.rows("SELECT quantity, reason FROM unsolicited_fills") == [
            (200_000, "more_than_asked")
        ]
        assert net(floor) == 100_000


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"price": Decimal("1.10011")}, "beyond_limit"),
        ({"side": Side.SELL}, "contradicts_request"),
        ({"symbol": "GBPUSD"}, "contradicts_request"),
        ({"currency": "USD"}, "contradicts_request"),
    ],
)
def test_an_execution_that_is_not_what_a_hedge_asked_for_is_set_aside(
    engine_database: str, engine: Session, said: dict[str, Any], why: str
) -> None:
    with running(engine_database, engine, NEVER) as (floor, dealing, account):
        deal(dealing, buy(account, 600_000))
        hedge_id = floor.one("SELECT id::text FROM hedges")
        request = ProviderRequest(
            request_id=f"{hedge_id}-1-LP-ONE",
            symbol="EURUSD",
            side=buy(account).side,
            quantity=Decimal(500_000),
            limit_price=Decimal("1.10010"),
            requested_at=floor.now,
        )
        answer = ProviderAnswer(
            request_id=request.request_id,
            provider="LP-ONE",
            accepted=True,
            price=Decimal("1.10010"),
            quantity=Decimal(500_000),
            hold_ms=9_000,
            decided_at=floor.now,
            reason=None,
            execution_id="late-1",
        )
        dealing.take_answer(request, replace(answer, **said))
        dealing.wait_until_idle()
        assert floor.rows("SELECT filled_quantity FROM hedges") == [(0,)]
        assert floor.rows("SELECT quantity, reason FROM unsolicited_fills") == [(500_000, why)]
        assert floor.broken_laws() == {}


def test_a_hedge_is_found_on_its_providers_list_of_the_day(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine) as (floor, dealing, account):
        deal(dealing, buy(account, 600_000))
    execution_id, quantity, price = floor.rows(
        "SELECT provider_execution_id, quantity, price FROM hedge_fills"
    )[0]
    line = TradeLine(
        execution_id=execution_id,
        request_id="R1",
        symbol="EURUSD",
        side=Side.BUY,
        quantity=quantity,
        price=price,
        executed_at=floor.now,
    )
    day = floor.now.date()
    import_trades(engine, "LP-ONE", day, [line])
    counts = reconcile(engine, "LP-ONE", since=day)
    assert {bucket: count for bucket, count in counts.items() if count} == {Bucket.MATCHED: 1}


def test_two_hedges_of_a_symbol_are_never_open_at_once(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine)
    statement = (
        "INSERT INTO hedges (id, symbol, side, quantity, exposure, exposure_limit, target,"
        " decided_at, engine_id) SELECT uuidv7(), 'EURUSD', 'buy', 1000, -2000, 1000, 1000,"
        " clock_timestamp(), id FROM engines"
    )
    engine.execute("INSERT INTO engines (id, providers) VALUES (uuidv7(), '{}')")
    engine.execute(statement.encode())
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        engine.execute(statement.encode())
    assert caught.value.diag.constraint_name == "idx_hedges_symbol_open"


@pytest.mark.parametrize("writers", [1, 2])
def test_many_writers_hedge_one_at_a_time_and_keep_every_law(
    engine_database: str, engine: Session, writers: int
) -> None:
    floor = Floor.opened(engine_database, engine)
    routing.set_policy(engine, POLICY)
    accounts = [rich(floor) for _ in range(6)]
    with floor.engine(writers=writers) as dealing:
        for _ in range(5):
            futures = dealing.submit_together([buy(account, 100_000) for account in accounts])
            for future in futures:
                future.result(timeout=30)
            dealing.wait_until_idle()
            floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
    assert {row[3] for row in hedges(floor)} == {"filled"}
    assert abs(net(floor)) <= 500_000
    assert floor.broken_laws() == {}
