"""The ledger's batch entry: many movements in one transaction, each with a result of its own."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

import pytest
from msgspec.structs import replace

from tests.cast import open_account, open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tradewright import audit, ledger
from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode, Movement, MovementResult
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def clearing(session: Session, currency: str = "USD") -> str:
    return ledger.house_holder_ids(session, currency)[HouseCode.CLEARING]


def movement(debit_id: str, credit_id: str, amount: str = "1", **changes: str) -> Movement:
    """Return a movement of USD under a new transaction id, with some fields changed."""
    made = Movement(
        transaction_id=new_id_text(),
        operation="adjustment",
        debit_id=debit_id,
        credit_id=credit_id,
        currency="USD",
        amount=Decimal(amount),
    )
    return replace(made, **changes)


def book(session: Session, movements: Sequence[Movement]) -> list[MovementResult]:
    with session.transaction():
        return ledger.post_movements(session, movements)


def outcomes(results: Sequence[MovementResult]) -> list[str]:
    """Return each result in a word: done, replay, or the code of its refusal."""
    return [
        str(result.error.code) if result.error else "replay" if result.is_replay else "done"
        for result in results
    ]


def available(session: Session, holder_id: str) -> object:
    query = "SELECT available FROM holder_balances WHERE holder_id = %s"
    return value(session, query, holder_id)


def test_a_batch_books_credits_debits_and_transfers_with_running_balances(engine: Session) -> None:
    user_id, house = open_user(engine), clearing(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    results = book(
        engine,
        [
            movement(house, wallet, "5"),
            movement(wallet, account, "15"),
            movement(account, house, "20"),
        ],
    )
    assert outcomes(results) == ["done"] * 3
    assert (available(engine, wallet), available(engine, account)) == (0, -5)


def test_a_holder_that_is_not_there_is_told_before_what_its_key_has_done(engine: Session) -> None:
    wallet, house = open_wallet(engine, open_user(engine), "10"), clearing(engine)
    done = movement(house, wallet, "5")
    strange = Movement(
        transaction_id=done.transaction_id,
        operation=done.operation,
        debit_id=house,
        credit_id=new_id_text(),
        currency=done.currency,
        amount=done.amount,
    )
    assert outcomes(book(engine, [done, strange])) == ["done", "MONEY_HOLDER_UNKNOWN"]
    assert outcomes(book(engine, [strange, done])) == ["MONEY_HOLDER_UNKNOWN", "replay"]


def test_an_empty_batch_does_nothing(engine: Session) -> None:
    assert book(engine, []) == []


def test_a_refused_movement_leaves_its_neighbours_untouched(engine: Session) -> None:
    house = clearing(engine)
    wallet = open_wallet(engine, open_user(engine), "10")
    euro = open_wallet(engine, open_user(engine), "10", "EUR")
    debts = ledger.house_holder_ids(engine, "USD")[HouseCode.RECEIVABLES]
    refused = [
        (movement(wallet, house, "99"), "MONEY_INSUFFICIENT_FUNDS"),
        (movement(wallet, house, "NaN"), "INPUT_AMOUNT_MALFORMED"),
        (movement(wallet, house, "Infinity"), "INPUT_AMOUNT_MALFORMED"),
        (movement(wallet, house, "0"), "INPUT_AMOUNT_NOT_POSITIVE"),
        (movement(wallet, house, "-1"), "INPUT_AMOUNT_NOT_POSITIVE"),
        (movement(wallet, house, "0.001"), "INPUT_AMOUNT_OVER_SCALED"),
        (movement(wallet, house, "1e12"), "INPUT_AMOUNT_TOO_LARGE"),
        (movement(wallet, house, currency="usd"), "INPUT_CURRENCY_UNKNOWN"),
        (movement(euro, house), "MONEY_CURRENCY_MISMATCH"),
        (movement(wallet, clearing(engine, "EUR")), "MONEY_CURRENCY_MISMATCH"),
        (movement(wallet, new_id_text()), "MONEY_HOLDER_UNKNOWN"),
        (movement(wallet, debts), "MONEY_HOLDER_UNKNOWN"),
        (movement(debts, wallet), "MONEY_HOLDER_UNKNOWN"),
        (movement(wallet, wallet), "MONEY_HOLDER_UNKNOWN"),
        (movement(house, clearing(engine, "EUR")), "MONEY_HOLDER_UNKNOWN"),
        (movement(wallet, "nobody"), "INPUT_ID_MALFORMED"),
        (movement(wallet.upper(), house), "INPUT_ID_MALFORMED"),
        (movement(wallet, house, operation="a\tb"), "INPUT_OPERATION_MALFORMED"),
        (movement(wallet, house, operation=""), "INPUT_OPERATION_MALFORMED"),
        *(
            (movement(house, wallet, operation=f"{one}_to_{other}"), "INPUT_OPERATION_MALFORMED")
            for one in ("wallet", "account")
            for other in ("wallet", "account")
        ),
    ]
    good = movement(wallet, house, "10")
    results = book(engine, [*(bad for bad, _ in refused), good])
    assert outcomes(results) == [*(code for _, code in refused), "done"]
    assert available(engine, wallet) == 0


def test_a_movement_past_the_largest_balance_is_refused_alone(engine: Session) -> None:
    """Case 22."""
    user_id = open_user(engine)
    wallet = open_wallet(engine, user_id, "999999999999.99")
    account, house = open_account(engine, user_id), clearing(engine)
    deepest = movement(account, house, "999999999999.99")
    results = book(
        engine,
        [
            movement(house, wallet, "0.01"),
            deepest,
            movement(account, house, "0.01"),
            movement(wallet, house, "1"),
        ],
    )
    assert outcomes(results) == [
        "MONEY_BALANCE_TOO_LARGE",
        "done",
        "MONEY_BALANCE_TOO_LARGE",
        "done",
    ]


def test_a_movement_is_done_once_within_a_batch_and_across_batches(engine: Session) -> None:
    """Case 11."""
    house = clearing(engine)
    wallet = open_wallet(engine, open_user(engine), "10")
    once = movement(house, wallet, "5")
    assert outcomes(book(engine, [once, once])) == ["done", "replay"]
    assert outcomes(book(engine, [once])) == ["replay"]
    assert available(engine, wallet) == 15


def test_a_key_with_other_contents_is_a_conflict(engine: Session) -> None:
    """Case 12: amount, giver and receiver are compared, in one batch and across batches."""
    user_id, house = open_user(engine), clearing(engine)
    wallet, account = open_wallet(engine, user_id, "10"), open_account(engine, user_id)
    other, fees = open_wallet(engine, open_user(engine)), ledger.house_holder_ids(engine, "USD")
    first = movement(house, wallet, "5")
    passed = movement(wallet, account, "1")
    conflicts = [
        replace(first, amount=Decimal(6)),
        replace(first, credit_id=other),
        replace(first, debit_id=fees[HouseCode.FEES]),
        replace(first, debit_id=wallet, credit_id=house),
        replace(passed, amount=Decimal(2)),
        replace(passed, debit_id=account, credit_id=wallet),
        replace(passed, debit_id=house, credit_id=wallet, operation="transfer_in"),
    ]
    expected = ["MONEY_IDEMPOTENCY_CONFLICT"] * len(conflicts)
    assert outcomes(book(engine, [first, passed, *conflicts])) == ["done", "done", *expected]
    assert outcomes(book(engine, conflicts)) == expected


def test_the_batch_and_the_functions_know_each_others_keys(engine: Session) -> None:
    """Cases 11 and 12, across the two ways in."""
    user_id, house = open_user(engine), clearing(engine)
    key = new_id_text()
    wallet = ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=key).holder_id
    again = movement(house, wallet, "5", transaction_id=key, operation="credit")
    other = replace(again, amount=Decimal(6))
    assert outcomes(book(engine, [again, other])) == ["replay", "MONEY_IDEMPOTENCY_CONFLICT"]
    hold = ledger.reserve(engine, user_id, "USD", Decimal(1), transaction_id=key, purpose="order")
    held = movement(wallet, house, "1", transaction_id=key, operation="reserve")
    assert hold.reserved == 1
    assert outcomes(book(engine, [held])) == ["MONEY_IDEMPOTENCY_CONFLICT"]


def test_one_key_may_do_different_operations(engine: Session) -> None:
    """Case 14."""
    house = clearing(engine)
    wallet = open_wallet(engine, open_user(engine))
    fee = movement(wallet, house)
    both = [fee, replace(fee, operation="surcharge")]
    assert outcomes(book(engine, both)) == ["done", "done"]


def test_the_same_movement_from_eight_sessions_at_once_is_done_once(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 13."""
    once = movement(clearing(engine), open_wallet(engine, open_user(engine)), "5")
    results = at_once(open_session, [partial(book, movements=[once])] * 8)
    words = [outcomes(result)[0] for result in results if isinstance(result, list)]
    assert sorted(words) == ["done"] + ["replay"] * 7


def test_batches_that_move_money_both_ways_at_once_never_deadlock(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 15."""
    a, b = (open_wallet(engine, open_user(engine), "100") for _ in range(2))

    def work(session: Session, pair: tuple[str, str]) -> int:
        done = 0
        for _ in range(20):
            results = book(session, [movement(*pair), movement(*reversed(pair))])
            done += outcomes(results).count("done")
        return done

    assert at_once(open_session, [partial(work, pair=p) for p in ((a, b), (b, a)) * 2]) == [40] * 4
    assert (available(engine, a), available(engine, b)) == (100, 100)


def test_batches_at_once_never_overdraw_a_wallet(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 16."""
    wallet, house = open_wallet(engine, open_user(engine), "100"), clearing(engine)

    def work(session: Session) -> int:
        results = [book(session, [movement(wallet, house) for _ in range(5)]) for _ in range(5)]
        return sum(outcomes(result).count("done") for result in results)

    assert sum(n for n in at_once(open_session, [work] * 8) if isinstance(n, int)) == 100
    assert available(engine, wallet) == 0


def test_reserved_money_stays_while_a_batch_moves_the_rest(engine: Session) -> None:
    user_id, house = open_user(engine), clearing(engine)
    wallet = open_wallet(engine, user_id, "10")
    ledger.reserve(
        engine, user_id, "USD", Decimal(4), transaction_id=new_id_text(), purpose="order"
    )
    results = book(engine, [movement(wallet, house, "7"), movement(wallet, house, "6")])
    assert outcomes(results) == ["MONEY_INSUFFICIENT_FUNDS", "done"]
    assert "Another 4" in str(results[0].error)


def test_a_rolled_back_batch_leaves_no_trace(engine: Session) -> None:
    """Case 28."""
    house = clearing(engine)
    wallet = open_wallet(engine, open_user(engine), "10")
    with pytest.raises(ZeroDivisionError), engine.transaction():  # noqa: PT012
        ledger.post_movements(engine, [movement(house, wallet, "5")])
        raise ZeroDivisionError
    assert available(engine, wallet) == 10
    assert value(engine, "SELECT count(*) FROM balance_ledger") == 1


def test_an_amount_written_with_an_exponent_is_booked_exactly(engine: Session) -> None:
    house = clearing(engine)
    wallet = open_wallet(engine, open_user(engine), "10")
    assert outcomes(book(engine, [movement(house, wallet, "1.5E+3")])) == ["done"]
    assert available(engine, wallet) == 1510


def test_a_thousand_movements_over_many_holders_are_booked_in_one_batch(engine: Session) -> None:
    house = clearing(engine)
    wallets = [open_wallet(engine, open_user(engine), "100") for _ in range(20)]
    movements = [
        movement(wallets[n % 20], wallets[(n * 7 + 1) % 20], str(n % 9 + 1)) for n in range(500)
    ] + [movement(house, wallets[n % 20], "0.01") for n in range(500)]
    results = book(engine, movements)
    assert set(outcomes(results)) <= {"done", "MONEY_INSUFFICIENT_FUNDS", "MONEY_HOLDER_UNKNOWN"}
    assert value(engine, "SELECT sum(available) FROM user_balances") == 2005
