"""Trading accounts in a batch: what moves between them and other clients, and what does not."""

from collections.abc import Iterator

import pytest

from tests.cast import open_account, open_user, open_wallet, play
from tests.db.test_ledger_batch import available, book, clearing, movement, outcomes
from tests.db.trading.test_in_flight import answer, stage
from tests.db.trading.test_pending_margin import account_of, bid
from tests.floor import Floor, buy, deal
from tradewright import audit
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def test_an_account_gives_a_wallet_no_more_than_it_has(engine: Session) -> None:
    user_id, house = open_user(engine), clearing(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    results = book(
        engine,
        [
            movement(account, wallet, "1000"),
            movement(wallet, account, "4"),
            movement(account, wallet, "4.01"),
            movement(account, wallet, "3"),
            movement(account, house, "20"),
            movement(account, wallet, "0.01"),
        ],
    )
    short = "MONEY_INSUFFICIENT_FUNDS"
    assert outcomes(results) == [short, "done", short, "done", "done", short]
    assert "account holds 0 USD, 1000 are needed" in str(results[0].error)
    assert (available(engine, wallet), available(engine, account)) == (9, -19)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_between_clients_nothing_moves_in_or_out_of_an_account_that_is_not_active(
    engine: Session, status: str
) -> None:
    user_id, house = open_user(engine), clearing(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    if status == "suspended":  # what is closed was emptied before
        book(engine, [movement(wallet, account, "5")])
    engine.execute("UPDATE accounts SET status = %s WHERE id = %s", (status, account))
    moves = [movement(wallet, account), movement(account, wallet), movement(account, house)]
    results = book(engine, moves)
    assert outcomes(results) == ["ACCOUNT_NOT_ACTIVE", "ACCOUNT_NOT_ACTIVE", "done"]
    assert f"is {status}" in str(results[0].error)


def test_between_clients_nothing_moves_in_or_out_of_a_suspended_users_account(
    engine: Session,
) -> None:
    user_id, house = open_user(engine), clearing(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    book(engine, [movement(wallet, account, "5")])
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (user_id,))
    moves = [movement(wallet, account), movement(account, wallet), movement(account, house)]
    results = book(engine, moves)
    assert outcomes(results) == ["ACCOUNT_NOT_ACTIVE", "ACCOUNT_NOT_ACTIVE", "done"]
    assert f'the owner of account "{account}" is suspended' in str(results[0].error)


def test_what_was_moved_before_an_account_was_closed_is_answered_as_a_repeat(
    engine: Session,
) -> None:
    user_id = open_user(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    there, back = movement(wallet, account, "5"), movement(account, wallet, "5")
    book(engine, [there, back])
    engine.execute("UPDATE accounts SET status = 'closed' WHERE id = %s", (account,))
    assert outcomes(book(engine, [there, back])) == ["replay", "replay"]


def test_money_beside_an_open_position_does_not_leave_in_a_batch(engine: Session) -> None:
    cast = play(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE positions SET is_open = true, quantity = 1, closed_at = NULL WHERE id = %s",
        (cast.position_id,),
    )
    engine.execute("RESET session_replication_role")
    [result] = book(engine, [movement(cast.account_id, cast.wallet_id)])
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE positions SET is_open = false, quantity = 0, closed_at = clock_timestamp()"
        " WHERE id = %s",
        (cast.position_id,),
    )
    assert outcomes([result]) == ["MONEY_ACCOUNT_HAS_POSITIONS"]


def test_nothing_leaves_in_a_batch_while_an_order_is_in_flight(
    engine_database: str, engine: Session
) -> None:
    wallet = open_wallet(engine, open_user(engine))
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        deal(running, buy(account, 1_000))
        assert outcomes(book(engine, [movement(account, wallet)])) == ["ORDER_IN_FLIGHT"]
        answer(running, late, 0)
        assert outcomes(book(engine, [movement(account, wallet)])) == ["done"]


def test_nothing_leaves_in_a_batch_beside_orders_that_bind(floor: Floor, engine: Session) -> None:
    account, free = account_of(floor), floor.account()
    wallet = open_wallet(engine, open_user(engine))
    with floor.engine() as running:
        deal(running, bid(account, 1))
        deal(running, bid(free, 1))
        moves = [movement(account, wallet), movement(free, wallet)]
        assert outcomes(book(engine, moves)) == ["MONEY_ACCOUNT_HAS_ORDERS", "done"]
