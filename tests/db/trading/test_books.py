"""Book A: intent first, then the providers, best price first; an execution is booked once."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.floor import ONE, TWO, Floor, ask, buy, deal, refusal, row_counts, sell, steady
from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.model import ProviderAnswer, ProviderProfile, ProviderRequest, Quote
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.pipeline import Pipeline
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.batch import Answer, Trading, book_batch
from tradewright.trading.engine import Engine
from tradewright.trading.model import (
    BookAnswers,
    CancelOrder,
    ClosePosition,
    Command,
    NothingDone,
    OrderReport,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from tradewright.trading.presence import Presence

NEVER = steady("LP-ONE", 1, reject_probability=Decimal(1))
NEVER_EITHER = steady("LP-TWO", 2, reject_probability=Decimal(1))


def open_floor(conninfo: str, session: Session, *profiles: ProviderProfile) -> tuple[Floor, str]:
    floor = Floor.opened(conninfo, session, profiles)
    return floor, book_a(floor)


def book_a(floor: Floor) -> str:
    return floor.account(
        "1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=Book.A
    )


def order_row(floor: Floor) -> tuple[Any, ...]:
    return floor.rows(
        "SELECT status, filled_quantity, average_price, is_routed, refused_by, refusal_code"
        " FROM orders"
    )[0]


def asked(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT p.code, r.quantity, r.is_accepted, r.reason FROM provider_requests AS r"
        " JOIN liquidity_providers AS p ON p.id = r.provider_id ORDER BY r.id"
    )


def test_an_order_is_passed_on_and_booked_at_the_providers_price(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE, TWO)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        report = deal(running, buy(account))
    assert (report.status, report.is_routed) == (OrderStatus.NEW, True)
    assert order_row(floor) == ("filled", 100_000, Decimal("1.10010"), False, None, None)
    assert asked(floor) == [("LP-ONE", 100_000, True, None)]
    execution = floor.one("SELECT provider_execution_id FROM order_fills")
    assert execution == f"LP-ONE-{report.order_id}-1-LP-ONE"
    assert floor.broken_laws() == {}


def test_the_price_of_the_client_does_not_depend_on_the_book(
    engine_database: str, engine: Session
) -> None:
    floor, passed_on = open_floor(engine_database, engine, ONE, TWO)
    kept = floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)
    with floor.engine() as running:
        for account in (passed_on, kept):
            deal(running, buy(account, 3_000_000))
            deal(running, sell(account, 1_500_000))
    prices = floor.rows(
        "SELECT o.book, f.quantity, f.price FROM order_fills AS f"
        " JOIN orders AS o ON o.id = f.order_id ORDER BY o.book, f.id"
    )
    half = len(prices) // 2
    assert [row[1:] for row in prices[:half]] == [row[1:] for row in prices[half:]]
    assert [row[0] for row in prices] == ["A"] * half + ["B"] * half


def test_the_intent_is_committed_before_a_provider_is_asked(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    seen: list[tuple[Any, ...]] = []

    class Watching(SimulatedProvider):
        """Looks from a session of its own at what is committed when it is asked."""

        def answer(self, request: ProviderRequest, now: Any) -> ProviderAnswer:
            with connect(engine_database, autocommit=True) as other:
                seen.extend(other.execute("SELECT status, is_routed FROM orders").fetchall())
            return super().answer(request, now)

    running = Engine(
        lambda: connect(engine_database, writer=True, autocommit=True),
        {"LP-ONE": Watching(ONE, seed=1)},
    )
    with running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
    assert seen == [("new", True)]
    assert order_row(floor)[0] == "filled"


def test_a_reject_goes_on_to_the_next_provider(engine_database: str, engine: Session) -> None:
    floor, account = open_floor(engine_database, engine, NEVER, TWO)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account))
    assert asked(floor) == [
        ("LP-ONE", 100_000, False, "declined"),
        ("LP-TWO", 100_000, True, None),
    ]
    assert order_row(floor)[:3] == ("filled", 100_000, Decimal("1.10022"))
    assert floor.broken_laws() == {}


def test_a_market_that_moved_beyond_tolerance_is_rejected_after_the_last_look(
    engine_database: str, engine: Session
) -> None:
    # The provider falls silent on its second quote, so it is asked at a price that is history.
    frozen = steady("LP-ONE", 1, tolerance_bps=Decimal("0.5"), last_look_ms=100)
    floor, account = open_floor(engine_database, engine, frozen, TWO)
    running = floor.build()
    with running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        provider = running._providers["LP-ONE"]
        assert isinstance(provider, SimulatedProvider)
        provider._silent_quote_count = 1
        floor.quote(running, "EURUSD", "1.10500", "1.10510")
        deal(running, buy(account))
    reasons = [(code, reason) for code, _, _, reason in asked(floor)]
    assert reasons == [("LP-ONE", "last_look"), ("LP-TWO", None)]
    assert floor.one("SELECT max(hold_ms) FROM provider_requests") >= 50
    assert floor.broken_laws() == {}


def test_an_order_that_all_providers_reject_is_rejected_by_them(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, NEVER, NEVER_EITHER)
    with floor.engine() as running:
        deal(running, buy(account))
    assert order_row(floor) == (
        *("rejected", 0, None, False),
        *("provider", "ORDER_REJECTED_BY_PROVIDER"),
    )
    assert len(asked(floor)) == 2
    assert floor.broken_laws() == {}


def test_a_partial_fill_keeps_what_was_dealt_and_cancels_the_rest(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE, NEVER_EITHER)
    with floor.engine() as running:
        deal(running, buy(account, 3_000_000))
    assert order_row(floor)[:2] == ("canceled", 1_000_000)
    assert floor.position(account) == 1_000_000
    assert floor.broken_laws() == {}


def test_fill_or_kill_is_only_passed_to_a_provider_that_can_take_it_whole(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE, TWO)
    with floor.engine() as running:
        deal(running, buy(account, 3_000_000, time_in_force=TimeInForce.FOK))
        deal(running, buy(account, 6_000_000, time_in_force=TimeInForce.FOK))
    assert asked(floor) == [("LP-TWO", 3_000_000, True, None)]
    assert floor.rows("SELECT status, filled_quantity FROM orders ORDER BY id") == [
        ("filled", 3_000_000),
        ("rejected", 0),
    ]
    assert floor.broken_laws() == {}


def test_a_limit_is_never_passed_on_beyond_its_price(engine_database: str, engine: Session) -> None:
    floor, account = open_floor(engine_database, engine, NEVER, TWO)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account, limit_price="1.10015"))
    assert [code for code, *_ in asked(floor)] == ["LP-ONE"]
    assert order_row(floor)[0] == "new"


def test_a_resting_limit_of_book_a_is_passed_on_when_it_is_reached(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE, TWO)
    with floor.engine() as running:
        deal(running, buy(account, limit_price="1.09900"))
        assert asked(floor) == []
        floor.quote(running, "EURUSD", "1.09880", "1.09890")
    assert order_row(floor)[:3] == ("filled", 100_000, Decimal("1.09890"))
    assert floor.broken_laws() == {}


class Slow(SimulatedProvider):
    """Says when it is asked, and answers when it is allowed to."""

    def __init__(self, profile: ProviderProfile) -> None:
        super().__init__(profile, seed=1)
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def answer(self, request: ProviderRequest, now: Any) -> ProviderAnswer:
        """Wait for the test, then answer as the market is."""
        self.is_asked.set()
        assert self.may_answer.wait(30)
        return super().answer(request, now)


@pytest.mark.parametrize(
    ("profile", "status", "last"), [(ONE, "filled", "trade"), (NEVER, "canceled", "canceled")]
)
def test_a_cancel_of_an_order_in_flight_waits_and_a_fill_that_arrives_wins(
    engine_database: str, engine: Session, profile: ProviderProfile, status: str, last: str
) -> None:
    floor, account = open_floor(engine_database, engine, profile)
    submit = buy(account, client_order_id="mine")
    cancel = CancelOrder(account_id=account, client_order_id="mine")
    with floor.engine() as running:
        _, asked_once, asked_twice = running.submit_together([submit, cancel, cancel])
        reports = [future.result(timeout=30) for future in (asked_once, asked_twice)]
        running.wait_until_idle()
    for report in reports:
        assert isinstance(report, OrderReport)
        assert (report.status, report.is_routed) == (OrderStatus.PENDING_CANCEL, True)
    assert order_row(floor)[0] == status
    assert order_row(floor)[3:] == (False, None, None)
    assert [kind for kind, *_ in steps(floor)] == ["new", "pending_cancel", last]
    assert floor.broken_laws() == {}


def test_a_part_that_was_dealt_before_the_cancel_took_effect_stays(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE, NEVER_EITHER)
    submit = buy(account, 3_000_000, client_order_id="mine", limit_price="1.10100")
    cancel = CancelOrder(account_id=account, client_order_id="mine")
    with floor.engine() as running:
        running.submit_together([submit, cancel])
        running.wait_until_idle()
    assert order_row(floor) == ("canceled", 1_000_000, Decimal("1.10010"), False, None, None)
    assert steps(floor) == [
        ("new", None, "new"),
        ("pending_cancel", "new", "pending_cancel"),
        ("trade", "pending_cancel", "partially_filled"),
        ("canceled", "partially_filled", "canceled"),
    ]
    assert floor.position(account) == 1_000_000
    assert floor.broken_laws() == {}


def test_a_cancel_that_comes_while_the_provider_thinks_never_undoes_its_fill(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    slow = Slow(ONE)
    running = Engine(
        lambda: connect(engine_database, writer=True, autocommit=True), {"LP-ONE": slow}
    )
    with running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        running.submit(buy(account, client_order_id="mine"))
        assert slow.is_asked.wait(30)
        cancel = running.submit(CancelOrder(account_id=account, client_order_id="mine"))
        slow.may_answer.set()
        try:
            told: object = cancel.result(timeout=30)
        except StateError as error:
            told = error.code
        running.wait_until_idle()
    # The cancel is decided before the answer or after it: either way the fill stands.
    assert told is ErrorCode.ORDER_ENDED or isinstance(told, OrderReport)
    assert order_row(floor)[0] == "filled"
    assert floor.broken_laws() == {}


def steps(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows("SELECT event_type, from_status, to_status FROM order_events ORDER BY seq")


def test_orders_that_only_reduce_never_reduce_the_same_part_twice(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account, 100_000))
        reducers = [sell(account, 70_000, is_reduce_only=True) for _ in range(3)]
        reports = [future.result(timeout=30) for future in running.submit_together(reducers)]
        running.wait_until_idle()
    assert [isinstance(one, OrderReport) and one.is_routed for one in reports] == [
        True,
        True,
        False,
    ]
    rows = floor.rows(
        "SELECT status, filled_quantity FROM orders WHERE side = 'sell' ORDER BY filled_quantity"
    )
    assert rows == [("canceled", 0), ("canceled", 30_000), ("filled", 70_000)]
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_reducer_in_flight_counts_when_another_one_is_reached(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account, 100_000))
        for stop in ("1.09900", "1.09901"):
            deal(running, sell(account, 80_000, stop_price=stop, is_reduce_only=True))
        floor.quote(running, "EURUSD", "1.09800", "1.09810")
    rows = floor.rows("SELECT filled_quantity FROM orders WHERE side = 'sell' ORDER BY id")
    assert sum(row[0] for row in rows) == 100_000
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_stop_limit_of_book_a_is_passed_on_within_its_limit_and_rests_again(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, NEVER)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(
            running,
            buy(
                account,
                order_type=OrderType.STOP_LIMIT,
                stop_price="1.10100",
                limit_price="1.10120",
                time_in_force=TimeInForce.GTC,
            ),
        )
        floor.quote(running, "EURUSD", "1.10140", "1.10150")
        assert asked(floor) == []
        floor.quote(running, "EURUSD", "1.10100", "1.10110")
    assert [row[:1] + row[2:] for row in asked(floor)] == [("LP-ONE", False, "declined")]
    assert order_row(floor)[:2] == ("new", 0)
    assert [kind for kind, *_ in steps(floor)] == ["new", "triggered", "restated", "restated"]
    assert floor.broken_laws() == {}


def test_answers_that_arrive_twice_are_booked_once(engine_database: str, engine: Session) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    kept: list[BookAnswers] = []
    with floor.engine() as running:
        settle = running._settle

        def keep_and_settle(proposed: Sequence[Command], answers: Sequence[Answer]) -> None:
            kept.extend(command for command in proposed if isinstance(command, BookAnswers))
            settle(proposed, answers)

        running._settle = keep_and_settle  # type: ignore[method-assign]
        deal(running, buy(account))
        again = running.submit(kept[0]).result(timeout=30)
    assert isinstance(again, NothingDone)
    assert floor.position(account) == 100_000
    assert floor.one("SELECT count(*) FROM provider_requests") == 1
    assert floor.broken_laws() == {}


def route_and_vanish(floor: Floor, account: str, *, cancels: bool = False) -> None:
    """Leave an order in the database that was routed and never asked about."""
    running = floor.build()
    running.market.advance(floor.now)
    trading = Trading(running.reference, running.market, threading.Lock())
    presence = Presence(
        lambda: connect(floor.conninfo, writer=True, autocommit=True), trading, running._providers
    )
    presence.hold()
    for provider in running._providers.values():
        offered = provider.on_quote(quote_now(floor))
        assert offered is not None
        running.market.update(offered)
    with connect(floor.conninfo, writer=True, autocommit=True) as session:
        book_batch(Pipeline(session), trading, [buy(account, client_order_id="mine")])
        if cancels:
            cancel = CancelOrder(account_id=account, client_order_id="mine")
            book_batch(Pipeline(session), trading, [cancel])
    presence.let_go()


def quote_now(floor: Floor) -> Quote:
    return Quote("EURUSD", Decimal("1.10000"), Decimal("1.10010"), floor.now)


def test_an_order_that_no_provider_knows_after_a_restart_is_ended_without_a_fill(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    route_and_vanish(floor, account)
    assert order_row(floor)[:4] == ("new", 0, None, True)
    with floor.engine() as running:
        running.wait_until_idle()
    assert order_row(floor)[:4] == ("rejected", 0, None, False)
    assert floor.broken_laws() == {}


def test_an_order_that_was_to_be_canceled_when_the_engine_died_is_canceled_after_a_restart(
    engine_database: str, engine: Session
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    route_and_vanish(floor, account, cancels=True)
    assert order_row(floor)[:4] == ("pending_cancel", 0, None, True)
    with floor.engine() as running:
        running.wait_until_idle()
    assert order_row(floor) == ("canceled", 0, None, False, None, None)
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("cancels", [False, True])
def test_an_order_that_was_filled_before_a_restart_is_recovered_from_its_provider(
    engine_database: str, engine: Session, cancels: bool
) -> None:
    floor, account = open_floor(engine_database, engine, ONE)
    route_and_vanish(floor, account, cancels=cancels)
    order_id = floor.one("SELECT id::text FROM orders")
    provider = SimulatedProvider(ONE, seed=1)
    provider.on_quote(quote_now(floor))
    provider.answer(
        ProviderRequest(
            request_id=f"{order_id}-1-LP-ONE",
            symbol="EURUSD",
            side=buy(account).side,
            quantity=Decimal(100_000),
            limit_price=None,
            requested_at=floor.now,
        ),
        floor.now,
    )
    restarted = Engine(
        lambda: connect(engine_database, writer=True, autocommit=True), {"LP-ONE": provider}
    )
    with restarted:
        restarted.wait_until_idle()
        # No rate yet, so nothing is booked.
        assert order_row(floor)[:4] == ("pending_cancel" if cancels else "new", 0, None, True)
        floor.quote(restarted, "EURUSD", "1.10000", "1.10011")
    assert order_row(floor)[:4] == ("filled", 100_000, Decimal("1.10010"), False)
    assert floor.broken_laws() == {}


def test_a_close_that_cannot_be_valued_is_refused_and_leaves_no_trace(
    engine_database: str, engine: Session
) -> None:
    floor, _ = open_floor(engine_database, engine, ONE)
    account = floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        floor.quote(running, "GBPUSD", "1.25000", "1.25010")
        floor.quote(running, "EURGBP", "0.88000", "0.88010")
        deal(running, buy(account, symbol="EURGBP", stop_loss="0.87000"))
    close = ClosePosition(
        account_id=account,
        position_id=floor.one("SELECT id::text FROM positions"),
        symbol="EURGBP",
    )
    with floor.engine(eurusd=None) as restarted:  # it has no rate of sterling yet
        floor.quote(restarted, "EURGBP", "0.86000", "0.86010")
        counts = row_counts(engine)
        error = refusal(lambda: ask(restarted, close))
        assert row_counts(engine) == counts | {
            "alerts": 2
        }  # the prices without which it has no value
        floor.quote(restarted, "EURUSD", "1.10000", "1.10010")
        floor.quote(restarted, "GBPUSD", "1.25000", "1.25010")
        floor.quote(restarted, "EURGBP", "0.86000", "0.86011")
    assert error.code is ErrorCode.ORDER_RATE_MISSING
    assert error.hint == "Wait for quotes of a pair between them, then book again."
    assert floor.position(account, "EURGBP") == 0
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("writers", [1, 2])
def test_orders_of_both_books_side_by_side_keep_every_law(
    engine_database: str, engine: Session, writers: int
) -> None:
    floor, _ = open_floor(engine_database, engine, ONE, NEVER_EITHER)
    accounts = [book_a(floor) for _ in range(3)] + [floor.account("50000") for _ in range(3)]
    with floor.engine(writers=writers) as running:
        for step in range(6):
            commands = [
                (buy if (step + place) % 3 else sell)(account, 50_000 + 10_000 * step)
                for place, account in enumerate(accounts)
            ]
            for future in running.submit_together(commands):
                future.result(timeout=30)
            floor.quote(running, "EURUSD", f"1.10{step}00", f"1.10{step}10")
    assert floor.one("SELECT count(*) FROM orders WHERE is_routed") == 0
    assert floor.one("SELECT count(*) FROM orders WHERE origin = 'client'") == 36
    assert floor.broken_laws() == {}
