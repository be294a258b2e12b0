"""Writers: batches that fail, lost servers, full queues, many submitters and many engines."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

import psycopg
import pytest

from tests.conftest import migrate_engine
from tests.floor import ONE, Floor, ask, buy, deal, refusal, row_counts, sell
from tradewright import ledger
from tradewright.core.clock import pause
from tradewright.core.errors import DatabaseError, ErrorCode, MoneyError, StateError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.pipeline import Pipeline
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading import writer
from tradewright.trading.batch import Answer
from tradewright.trading.engine import Engine
from tradewright.trading.model import (
    CancelOrder,
    Direction,
    MoneyReport,
    MoveMoney,
    OrderReport,
    OrderStatus,
    SubmitOrder,
)
from tradewright.trading.registry import AccountSettings, open_account

POISON = {"strategy": "a\x00b"}
"""JSON that jsonb cannot hold: the decision is sound, the write fails."""


def statuses(futures: "list[object]") -> list[object]:
    found: list[object] = []
    for future in futures:
        try:
            report = future.result(timeout=60)  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 (what a client would see)
            found.append(getattr(error, "code", error))
        else:
            found.append(report.status)
    return found


def test_a_poisoned_command_is_answered_alone_and_its_neighbours_are_booked(floor: Floor) -> None:
    accounts = [floor.account() for _ in range(7)]
    commands = [buy(account, 10_000) for account in accounts]
    commands[3] = buy(accounts[3], 10_000, metadata=POISON)
    with floor.engine() as engine:
        answers = statuses(list(engine.submit_together(commands)))
        splits = engine.counts.splits
        after = deal(engine, buy(accounts[3], 10_000))
    assert (
        answers
        == [OrderStatus.FILLED] * 3 + [ErrorCode.DATABASE_VALUE_REFUSED] + [OrderStatus.FILLED] * 3
    )
    assert splits == 3
    assert after.status is OrderStatus.FILLED
    assert floor.one("SELECT count(*) FROM orders") == 7
    assert floor.broken_laws() == {}


def test_a_poisoned_command_of_an_account_does_not_spoil_its_other_orders(floor: Floor) -> None:
    account = floor.account()
    commands = [buy(account, 10_000), buy(account, 10_000, metadata=POISON), sell(account, 10_000)]
    with floor.engine() as engine:
        answers = statuses(list(engine.submit_together(commands)))
    assert answers == [
        OrderStatus.FILLED,
        ErrorCode.DATABASE_VALUE_REFUSED,
        OrderStatus.FILLED,
    ]
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_a_command_that_breaks_the_program_is_answered_and_the_writer_lives_on(
    floor: Floor,
) -> None:
    account = floor.account()
    unwritable = buy(account, 10_000, metadata={"strategy": object()})
    with floor.engine() as engine:
        answers = statuses(
            list(engine.submit_together([buy(account, 10_000), unwritable, buy(account, 10_000)]))
        )
        assert deal(engine, buy(account, 10_000)).status is OrderStatus.FILLED
    assert answers == [
        OrderStatus.FILLED,
        ErrorCode.INTERNAL_DEFECT,
        OrderStatus.FILLED,
    ]
    assert floor.broken_laws() == {}


def test_an_account_that_does_not_exist_is_named_in_the_error(floor: Floor) -> None:
    stranger = new_id_text()
    with floor.engine() as engine:
        counts = row_counts(floor.session)
        error = refusal(lambda: ask(engine, buy(stranger)))
    assert error.code is ErrorCode.ACCOUNT_UNKNOWN
    assert error.hint == "Check the account's id."
    assert stranger in error.what
    assert row_counts(floor.session) == counts


def test_a_full_queue_takes_no_more_and_says_what_to_do(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = floor.account()
    monkeypatch.setattr(writer, "QUEUED_GROUPS_MAX", 0)
    with floor.engine() as engine:
        error = refusal(lambda: engine.submit(buy(account)))
        monkeypatch.undo()
        assert deal(engine, buy(account, 10_000)).status is OrderStatus.FILLED
    assert error.code is ErrorCode.ENGINE_QUEUE_FULL
    assert error.hint == "Slow down and submit again with the same keys."


def test_a_full_queue_takes_what_the_house_asks_of_itself(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = floor.account(book=Book.A)
    with floor.engine() as engine:
        with engine._lock:  # the order waits to be decided while the queue fills up
            future = engine.submit(buy(account, 10_000))
            monkeypatch.setattr(writer, "QUEUED_GROUPS_MAX", 0)
        assert future.result(timeout=30)
        engine.wait_until_idle()
    assert floor.rows("SELECT status, is_routed FROM orders") == [("filled", False)]
    assert floor.broken_laws() == {}


class BreaksOnce(SimulatedProvider):
    """Deals the first request, and stumbles over the second."""

    count = 0

    def answer(self, request: ProviderRequest, now: datetime) -> ProviderAnswer:
        """Deal, unless it is the second request."""
        self.count += 1
        if self.count == 2:
            raise ZeroDivisionError("the second one")
        return super().answer(request, now)


def test_what_fails_after_a_commit_ends_no_writer_and_loses_no_answer(floor: Floor) -> None:
    accounts = [floor.account(book=Book.A) for _ in range(2)]
    running = Engine(
        lambda: connect(floor.conninfo, writer=True, autocommit=True),
        {"LP-ONE": BreaksOnce(ONE, seed=1)},
    )
    with running as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        with engine._lock:
            futures = engine.submit_together([buy(account, 10_000) for account in accounts])
        assert statuses(list(futures)) == [OrderStatus.NEW] * 2
        error = refusal(engine.wait_until_idle)
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        assert deal(engine, buy(accounts[0], 10_000)).status is OrderStatus.NEW
    assert error.code is ErrorCode.INTERNAL_DEFECT
    assert error.what.endswith("what it has booked: ZeroDivisionError: the second one")
    assert error.hint.startswith("Report this with the facts, and restart")
    place = str(error.facts["raised_at"])
    assert place.startswith("trading/dispatch.py:")
    assert " _follow_up" in place
    assert error.why.endswith(f"It was raised at {place}.")
    statuses_booked = "SELECT status, is_routed FROM orders ORDER BY id"
    assert floor.rows(statuses_booked) == [("filled", False), ("new", True), ("filled", False)]
    assert floor.broken_laws() == {}


class Gone:
    """A client whose answer cannot be given any more, as that of a loop that was closed."""

    def resolve(self, answers: Sequence[Answer]) -> None:
        """Fail."""
        raise RuntimeError(f"nobody takes {len(answers)}")


def test_a_client_that_is_gone_keeps_nobody_from_the_answer(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        with engine._lock:
            engine.submit_for(buy(account, 10_000), Gone())
            future = engine.submit(buy(account, 10_000))
        assert statuses([future]) == [OrderStatus.FILLED]
        assert refusal(engine.wait_until_idle).code is ErrorCode.INTERNAL_DEFECT
    assert floor.position(account) == 20_000


def test_an_engine_that_does_not_run_takes_no_commands(floor: Floor) -> None:
    account = floor.account()
    engine = floor.build()
    before = refusal(lambda: engine.submit(buy(account)))
    engine.start()
    engine.stop()
    after = refusal(lambda: engine.submit_together([buy(account)]))
    for error in (before, after):
        assert isinstance(error, StateError)
        assert error.code is ErrorCode.ENGINE_STOPPED
        assert error.hint == "Start it, then submit again with the same keys."


def test_stopping_books_what_is_queued(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        futures = [engine.submit(buy(account, 1000)) for _ in range(50)]
    assert all(future.done() for future in futures)
    assert floor.position(account) == 50_000


@pytest.mark.parametrize("writers", [1, 2])
def test_parallel_submitters_never_exceed_the_margin(floor: Floor, writers: int) -> None:
    # 4,000 USD at 30:1 carry 100,000 EUR at 1.10, ten orders of 10,000, and not eleven.
    accounts = [floor.account("4000") for _ in range(4)]

    def submit(place: int) -> OrderReport:
        report = engine.submit(buy(accounts[place % 4], 10_000)).result(timeout=60)
        assert isinstance(report, OrderReport)
        return report

    with floor.engine(writers=writers) as engine, ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(submit, range(80)))
        engine.wait_until_idle()
    for account in accounts:
        assert floor.position(account) == 100_000
    assert sum(report.status is OrderStatus.FILLED for report in reports) == 40
    assert {report.refusal_code for report in reports} == {
        None,
        ErrorCode.ORDER_MARGIN_INSUFFICIENT,
    }
    assert floor.broken_laws() == {}


def test_two_engines_on_one_database_keep_every_law(floor: Floor) -> None:
    accounts = [floor.account("20000") for _ in range(3)]
    keys = [f"key-{number}" for number in range(20)]

    def trade(engine_number: int) -> list[object]:
        engine = engines[engine_number]
        futures = [
            engine.submit(
                (buy if number % 3 else sell)(
                    accounts[number % 3], 5_000, client_order_id=keys[number]
                )
            )
            for number in range(20)
        ]
        return [future.result(timeout=60) for future in futures]

    with floor.engine() as first, floor.engine(writers=2) as second, ThreadPoolExecutor(2) as pool:
        engines = [first, second]
        left, right = pool.map(trade, range(2))
    for mine, theirs in zip(left, right, strict=True):
        assert isinstance(mine, OrderReport)
        assert isinstance(theirs, OrderReport)
        assert mine.order_id == theirs.order_id
        assert mine.is_replay != theirs.is_replay
    assert floor.one("SELECT count(*) FROM orders") == 20
    assert floor.broken_laws() == {}


def test_money_moves_once_per_transaction_id(floor: Floor) -> None:
    account = floor.account("1000")
    move = MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal("400.05"),
        transaction_id=new_id_text(),
    )
    other = MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal("400.06"),
        transaction_id=move.transaction_id,
    )
    with floor.engine() as engine:
        reports = [f.result(timeout=30) for f in engine.submit_together([move, move])]
        counts = row_counts(floor.session)
        again = ask(engine, move)
        conflict = refusal(lambda: ask(engine, other))
    assert reports == [
        MoneyReport(account, Decimal("599.95")),
        MoneyReport(account, Decimal("599.95"), is_replay=True),
    ]
    assert again == reports[1]
    assert conflict.code is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert row_counts(floor.session) == counts
    assert floor.broken_laws() == {}


def test_a_transaction_id_stands_for_the_account_that_its_money_went_to(floor: Floor) -> None:
    """Another account of the same client was told that it had come there."""
    account = floor.account("1000")
    user_id = floor.one("SELECT user_id::text FROM accounts WHERE id = %s", account)
    other = open_account(floor.session, user_id, AccountSettings(currency="USD", leverage=30))
    ledger.credit(floor.session, user_id, "USD", Decimal(1000), transaction_id=new_id_text())

    def pay_in(account_id: str, key: str) -> MoveMoney:
        return MoveMoney(
            account_id=account_id,
            direction=Direction.TO_ACCOUNT,
            amount=Decimal(100),
            transaction_id=key,
        )

    one, two = new_id_text(), new_id_text()
    with floor.engine() as engine:
        assert ask(engine, pay_in(account, one)) == MoneyReport(account, Decimal(1100))
        again = ask(engine, pay_in(account, one))
        assert again == MoneyReport(account, Decimal(1100), is_replay=True)
        asked = [pay_in(other, one), pay_in(other, two), pay_in(account, two)]
        refused, done, late = engine.submit_together(asked)
        assert done.result(timeout=30) == MoneyReport(other, Decimal(100))
        for future in (refused, late):
            with pytest.raises(MoneyError) as caught:
                future.result(timeout=30)
            assert caught.value.code is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert floor.broken_laws() == {}


def test_only_what_is_free_of_margin_leaves_an_account(floor: Floor) -> None:
    account = floor.account("10000")

    def take(amount: str) -> MoveMoney:
        return MoveMoney(
            account_id=account,
            direction=Direction.TO_WALLET,
            amount=Decimal(amount),
            transaction_id=new_id_text(),
        )

    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        # Equity 9,990 less 100,000 * 1.10005 / 30.
        error = refusal(lambda: ask(engine, take("6323.17")))
        done = ask(engine, take("6323.16"))
    assert error.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert error.hint == "Close positions, deposit more, or ask for less."
    assert done == MoneyReport(account, Decimal("3676.84"))


@contextmanager
def own_server() -> Iterator[tuple[EmbeddedServer, Floor]]:
    """Run a server that may be killed, with a floor on it."""
    with EmbeddedServer.temporary() as server:
        server.create_database("floor")
        conninfo = server.conninfo("floor")
        migrate_engine(conninfo)
        with connect(conninfo, autocommit=True) as session:
            floor = Floor.opened(conninfo, session)
            floor.account("100000", client_class=ClientClass.PROFESSIONAL)
        yield server, floor


def insist(engine: Engine, command: SubmitOrder) -> None:
    """Submit a command as a client does that was not answered: again, under the same key."""
    for _ in range(50):
        try:
            engine.submit(command).result(timeout=60)
        except DatabaseError:
            pause(0.1)
        else:
            return
    raise AssertionError("the server did not come back")


def test_a_server_that_is_killed_loses_nothing_that_was_answered() -> None:
    with own_server() as (server, floor):
        with connect(floor.conninfo, autocommit=True) as session:
            account = str(session.execute("SELECT id FROM accounts").fetchall()[0][0])
        answered: list[str] = []
        first_ten = threading.Event()

        def submit() -> None:
            for number in range(100):
                insist(engine, buy(account, 1000, client_order_id=f"key-{number}"))
                answered.append(f"key-{number}")
                if number == 10:
                    first_ten.set()

        engine = floor.build()
        with engine:
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")
            client = threading.Thread(target=submit)
            client.start()
            assert first_ten.wait(60)
            server.kill()
            server.start()
            client.join(60)
            reconnects = engine.counts.reconnects
        with connect(floor.conninfo, autocommit=True) as session:
            floor.session = session
            booked = {row[0] for row in floor.rows("SELECT client_order_id FROM orders")}
            assert set(answered) <= booked
            assert floor.position(account) == 100_000
            assert floor.broken_laws() == {}
    assert len(answered) == 100
    assert reconnects >= 1


def test_a_batch_meets_a_server_that_is_gone_once_and_not_once_for_each_command() -> None:
    with own_server() as (server, floor):
        with connect(floor.conninfo, autocommit=True) as session:
            account = str(session.execute("SELECT id FROM accounts").fetchall()[0][0])
        engine = floor.build()
        with engine:
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")
            server.kill()
            commands: list[SubmitOrder] = [buy(account, 1000) for _ in range(64)]
            answers = statuses(list(engine.submit_together(commands)))
            splits = engine.counts.splits
    assert set(answers) <= {ErrorCode.DATABASE_UNREACHABLE, ErrorCode.DATABASE_CONNECTION_LOST}
    assert len(answers) == 64
    assert splits == 0


def test_a_cancel_of_another_accounts_order_changes_nothing(floor: Floor) -> None:
    mine, other = floor.account(), floor.account()
    with floor.engine() as engine:
        deal(engine, buy(mine, limit_price="1.00000", client_order_id="mine"))
        counts = row_counts(floor.session)
        error = refusal(lambda: ask(engine, CancelOrder(account_id=other, client_order_id="mine")))
    assert error.code is ErrorCode.ORDER_UNKNOWN
    assert row_counts(floor.session) == counts


def test_what_the_house_itself_fails_on_is_told_to_who_waits(floor: Floor) -> None:
    account = floor.account("4000")
    with floor.engine() as engine:
        deal(engine, buy(account, stop_loss="1.09000"))
        floor.session.execute("ALTER TABLE stop_outs RENAME TO mislaid")
        floor.session.execute("ALTER TABLE order_fills RENAME TO mislaid_too")
        error = refusal(lambda: floor.quote(engine, "EURUSD", "1.05000", "1.05010"))
        engine.wait_until_idle()  # told once
        floor.session.execute("ALTER TABLE mislaid RENAME TO stop_outs")
        floor.session.execute("ALTER TABLE mislaid_too RENAME TO order_fills")
        floor.quote(engine, "EURUSD", "1.05000", "1.05011")
    assert error.code is ErrorCode.DATABASE_STATEMENT_FAILED
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def lose_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the session vanish once, just after the server has committed."""
    commit = Pipeline._commit
    lost: list[bool] = []

    def once(pipeline: Pipeline) -> None:
        commit(pipeline)
        if not lost:
            lost.append(True)
            pipeline._session.close()
            raise psycopg.OperationalError("the answer of the commit was lost")

    monkeypatch.setattr(Pipeline, "_commit", once)


def test_what_was_booked_before_its_answer_was_lost_is_watched(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = floor.account("4000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(floor.account(), 1_000))  # its batch has said that the day before is over
        lose_one_answer(monkeypatch)
        report = deal(engine, buy(account, 10_000, stop_loss="1.09"))
        assert (report.is_replay, engine.counts.reconnects) == (True, 1)
        floor.quote(engine, "EURUSD", "1.08000", "1.08010")
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_what_was_to_be_passed_on_before_its_answer_was_lost_does_not_wait_for_ever(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = floor.account("100000", book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(floor.account(), 1_000))  # its batch has said that the day before is over
        lose_one_answer(monkeypatch)
        report = deal(engine, buy(account, 10_000, client_order_id="mine"))
        assert (report.is_replay, report.is_routed) == (True, True)
        floor.quote(engine, "EURUSD", "1.10000", "1.10011")
        engine.wait_until_idle()
        orders = "SELECT status, is_routed FROM orders WHERE account_id = %s"
        assert floor.rows(orders, account) == [("rejected", False)]
    assert floor.broken_laws() == {}


def test_an_order_reads_no_more_as_its_account_s_history_grows(floor: Floor) -> None:
    """Plans are made while tables are small, and kept: rows are found by their keys."""
    floor.session.execute(_NO_NEW_STATISTICS)
    account = floor.account()
    with floor.engine() as engine:
        _trade(floor, engine, account)
        read = []
        for _ in range(4):
            read.append(_trade(floor, engine, account))
            floor.session.execute("VACUUM")  # plans are made anew, of columns that nobody knows
    assert max(read) < read[0] * 1.1, f"rows read by index in equal rounds: {read}"


def _trade(floor: Floor, engine: Engine, account: str) -> int:
    """Buy and sell; return how many rows all indexes together have read for it."""
    before = int(floor.one(_ROWS_READ))
    for number in range(25):
        if number == 24:
            pause(1.1)  # a session tells its counts with the first commit after a second
        deal(engine, buy(account, 1_000))
        deal(engine, sell(account, 1_000))
    return int(floor.one(_ROWS_READ)) - before


_NO_NEW_STATISTICS = """
    DO $$
    DECLARE
        v_table regclass;
    BEGIN
        FOR v_table IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'tradewright'::regnamespace AND relkind = 'r'
        LOOP
            EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', v_table);
        END LOOP;
    END;
    $$
"""
"""Autovacuum would have plans made anew, whenever it happens to come by."""

_ROWS_READ = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes"
