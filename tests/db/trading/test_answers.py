"""What providers answer late, in pieces, twice or to nobody: booked once or set aside."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import DAY, ONE, TWO, Floor, ask, buy, deal, order, refusal
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.liquidity.gateway import Gateway, Listener, Recalled
from tradewright.liquidity.model import (
    ProviderAnswer,
    ProviderProfile,
    ProviderRequest,
    RejectReason,
    Side,
)
from tradewright.liquidity.reconciliation.model import Bucket, TradeLine
from tradewright.liquidity.reconciliation.service import import_trades, reconcile
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading import writer
from tradewright.trading.engine import Engine
from tradewright.trading.model import CancelOrder, OrderReport
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited


class Later(SimulatedProvider):
    """Quotes as the simulator does, and answers when the test says so, as a connected one does."""

    def __init__(self, profile: ProviderProfile) -> None:
        super().__init__(profile, seed=1)
        self.asked: list[ProviderRequest] = []
        self.canceled: list[str] = []
        self.told: dict[str, list[ProviderAnswer]] = {}

    def open(self, listener: Listener) -> None:
        """Remember whom to tell."""
        self.listener = listener

    def answer(self, request: ProviderRequest, now: datetime) -> None:  # type: ignore[override]  # noqa: ARG002
        """Answer later."""
        self.asked.append(request)

    def cancel(self, request_id: str) -> None:
        """Remember what is to be canceled."""
        self.canceled.append(request_id)

    def recall(self, round_id: str) -> Sequence[Recalled]:
        """Return what was dealt, told or not."""
        return [
            (request, self.told.get(request.request_id, []))
            for request in self.asked
            if request.request_id.startswith(round_id)
        ]

    def tell(self, request: ProviderRequest, quantity: int, **changes: Any) -> ProviderAnswer:
        """Tell an execution at the quoted price."""
        answer = self.keep(request, quantity, **changes)
        self.listener.take_answer(request, answer)
        return answer

    def keep(self, request: ProviderRequest, quantity: int, **changes: Any) -> ProviderAnswer:
        """Deal without telling."""
        before = self.told.setdefault(request.request_id, [])
        total = sum((answer.quantity for answer in before), Decimal(quantity))
        answer = ProviderAnswer(
            request_id=request.request_id,
            provider=self.profile.code,
            accepted=bool(total),
            price=request.limit_price if quantity else None,
            quantity=Decimal(quantity),
            hold_ms=5,
            decided_at=request.requested_at,
            reason=None if total else RejectReason.UNFILLED,
            execution_id=f"X-{request.request_id}-{len(before)}",
            total_quantity=total,
            is_final=total == request.quantity,
        )
        before.append(replace(answer, **changes))
        return before[-1]


def run(floor: Floor, gateways: dict[str, Gateway]) -> Engine:
    return Engine(lambda: connect(floor.conninfo, writer=True, autocommit=True), gateways)


def stage(conninfo: str, session: Session) -> tuple[Floor, str, Later]:
    floor = Floor.opened(conninfo, session, (ONE, TWO))
    account = floor.account(
        "1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=Book.A
    )
    return floor, account, Later(ONE)


def state(floor: Floor) -> tuple[Any, ...]:
    return floor.rows("SELECT status, filled_quantity, is_routed FROM orders ORDER BY id")[0]


def requests(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows("SELECT request_id, is_accepted, reason FROM provider_requests ORDER BY id")


def aside(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows("SELECT quantity, reason FROM unsolicited_fills ORDER BY id")


def test_each_execution_is_booked_when_it_is_told(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        assert (state(floor), running.pending_count) == (("new", 0, True), 1)
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        assert state(floor) == ("partially_filled", 30_000, True)
        assert requests(floor) == []
        late.tell(late.asked[0], 70_000)
        running.wait_until_idle()
        assert running.pending_count == 0
    assert state(floor) == ("filled", 100_000, False)
    assert requests(floor) == [(late.asked[0].request_id, True, None)]
    assert floor.position(account) == 100_000
    assert floor.broken_laws() == {}


def test_what_is_left_after_the_last_word_goes_to_the_next_provider(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    gateways: dict[str, Gateway] = {"LP-ONE": late, "LP-TWO": SimulatedProvider(TWO, 1)}
    with run(floor, gateways) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 30_000)
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
    fills = floor.rows("SELECT quantity, price FROM order_fills ORDER BY id")
    assert fills == [(30_000, Decimal("1.10010")), (70_000, Decimal("1.10022"))]
    assert state(floor) == ("filled", 100_000, False)
    assert floor.broken_laws() == {}


def test_a_fill_is_booked_before_the_next_provider_has_answered(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 3_000_000))
        late.tell(late.asked[0], 1_000_000)
        running.wait_until_idle()
        assert state(floor) == ("partially_filled", 1_000_000, True)
        second.tell(second.asked[0], 2_000_000)
        running.wait_until_idle()
    assert state(floor) == ("filled", 3_000_000, False)
    assert floor.broken_laws() == {}


def test_an_execution_told_twice_is_booked_once(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        first = late.tell(late.asked[0], 30_000)
        late.listener.take_answer(late.asked[0], first)
        last = late.tell(late.asked[0], 70_000)
        late.listener.take_answer(late.asked[0], last)
        late.listener.take_answer(late.asked[0], first)
        running.wait_until_idle()
    assert state(floor) == ("filled", 100_000, False)
    assert aside(floor) == []
    assert len(requests(floor)) == 1
    assert floor.broken_laws() == {}


def test_a_cancel_of_what_a_provider_thinks_about_reaches_it_and_outlives_a_fill(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, client_order_id="mine"))
        ask(running, CancelOrder(account_id=account, client_order_id="mine"))
        assert state(floor) == ("pending_cancel", 0, True)
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        assert state(floor) == ("pending_cancel", 30_000, True)
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
    assert late.canceled == [late.asked[0].request_id]
    assert state(floor) == ("canceled", 30_000, False)
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("told_before", [False, True])
def test_what_was_dealt_while_we_were_away_is_recalled(
    engine_database: str, engine: Session, *, told_before: bool
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        if told_before:
            late.tell(late.asked[0], 30_000)
    if not told_before:
        late.keep(late.asked[0], 30_000)
    late.keep(late.asked[0], 70_000)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        running.wait_until_idle()
    assert state(floor) == ("filled", 100_000, False)
    assert len(late.asked) == 1
    assert floor.broken_laws() == {}


def test_a_request_without_a_last_word_stays_open_over_a_restart(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 30_000)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert state(floor) == ("partially_filled", 30_000, True)
        assert running.pending_count == 1
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
    assert state(floor) == ("canceled", 30_000, False)
    assert floor.broken_laws() == {}


def test_what_could_not_be_booked_is_booked_later_and_in_order(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        engine.execute("ALTER TABLE order_fills RENAME TO mislaid")
        late.tell(late.asked[0], 30_000)
        error = refusal(running.wait_until_idle)
        engine.execute("ALTER TABLE mislaid RENAME TO order_fills")
        late.tell(late.asked[0], 70_000)
        running.wait_until_idle()
        assert state(floor) == ("new", 0, True)  # the later answer waits behind the earlier one
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert state(floor) == ("filled", 100_000, False)
    assert error.code is ErrorCode.DATABASE_STATEMENT_FAILED
    assert aside(floor) == []
    assert floor.broken_laws() == {}


def test_an_answer_that_cannot_be_kept_loses_none_that_waits(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    unknown = ProviderRequest("TICKET-77", "EURUSD", Side.SELL, Decimal(5), Decimal(1), DAY)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        engine.execute("ALTER TABLE unsolicited_fills RENAME TO mislaid")
        late.tell(late.asked[0], 100_000)
        assert refusal(running.wait_until_idle).code is ErrorCode.DATABASE_STATEMENT_FAILED
        running.take_time(floor.now + timedelta(seconds=1))
        with pytest.raises(psycopg.Error):
            late.tell(unknown, 5)
        engine.execute("ALTER TABLE mislaid RENAME TO unsolicited_fills")
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
    assert state(floor) == ("filled", 100_000, False)
    assert floor.broken_laws() == {}


def test_an_answer_that_meets_a_full_queue_is_booked(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        monkeypatch.setattr(writer, "QUEUED_GROUPS_MAX", 0)
        late.tell(late.asked[0], 100_000)
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert state(floor) == ("filled", 100_000, False)
    assert floor.broken_laws() == {}


def test_a_fill_of_an_order_that_has_ended_is_set_aside(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
    assert state(floor) == ("rejected", 0, False)
    assert aside(floor) == [(100_000, "order_ended")]
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_what_is_dealt_beyond_the_order_is_set_aside(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 150_000, is_final=True)
        running.wait_until_idle()
    assert state(floor) == ("filled", 100_000, False)
    assert aside(floor) == [(50_000, "more_than_asked")]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("dealt", "kept"),
    [
        ({"side": Side.SELL}, ("sell", "EURUSD")),
        ({"symbol": "GBPUSD"}, ("buy", "GBPUSD")),
        ({"currency": "USD"}, ("buy", "EURUSD")),
    ],
)
def test_what_is_dealt_otherwise_than_asked_for_is_set_aside_as_it_was_dealt(
    engine_database: str, engine: Session, dealt: dict[str, Any], kept: tuple[str, str]
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000, **dealt)
        running.wait_until_idle()
    assert state(floor) == ("rejected", 0, False)
    assert aside(floor) == [(100_000, "contradicts_request")]
    assert floor.rows("SELECT side, symbol FROM unsolicited_fills") == [kept]
    assert floor.position(account) == 0
    alert = floor.one("SELECT about FROM alerts WHERE resolved_at IS NULL")
    resolve_unsolicited(floor.session, alert, Resolution.BUSTED, actor="anna", reason="theirs")
    assert floor.one("SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == 0
    assert floor.broken_laws() == {}


def test_what_says_as_what_it_was_dealt_is_booked(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        told = {"side": Side.BUY, "symbol": "EURUSD", "currency": "EUR"}
        late.tell(late.asked[0], 100_000, **told)
        running.wait_until_idle()
    assert (state(floor), aside(floor)) == (("filled", 100_000, False), [])


def test_a_late_execution_of_another_symbol_is_not_booked_as_its_orders(
    engine_database: str, engine: Session
) -> None:
    """Nobody waits for it here: what it is about is what it says itself."""
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 2_000_000))
        asked = late.asked[0]
        running._dispatcher.drop(asked.request_id)
        late.tell(replace(asked, symbol="GBPUSD"), 1_000_000)
        running.wait_until_idle()
    assert aside(floor) == [(1_000_000, "contradicts_request")]
    assert floor.one("SELECT symbol FROM unsolicited_fills") == "GBPUSD"
    assert floor.position(account) == 0


def test_what_is_dealt_beyond_the_request_is_set_aside_though_the_order_asks_for_more(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 1_500_000))
        assert late.asked[0].quantity == 1_000_000, "all that the provider quotes"
        late.tell(late.asked[0], 700_000)
        late.tell(late.asked[0], 500_000, is_final=True)
        running.wait_until_idle()
    assert state(floor) == ("canceled", 1_000_000, False)
    assert aside(floor) == [(200_000, "more_than_asked")]
    assert floor.broken_laws() == {}


def test_a_client_is_never_filled_beyond_the_limit(engine_database: str, engine: Session) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, limit_price="1.10020"))
        late.tell(late.asked[0], 100_000, price=Decimal("1.10021"))
        running.wait_until_idle()
    assert state(floor)[:2] == ("new", 0)
    assert aside(floor) == [(100_000, "beyond_limit")]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(("side", "asked_at"), [(Side.BUY, "1.10010"), (Side.SELL, "1.10000")])
@pytest.mark.parametrize(("ticks", "is_worse"), [(-1, False), (0, False), (1, True)])
def test_a_client_is_never_filled_beyond_what_the_provider_was_asked_for(
    engine_database: str,
    engine: Session,
    side: Side,
    asked_at: str,
    ticks: int,
    *,
    is_worse: bool,
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, order(account, side, 100_000))
        assert late.asked[0].limit_price == Decimal(asked_at)
        told = Decimal(asked_at) + ticks * side.sign * Decimal("0.00001")
        late.tell(late.asked[0], 100_000, price=told)
        running.wait_until_idle()
    assert state(floor)[:2] == (("rejected", 0) if is_worse else ("filled", 100_000))
    assert aside(floor) == ([(100_000, "beyond_limit")] if is_worse else [])
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("name", ["", "TICKET-77", "{new}-1-LP-ONE"])
def test_an_execution_of_no_order_is_set_aside_once(
    engine_database: str, engine: Session, name: str
) -> None:
    floor, _, late = stage(engine_database, engine)
    unknown = ProviderRequest(
        request_id=name.replace("{new}", new_id_text()),
        symbol="EURNOK",
        side=Side.SELL,
        quantity=Decimal(5),
        limit_price=Decimal(11),
        requested_at=DAY,
    )
    with run(floor, {"LP-ONE": late}) as running:
        told = late.tell(unknown, 5)
        late.listener.take_answer(unknown, told)
        running.wait_until_idle()
    assert aside(floor) == [(5, "order_unknown")]
    assert floor.broken_laws() == {}


def test_a_decision_about_what_was_set_aside_is_made_once(
    engine_database: str, engine: Session
) -> None:
    test_an_execution_of_no_order_is_set_aside_once(engine_database, engine, "TICKET-77")
    (fill,) = list_unsolicited(engine, count_max=10)
    assert (fill.provider, fill.symbol, fill.resolution) == ("LP-ONE", "EURNOK", None)
    decided = resolve_unsolicited(
        engine, fill.id, Resolution.BUSTED, actor="user:anna", reason="their error"
    )
    assert (decided.resolution, decided.actor) == ("busted", "user:anna")
    assert list_unsolicited(engine, count_max=10) == []
    assert len(list_unsolicited(engine, count_max=10, with_resolved=True)) == 1
    error = refusal(
        lambda: resolve_unsolicited(engine, fill.id, Resolution.KEPT, actor="a", reason="b")
    )
    assert error.code is ErrorCode.FILL_RESOLVED


def test_a_decision_needs_a_fill_an_actor_and_a_reason(engine: Session) -> None:
    new = new_id_text()
    nobody = refusal(
        lambda: resolve_unsolicited(engine, new, Resolution.KEPT, actor=" ", reason="b")
    )
    nothing = refusal(
        lambda: resolve_unsolicited(engine, new, Resolution.KEPT, actor="a", reason="b")
    )
    assert nobody.code is ErrorCode.FILL_RESOLUTION_EMPTY
    assert nothing.code is ErrorCode.FILL_UNKNOWN


@pytest.mark.parametrize("change", ["UPDATE", "DELETE", "TRUNCATE"])
def test_what_was_set_aside_is_never_changed(
    engine_database: str, engine: Session, change: str
) -> None:
    test_a_decision_about_what_was_set_aside_is_made_once(engine_database, engine)
    for table, column in (
        ("unsolicited_fills", "symbol"),
        ("unsolicited_fill_resolutions", "reason"),
    ):
        statement = {
            "UPDATE": f"UPDATE {table} SET {column} = 'other'",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table} CASCADE",
        }[change]
        with pytest.raises(psycopg.Error) as caught:
            engine.execute(statement.encode())
        assert caught.value.sqlstate == "TW010"


def test_a_report_of_the_order_says_that_it_is_with_a_provider(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        order = buy(account)
        deal(running, order)
        late.tell(late.asked[0], 30_000)
        running.wait_until_idle()
        again = running.submit(order).result(timeout=30)
    assert isinstance(again, OrderReport)
    assert (again.is_replay, again.is_routed) == (True, True)
    assert again.filled_quantity == 30_000


def test_an_exec_id_that_another_order_has_had_is_an_execution_of_its_own(
    engine_database: str, engine: Session
) -> None:
    """FIX promises an ExecID to be unique for a day: some begin anew each morning."""
    floor, account, late = stage(engine_database, engine)
    for quantity in (100_000, 50_000, 20_000):
        with run(floor, {"LP-ONE": late}) as running:
            floor.quote(running, "EURUSD", "1.10000", "1.10010")
            deal(running, buy(account, quantity))
            for _ in range(2):
                request = late.asked[-1]
                answer = late.keep(request, quantity, execution_id="1", total_quantity=quantity)
                running.take_answer(request, answer)
                running.wait_until_idle()
            for request in late.asked:
                running.take_answer(request, late.told[request.request_id][0])
                running.wait_until_idle()
    asked = [request.request_id for request in late.asked]
    assert floor.position(account) == 170_000
    assert [row[0] for row in floor.rows("SELECT status FROM orders")] == ["filled"] * 3
    assert floor.rows("SELECT provider_execution_id FROM order_fills ORDER BY id") == [
        ("1",),
        (f"1@{asked[1]}",),
        (f"1@{asked[2]}",),
    ]
    assert aside(floor) == []
    lines = [_line(request) for request in late.asked]
    import_trades(floor.session, "LP-ONE", DAY.date(), lines)
    counts = reconcile(floor.session, "LP-ONE", since=DAY.date())
    assert {one: count for one, count in counts.items() if count} == {Bucket.MATCHED: 3}
    assert floor.broken_laws() == {}


def _line(request: ProviderRequest) -> TradeLine:
    """Return a request that was dealt under the ExecID of the others, as its provider lists it."""
    assert request.limit_price is not None
    return TradeLine(
        execution_id="1",
        request_id=request.request_id,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        price=request.limit_price,
        executed_at=request.requested_at,
    )


def test_an_exec_id_that_an_earlier_request_of_the_order_has_had_is_an_execution_of_its_own(
    engine_database: str, engine: Session
) -> None:
    """An order that rests for days is passed on by a new request on each of them."""
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 100_000, limit_price="1.10010"))
        first = late.asked[0]
        _dealt_over_fix(floor, first.request_id)
        late.tell(first, 40_000, execution_id="1", is_final=True)
        running.wait_until_idle()
        floor.quote(running, "EURUSD", "1.10001", "1.10011")
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        second = late.asked[-1]
        assert second.request_id != first.request_id
        _dealt_over_fix(floor, second.request_id)
        late.tell(second, 60_000, execution_id="1", is_final=True)
        running.wait_until_idle()
        for request in (first, second):
            running.take_answer(request, late.told[request.request_id][0])
            running.wait_until_idle()
    assert floor.position(account) == 100_000
    assert floor.rows("SELECT provider_execution_id, quantity FROM order_fills ORDER BY id") == [
        ("1", 40_000),
        (f"1@{second.request_id}", 60_000),
    ]
    assert aside(floor) == []
    assert floor.broken_laws() == {}


def _dealt_over_fix(floor: Floor, request_id: str) -> None:
    """Keep a report of an execution under ExecID 1, as a FIX session does before it is booked."""
    floor.session.execute(
        "WITH begun AS ("
        "  INSERT INTO fix_sessions (provider_id, sender_comp_id, target_comp_id)"
        "  SELECT id, 'US', 'LP' FROM liquidity_providers WHERE code = 'LP-ONE' RETURNING id"
        ") INSERT INTO fix_messages (session_id, direction, seq, next_seq, message_type,"
        " request_id, execution_id, raw) SELECT id, 'in', 1, 2, '8', %s, '1', 'x' FROM begun",
        (request_id,),
    )


def test_an_exec_id_of_two_orders_in_one_batch_is_two_executions(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        for _ in range(2):
            deal(running, buy(account))
        with running._lock:
            for request in late.asked:
                answer = late.keep(request, 100_000, execution_id="1")
                running.take_answer(request, answer)
        running.wait_until_idle()
    assert floor.position(account) == 200_000


def test_what_fits_no_order_is_set_aside_under_an_exec_id_that_is_taken(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000, execution_id="1")
        running.wait_until_idle()
        for request in ("PHONE-1", "PHONE-2", "PHONE-2"):
            late.tell(replace(late.asked[0], request_id=request), 7, execution_id="1")
        running.wait_until_idle()
    names = floor.rows("SELECT provider_execution_id FROM unsolicited_fills ORDER BY id")
    assert names == [("1@PHONE-1",), ("1@PHONE-2",)]
    assert floor.broken_laws() == {}
