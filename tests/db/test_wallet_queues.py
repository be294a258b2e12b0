"""Calls that find a wallet locked wait for it in one line, which only they can hold up."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal

import psycopg
import pytest

from tests.cast import open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tradewright import audit, ledger
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.ids import new_id_text
from tradewright.ledger import LedgerReply
from tradewright.postgres.connect import Session

Move = Callable[[Session, str], LedgerReply]
IN_LINE = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND relation = ('wallet_queues_' || right(%s, 1))::regclass
"""
WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND locktype <> 'relation' AND datname = current_database()
"""
SECONDS_MAX = 10


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def until(session: Session, count: int, statement: str, *values: str) -> None:
    deadline = monotonic_seconds() + SECONDS_MAX
    while value(session, statement, *values) != count:
        assert monotonic_seconds() < deadline, "they do not wait so"
        pause(0.01)


def credit(session: Session, user_id: str, currency: str = "USD") -> LedgerReply:
    return ledger.credit(session, user_id, currency, Decimal(1), transaction_id=new_id_text())


def debit(session: Session, user_id: str) -> LedgerReply:
    return ledger.debit(session, user_id, "USD", Decimal(1), transaction_id=new_id_text())


def reserve(session: Session, user_id: str) -> LedgerReply:
    return ledger.reserve(
        session, user_id, "USD", Decimal(1), transaction_id=new_id_text(), purpose="order"
    )


def end_of_a_hold(session: Session, user_id: str) -> Move:
    hold_id = str(reserve(session, user_id).hold_id)
    return lambda other, _: ledger.release(other, hold_id, transaction_id=new_id_text())


@pytest.mark.parametrize("kind", ["credit", "debit", "reserve", "release"])
def test_of_those_who_wait_for_a_wallet_one_waits_for_its_row(
    engine: Session, open_session: OpenSession, pool: ThreadPoolExecutor, kind: str
) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    others = [open_session() for _ in range(3)]
    moves = [
        {"credit": credit, "debit": debit, "reserve": reserve}.get(kind)
        or end_of_a_hold(engine, user_id)
        for _ in others
    ]
    with open_session() as first, first.transaction():
        credit(first, user_id)
        done: list[Future[LedgerReply]] = [
            pool.submit(move, other, user_id) for move, other in zip(moves, others, strict=True)
        ]
        until(engine, 2, IN_LINE, user_id)
        until(engine, 1, WAITING)
    versions = sorted(one.result(SECONDS_MAX).version for one in done)
    assert versions == list(range(versions[0], versions[0] + 3))


def test_who_holds_a_row_waits_for_no_line(
    engine: Session, open_session: OpenSession, pool: ThreadPoolExecutor
) -> None:
    """In line for the second wallet it would wait for who waits for its first."""
    user_id = open_user(engine)
    for currency in ("USD", "EUR"):
        open_wallet(engine, user_id, currency=currency)
    holder, other, in_line = (open_session() for _ in range(3))
    with holder.transaction():
        credit(holder, user_id)
        with other.transaction():
            credit(other, user_id, "EUR")
            waiting = pool.submit(credit, in_line, user_id)
            until(engine, 1, WAITING)
            second = pool.submit(credit, holder, user_id, "EUR")
            until(engine, 2, WAITING)
        second.result(SECONDS_MAX)
    waiting.result(SECONDS_MAX)


def test_a_crowd_at_one_wallet_loses_nothing(engine: Session, open_session: OpenSession) -> None:
    user_id = open_user(engine)

    def move(session: Session) -> None:
        for _ in range(10):
            credit(session, user_id)
            with session.transaction():
                reserve(session, user_id)
                credit(session, user_id)

    assert at_once(open_session, [move] * 6) == [None] * 6
    found = engine.execute("SELECT available, reserved, version FROM user_balances").fetchall()
    assert found == [(60, 60, 180)]


@pytest.mark.parametrize("role", ["reader", "app"])
@pytest.mark.parametrize("statement", ["LOCK TABLE wallet_queues_0", "LOCK TABLE wallet_queues"])
def test_a_line_is_held_up_by_nobody_who_moves_no_money(
    session_as: Callable[[str], Session], role: str, statement: str
) -> None:
    session = session_as(role)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
        session.execute(f"{statement} IN EXCLUSIVE MODE".encode())


def test_a_reader_takes_no_place_in_line(session_as: Callable[[str], Session]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session_as("reader").execute("SELECT queue_for_wallet(uuidv7())")
