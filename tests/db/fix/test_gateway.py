"""A provider over FIX on real sockets: dealt once, told once, whatever goes wrong between."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.fix_floor import PRICE, Deaf, FixFloor, theirs, until
from tests.floor import DAY, ONE, TWO, Floor, buy, deal, refusal, sell
from tradewright import routing
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.fix.acceptor_faults import Fault
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.fix.actions import Keep
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.requests import untold_reports
from tradewright.liquidity.fix.session import Identity
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.liquidity.model import ProviderRequest, Side
from tradewright.postgres.connect import Session, connect
from tradewright.risk.model import ClientClass
from tradewright.routing import Policy
from tradewright.trading.model import TimeInForce


def test_an_order_is_dealt_at_the_providers_price(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running)
        assert theirs(acceptor) == stage.ours()
    assert stage.orders() == [("filled", 100_000)]
    assert stage.floor.position(stage.account) == 100_000
    requests = stage.floor.rows("SELECT is_accepted, reason FROM provider_requests")
    assert requests == [(True, None)]
    assert stage.floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.REJECT, ("rejected", 0)),
        (Fault.PARTIAL, ("canceled", 40_000)),
        (Fault.PIECES, ("filled", 100_000)),
        (Fault.LATE, ("filled", 100_000)),
        (Fault.DUPLICATE, ("filled", 100_000)),
        (Fault.SILENT, ("filled", 100_000)),
        (Fault.DISCONNECT, ("filled", 100_000)),
        (Fault.GAP, ("filled", 100_000)),
    ],
)
def test_whatever_the_provider_does_its_executions_are_booked_once(
    engine_database: str,
    engine: Session,
    tmp_path: Path,
    fault: Fault,
    outcome: tuple[str, int],
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, [fault])
    with stage.both() as (acceptor, running):
        stage.deal(running)
        assert theirs(acceptor) == stage.ours()
        assert acceptor.asked_count == 1
    assert stage.orders() == [outcome]
    assert stage.aside() == []
    assert stage.floor.broken_laws() == {}


def test_fill_or_kill_and_limits_go_over_the_line(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, [Fault.PARTIAL])
    with stage.both() as (_, running):
        stage.deal(running, time_in_force=TimeInForce.FOK)
    (raw,) = stage.floor.rows("SELECT raw FROM fix_messages WHERE message_type = 'D'")[0]
    assert "\x0159=4\x01" in raw
    assert "\x0140=2\x0144=1.1001\x01" in raw
    assert stage.orders() == [("filled", 100_000)]


def test_prices_follow_the_provider_and_vanish_with_it(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.provider() as acceptor:
        manager = stage.engine()
        running = manager.__enter__()
        acceptor.set_price("EURUSD", Price(Decimal("1.20000"), Decimal("1.20010")))
        until(lambda: (top := running.market.top("EURUSD")) and top.ask == Decimal("1.20010"))
    until(lambda: running.market.top("EURUSD") is None)
    with stage.provider():
        until(lambda: running.market.top("EURUSD") is not None)
        stage.deal(running)
        manager.__exit__(None, None, None)
    assert stage.orders() == [("filled", 100_000)]


def test_a_price_finer_than_the_books_keep_is_dealt_at_as_they_keep_it(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 900_000)
        acceptor.set_price("EURUSD", Price(Decimal("1.200000005001"), Decimal("1.3")))
        until(lambda: (top := running.market.top("EURUSD")) and top.bid == Decimal("1.2"))
        running.submit(sell(stage.account, 900_000)).result(timeout=30)
        stage.settle(running)
    ((price, result),) = stage.floor.rows(
        "SELECT price, realised_pnl FROM trades WHERE effect = 'close'"
    )
    assert result == round(900_000 * (price - PRICE.ask), 2)
    assert stage.aside() == []
    assert stage.floor.broken_laws() == {}


def test_an_order_without_a_session_is_never_sent(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.provider():
        gateway = stage.gateway()
    request = ProviderRequest("r", "EURUSD", Side.BUY, Decimal(1), Decimal(1), DAY)
    answer = gateway.answer(request, DAY)
    gateway.close()
    assert answer is not None
    assert (answer.accepted, answer.reason, answer.is_final) == (False, "not_connected", True)


def test_a_trade_that_nobody_asked_for_is_set_aside(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, _):
        request = ProviderRequest("PHONE-1", "EURUSD", Side.SELL, Decimal(7), None, DAY)
        acceptor.deal_unasked(request, PRICE.bid)
        until(stage.aside)
        assert theirs(acceptor) == stage.ours()
    assert stage.aside() == [(7, "order_unknown")]
    assert stage.floor.broken_laws() == {}


def test_what_was_received_and_never_booked_is_told_again_at_the_next_start(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.provider() as acceptor:
        with stage.engine():
            pass
        gateway = stage.gateway()
        deaf = Deaf()
        gateway.open(deaf)
        until(lambda: gateway.is_ready)
        request = ProviderRequest("PHONE-1", "EURUSD", Side.SELL, Decimal(7), None, DAY)
        acceptor.deal_unasked(request, PRICE.bid)
        until(lambda: deaf.told)
        gateway.close()
        assert stage.aside() == []
        with stage.engine():
            until(stage.aside)
            assert theirs(acceptor) == stage.ours()
    assert stage.aside() == [(7, "order_unknown")]


def test_what_was_booked_to_a_hedge_is_not_told_again(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(50_000), hedge_target=Decimal(0))
    routing.set_policy(engine, policy)
    with floor.engine() as dealing:
        deal(dealing, buy(account))
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
    ((provider_id, execution_id),) = floor.rows(
        "SELECT provider_id::text, provider_execution_id FROM hedge_fills"
    )
    store = PostgresStore(
        lambda: connect(engine_database, autocommit=True),
        provider_id,
        Identity(sender="US", target="LP"),
    )
    request_id = floor.one("SELECT request_id FROM provider_requests WHERE hedge_id IS NOT NULL")
    asked = ((request_id, execution_id), ("x", execution_id), ("x", "X-NEW"))
    reports = [
        Message("8", ((34, str(seq)), (11, request), (17, id_), (150, "F")))
        for seq, (request, id_) in enumerate(asked, 1)
    ]
    store.numbers()
    store.write([Keep(seq, seq + 1, report) for seq, report in enumerate(reports, 1)])
    store.close()
    told = untold_reports(store.open_session, provider_id)
    assert [report.get(17) for report in told] == [execution_id, "X-NEW"]
    assert {report.get(11) for report in told} == {"x"}, "another's with the same ExecID is"


def test_a_restart_goes_on_with_the_numbers_of_the_session(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    for _ in range(2):
        with stage.both() as (acceptor, running):
            stage.deal(running)
            assert theirs(acceptor) == stage.ours()
    assert stage.floor.one("SELECT count(*) FROM fix_sessions") == 1
    logons = stage.floor.rows(
        "SELECT seq FROM fix_messages WHERE message_type = 'A' AND direction = 'out' ORDER BY seq"
    )
    assert logons[0] == (1,)
    assert logons[1][0] > 3
    assert stage.orders() == [("filled", 100_000)] * 2


def test_many_orders_at_once_with_every_fault_are_each_dealt_once(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, list(Fault))
    with stage.both() as (acceptor, running):
        orders = [buy(stage.account, 10_000) for _ in range(40)]
        for future in running.submit_together(orders):
            future.result(timeout=60)
        stage.settle(running)
        assert theirs(acceptor) == stage.ours()
        assert acceptor.asked_count <= 40
    assert stage.aside() == []
    assert stage.floor.broken_laws() == {}


def test_a_second_engine_on_a_session_is_refused_and_the_first_deals_on(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (_, running):
        stage.deal(running)
        refused = refusal(lambda: stage.engine().__enter__())
        assert refused.code is ErrorCode.PROVIDER_SESSION_TAKEN
        assert refused.what.endswith("is open elsewhere")
        stage.deal(running)
    with stage.both() as (_, another):
        stage.deal(another)
    assert stage.orders() == [("filled", 100_000)] * 3
    assert stage.floor.broken_laws() == {}
