"""Holds in a batch: money is set aside, released and captured among movements."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.cast import open_account, open_user, open_wallet, value
from tradewright import audit, ledger
from tradewright.core.clock import pause, utc_now
from tradewright.core.ids import new_id_text
from tradewright.ledger import (
    Draw,
    HouseCode,
    Movement,
    MovementResult,
    Posting,
    Reservation,
    WalletStatus,
)
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Pipeline


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


@pytest.fixture
def house(engine: Session) -> str:
    return ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]


@pytest.fixture
def wallet(engine: Session) -> str:
    return open_wallet(engine, open_user(engine), "100")


def book(session: Session, postings: Sequence[Posting]) -> list[MovementResult]:
    with session.transaction():
        return ledger.post_movements(session, postings)


def outcomes(results: Sequence[MovementResult]) -> list[str]:
    return [
        str(result.error.code) if result.error else "replay" if result.is_replay else "done"
        for result in results
    ]


def reserve(wallet: str, amount: str = "30", key: str = "", **changes: Any) -> Reservation:
    fields = {"currency": "USD", "amount": Decimal(amount), "purpose": "order", **changes}
    return Reservation(transaction_id=key or new_id_text(), holder_id=wallet, **fields)


def move(debit_id: str, credit_id: str, amount: str) -> Movement:
    return Movement(
        transaction_id=new_id_text(),
        operation="adjustment",
        debit_id=debit_id,
        credit_id=credit_id,
        currency="USD",
        amount=Decimal(amount),
    )


def draw(hold_id: object, amount: str | None = None, **changes: str) -> Draw:
    given = None if amount is None else Decimal(amount)
    return Draw(
        **{"transaction_id": new_id_text(), "hold_id": str(hold_id), **changes}, amount=given
    )


def balances(session: Session, wallet: str) -> tuple[object, object]:
    query = "SELECT available, reserved FROM user_balances WHERE holder_id = %s"
    row = session.execute(query, (wallet,)).fetchone()
    assert row is not None
    return row[0], row[1]


def held(session: Session, wallet: str, amount: str = "30", **changes: Any) -> str:
    (result,) = book(session, [reserve(wallet, amount, **changes)])
    assert result.error is None
    return str(result.hold_id)


def test_a_release_past_the_largest_balance_is_refused_alone(
    engine: Session, wallet: str, house: str
) -> None:
    """Case 22: the hold stays, and its neighbours are booked."""
    hold_id = held(engine, wallet, "100")
    results = book(
        engine, [move(house, wallet, "999999999999"), draw(hold_id), move(wallet, house, "1")]
    )
    assert outcomes(results) == ["done", "MONEY_BALANCE_TOO_LARGE", "done"]
    assert value(engine, "SELECT remaining FROM balance_holds") == 100


def test_a_past_expiry_is_refused_by_itself_and_a_repeat_is_answered_after_it(
    engine: Session, wallet: str
) -> None:
    soon, key = utc_now() + timedelta(seconds=0.4), new_id_text()
    first = held(engine, wallet, "10", key=key, expires_at=soon)
    pause(0.45)
    results = book(
        engine,
        [
            reserve(wallet, "20"),
            reserve(wallet, "5", expires_at=utc_now() - timedelta(days=1)),
            reserve(wallet, "10", key=key, expires_at=soon),
        ],
    )
    assert outcomes(results) == ["done", "INPUT_EXPIRY_PAST", "replay"]
    assert results[2].hold_id == first
    assert balances(engine, wallet) == (70, 30)


def test_a_reservation_with_another_expiry_is_a_conflict(engine: Session, wallet: str) -> None:
    """Case 12, within a batch and across batches."""
    key, until = new_id_text(), utc_now() + timedelta(hours=1)
    first = reserve(wallet, key=key, expires_at=until)
    others = [reserve(wallet, key=key, expires_at=at) for at in (None, until + timedelta(1))]
    conflict = "MONEY_IDEMPOTENCY_CONFLICT"
    expected = ["replay", conflict, conflict]
    assert outcomes(book(engine, [first, first, *others])) == ["done", *expected]
    assert outcomes(book(engine, [first, *others])) == expected


def test_a_batch_moves_reserves_releases_and_captures_with_running_balances(
    engine: Session, wallet: str, house: str
) -> None:
    old = held(engine, wallet, "40")
    results = book(
        engine,
        [
            move(house, wallet, "5"),
            reserve(wallet, "60"),
            draw(old, "10"),
            draw(old, "20", sink=house),
            move(wallet, house, "15"),
            draw(old),
        ],
    )
    assert outcomes(results) == ["done"] * 6
    told = [(r.debit_available, r.credit_available, r.reserved) for r in results]
    assert told == [
        (None, 65, None),
        (5, None, 100),
        (15, None, 90),
        (15, None, 70),
        (0, None, None),
        (10, None, 60),
    ]
    assert balances(engine, wallet) == (10, 60)
    assert value(engine, "SELECT remaining FROM balance_holds WHERE id = %s", old) == 0


def test_a_pipeline_books_holds_as_a_session_does(engine: Session, wallet: str, house: str) -> None:
    old = held(engine, wallet, "40")
    expiring = reserve(wallet, "5", expires_at=utc_now() + timedelta(days=1))
    pipeline = Pipeline(engine)
    with pipeline.transaction():
        results = ledger.post_movements(
            pipeline, [reserve(wallet, "1"), expiring, draw(old, "3", sink=house)]
        )
    assert outcomes(results) == ["done"] * 3
    assert balances(engine, wallet) == (54, 43)
    assert value(engine, "SELECT count(*) FROM balance_holds WHERE expires_at > now()") == 1


def test_a_batch_tells_the_balances_of_both_clients(engine: Session, wallet: str) -> None:
    owner = value(engine, "SELECT user_id FROM user_balances WHERE holder_id = %s", wallet)
    account = open_account(engine, str(owner))
    (result,) = book(engine, [move(wallet, account, "25")])
    assert [result.debit_available, result.credit_available] == [75, 25]


def test_what_concerns_holds_is_refused_alone(engine: Session, wallet: str, house: str) -> None:
    hold, other = held(engine, wallet), open_wallet(engine, open_user(engine), "9", "EUR")
    euros = ledger.house_holder_ids(engine, "EUR")[HouseCode.CLEARING]
    refused: list[tuple[Posting, str]] = [
        (reserve(wallet, "70.01"), "MONEY_INSUFFICIENT_FUNDS"),
        (reserve(wallet, "NaN"), "INPUT_AMOUNT_MALFORMED"),
        (reserve(wallet, "-1"), "INPUT_AMOUNT_NOT_POSITIVE"),
        (reserve(wallet, "0.001"), "INPUT_AMOUNT_OVER_SCALED"),
        (reserve(wallet, purpose="fun"), "INPUT_PURPOSE_UNKNOWN"),
        (reserve(other), "MONEY_CURRENCY_MISMATCH"),
        (reserve(house), "MONEY_HOLDER_UNKNOWN"),
        (reserve("nobody"), "INPUT_ID_MALFORMED"),
        (draw(new_id_text()), "MONEY_HOLD_EXHAUSTED"),
        (draw(hold, "30.01"), "MONEY_HOLD_EXHAUSTED"),
        (draw(hold, "0"), "INPUT_AMOUNT_NOT_POSITIVE"),
        (draw(hold, sink=wallet), "MONEY_HOLDER_UNKNOWN"),
        (draw(hold, sink=euros), "MONEY_CURRENCY_MISMATCH"),
        (draw("nothing"), "INPUT_ID_MALFORMED"),
    ]
    results = book(engine, [*(bad for bad, _ in refused), draw(hold), draw(hold)])
    codes = [code for _, code in refused]
    assert outcomes(results) == [*codes, "done", "MONEY_HOLD_EXHAUSTED"]
    assert balances(engine, wallet) == (100, 0)


def test_what_was_done_with_a_hold_is_done_once(engine: Session, wallet: str, house: str) -> None:
    key = new_id_text()
    first = reserve(wallet, "30", key)
    (made,) = book(engine, [first])
    hold = str(made.hold_id)
    again = book(engine, [first, first, reserve(wallet, "31", key)])
    assert outcomes(again) == ["replay", "replay", "MONEY_IDEMPOTENCY_CONFLICT"]
    assert {result.hold_id for result in again[:2]} == {hold}
    part, rest = draw(hold, "10", sink=house), draw(hold)
    assert outcomes(book(engine, [part, rest, part, rest])) == ["done", "done", "replay", "replay"]
    assert outcomes(book(engine, [part, rest])) == ["replay", "replay"]
    other = draw(hold, "11", transaction_id=part.transaction_id, sink=house)
    assert outcomes(book(engine, [other])) == ["MONEY_IDEMPOTENCY_CONFLICT"]
    assert balances(engine, wallet) == (90, 0)


def test_functions_and_batches_know_each_other_s_holds(
    engine: Session, wallet: str, house: str
) -> None:
    hold, key = held(engine, wallet), new_id_text()
    reply = ledger.release(engine, hold, transaction_id=key, amount=Decimal(10))
    same = draw(hold, "10", transaction_id=key)
    assert outcomes(book(engine, [same])) == ["replay"]
    assert [reply.available, reply.reserved] == [80, 20]
    captured = draw(hold, sink=house)
    book(engine, [captured])
    again = ledger.capture(engine, hold, transaction_id=captured.transaction_id)
    assert again.is_replay


def test_a_key_that_moved_money_under_a_hold_s_word_is_a_conflict(
    engine: Session, wallet: str, house: str
) -> None:
    key = new_id_text()
    named = Movement(
        transaction_id=key,
        operation="reserve",
        debit_id=wallet,
        credit_id=house,
        currency="USD",
        amount=Decimal(1),
    )
    results = book(engine, [named, reserve(wallet, "1", key)])
    assert outcomes(results) == ["done", "MONEY_IDEMPOTENCY_CONFLICT"]
    assert outcomes(book(engine, [reserve(wallet, "1", key)])) == ["MONEY_IDEMPOTENCY_CONFLICT"]


def test_an_expired_hold_is_released_and_not_captured(
    engine: Session, wallet: str, house: str
) -> None:
    hold = held(engine, wallet, expires_at=utc_now() + timedelta(seconds=0.2))
    pause(0.3)
    results = book(engine, [draw(hold, sink=house), draw(hold)])
    assert outcomes(results) == ["MONEY_HOLD_EXHAUSTED", "done"]


def test_a_frozen_wallet_ends_its_holds_and_makes_none(
    engine: Session, wallet: str, house: str
) -> None:
    hold = held(engine, wallet)
    owner = value(engine, "SELECT user_id FROM user_balances WHERE holder_id = %s", wallet)
    ledger.set_wallet_status(
        engine,
        (str(owner), "USD"),
        WalletStatus.FROZEN,
        reason="asked",
        transaction_id=new_id_text(),
    )
    results = book(engine, [reserve(wallet, "1"), draw(hold, "10", sink=house), draw(hold)])
    assert outcomes(results) == ["MONEY_WALLET_FROZEN", "done", "done"]
