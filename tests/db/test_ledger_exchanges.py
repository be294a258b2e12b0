"""Exchanges between currencies, and the house's accounts with their roll-up."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from tests.cast import open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.floor import refusal
from tradewright import audit, ledger
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger import Exchange
from tradewright.postgres.connect import Session

ASKED = Exchange(
    from_currency="USD",
    to_currency="EUR",
    amount=Decimal("10.01"),
    mid_rate=Decimal("0.917"),
    spread=Decimal("0.002"),
)


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def balance(session: Session, code: str, currency: str) -> Decimal:
    return next(
        p.balance
        for p in ledger.house_positions(session)
        if (p.code, p.currency) == (code, currency)
    )


def test_an_exchange_is_two_transfers_that_sum_to_zero_in_each_currency(engine: Session) -> None:
    """Case 32: four sides, rounding to the house, rate and spread kept."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    reply = ledger.exchange(engine, user_id, ASKED, transaction_id=key)
    assert reply.available == Decimal("9.16")  # 10.01 * 0.917 * 0.998 = 9.160811...
    sides = engine.execute(
        "SELECT currency, sum(amount) FROM transfers WHERE transaction_id = %s GROUP BY 1", (key,)
    ).fetchall()
    assert dict(sides) == {"USD": Decimal("10.01"), "EUR": Decimal("9.16")}
    kept = engine.execute("SELECT mid_rate, spread, from_amount, to_amount FROM exchanges")
    assert kept.fetchall() == [
        (Decimal("0.917"), Decimal("0.002"), Decimal("10.01"), Decimal("9.16"))
    ]
    assert balance(engine, "exchange", "USD") == Decimal("10.01")
    assert balance(engine, "exchange", "EUR") == Decimal("-9.16")


def test_an_exchange_is_done_once_and_other_contents_are_a_conflict(engine: Session) -> None:
    """Cases 11 and 12."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    first = ledger.exchange(engine, user_id, ASKED, transaction_id=key)
    again = ledger.exchange(engine, user_id, ASKED, transaction_id=key)
    assert (again.available, again.version, again.is_replay) == (first.available, 1, True)
    for other in (
        replace(ASKED, amount=Decimal(9)),
        replace(ASKED, mid_rate=Decimal("0.918")),
        replace(ASKED, spread=Decimal(0)),
        replace(ASKED, to_currency="GBP"),
    ):
        error = refusal(partial(ledger.exchange, engine, user_id, other, transaction_id=key))
        assert error.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": Decimal("100.01")}, ErrorCode.MONEY_INSUFFICIENT_FUNDS),
        ({"from_currency": "GBP", "to_currency": "USD"}, ErrorCode.MONEY_INSUFFICIENT_FUNDS),
        ({"amount": Decimal("0.01")}, ErrorCode.MONEY_EXCHANGE_TOO_SMALL),
        ({"mid_rate": Decimal("NaN")}, ErrorCode.INPUT_RATE_MALFORMED),
        ({"mid_rate": Decimal(0)}, ErrorCode.INPUT_RATE_MALFORMED),
        ({"mid_rate": Decimal("Infinity")}, ErrorCode.INPUT_RATE_MALFORMED),
        ({"spread": Decimal(1)}, ErrorCode.INPUT_RATE_MALFORMED),
        ({"spread": Decimal("-0.1")}, ErrorCode.INPUT_RATE_MALFORMED),
        ({"to_currency": "eur"}, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        ({"to_currency": "USD"}, ErrorCode.INPUT_CURRENCIES_ALIKE),
        ({"mid_rate": Decimal("1e14")}, ErrorCode.INPUT_AMOUNT_TOO_LARGE),
    ],
)
def test_an_exchange_that_cannot_be_made_opens_and_moves_nothing(
    engine: Session, changes: dict[str, object], code: ErrorCode
) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    asked = replace(ASKED, **changes)  # type: ignore[arg-type]
    error = refusal(lambda: ledger.exchange(engine, user_id, asked, transaction_id=new_id_text()))
    assert error.code == code
    assert value(engine, "SELECT count(*) FROM user_balances") == 1
    assert value(engine, "SELECT count(*) FROM balance_ledger") == 1


@pytest.mark.parametrize("leg", ["exchange_out", "exchange_in"])
def test_one_leg_of_an_exchange_is_not_taken_back_alone(engine: Session, leg: str) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id, "100")
    key = new_id_text()
    ledger.exchange(engine, user_id, ASKED, transaction_id=key)
    error = refusal(lambda: ledger.reverse(engine, (key, leg), transaction_id=new_id_text()))
    assert error.code == ErrorCode.MONEY_MOVEMENT_UNKNOWN
    assert "leg of an exchange" in error.why


def test_exchanges_both_ways_at_once_never_deadlock(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 15, for two wallets of one user."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    open_wallet(engine, user_id, "100", "EUR")
    there = replace(ASKED, amount=Decimal(1))
    back = replace(there, from_currency="EUR", to_currency="USD")

    def work(session: Session, asked: Exchange) -> int:
        for _ in range(10):
            ledger.exchange(session, user_id, asked, transaction_id=new_id_text())
        return 10

    works = [lambda s, a=asked: work(s, a) for asked in (there, back) * 2]
    assert at_once(open_session, works) == [10] * 4


def test_house_balances_are_right_between_and_after_roll_ups(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    assert balance(engine, "clearing", "USD") == -100
    assert ledger.roll_up_house_balances(engine) > 0
    assert balance(engine, "clearing", "USD") == -100
    ledger.debit(engine, user_id, "USD", Decimal(30), transaction_id=new_id_text())
    ledger.credit(engine, user_id, "EUR", Decimal(5), transaction_id=new_id_text())
    assert balance(engine, "clearing", "USD") == -70
    assert balance(engine, "clearing", "EUR") == -5
    ledger.roll_up_house_balances(engine)
    ledger.roll_up_house_balances(engine, from_zero=True)
    assert balance(engine, "clearing", "USD") == -70
    assert ledger.roll_up_house_balances(engine) == 0


def test_a_roll_up_beside_an_open_transaction_neither_misses_nor_doubles_it(
    engine: Session, open_session: OpenSession
) -> None:
    slow_user, user_id, slow = open_user(engine), open_user(engine), open_session()
    open_wallet(engine, user_id)
    open_wallet(engine, slow_user)
    ledger.roll_up_house_balances(engine)
    with slow.transaction():
        ledger.credit(slow, slow_user, "USD", Decimal(11), transaction_id=new_id_text())
        ledger.credit(engine, user_id, "USD", Decimal(7), transaction_id=new_id_text())
        ledger.roll_up_house_balances(engine)
        assert balance(engine, "clearing", "USD") == -207
    assert balance(engine, "clearing", "USD") == -218
    ledger.roll_up_house_balances(engine)
    assert balance(engine, "clearing", "USD") == -218


def test_a_roll_up_on_a_server_that_counts_transactions_anew_counts_all_again(
    engine: Session,
) -> None:
    open_wallet(engine, open_user(engine))
    ledger.roll_up_house_balances(engine)
    engine.execute("UPDATE house_balances SET to_txid = 4000000000000, received = 1, given = 2")
    ledger.roll_up_house_balances(engine)
    assert balance(engine, "clearing", "USD") == -100


def test_house_balances_hold_nobody_up(engine: Session, open_session: OpenSession) -> None:
    user_id, other = open_user(engine), open_session()
    other.execute("SET lock_timeout = 100")
    open_wallet(engine, user_id)
    with engine.transaction():
        ledger.roll_up_house_balances(engine)
        ledger.credit(other, user_id, "USD", Decimal(1), transaction_id=new_id_text())
    with pytest.raises(psycopg.Error) as caught:
        engine.execute("DELETE FROM house_balances")
    assert caught.value.sqlstate == "TW010"
