"""The house account of receivables: it lends what is noted, and gets back what is owed."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from tests.cast import value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import deposited, news, settled_user, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode, LedgerReply
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def owing_at_once(session: Session, *amounts: int) -> str:
    """Open a user who owes several debts and has nothing, with a wallet to pay from."""
    user_id = settled_user(session)
    taken = [deposited(session, user_id, str(amount)) for amount in amounts]
    ledger.debit(session, user_id, "USD", Decimal(sum(amounts)), transaction_id=new_id_text())
    for payment in taken:
        tell(session, news(payment, "dispute.opened"))
    return user_id


def debts_of(session: Session, user_id: str) -> list[Decimal]:
    """Return what remains of a user's debts, the oldest first."""
    rows = session.execute(
        "SELECT remaining FROM receivables WHERE user_id = %s ORDER BY id", (user_id,)
    )
    return [row[0] for row in rows]


def test_a_debit_to_receivables_pays_the_oldest_debts_once(engine: Session) -> None:
    user_id = owing_at_once(engine, 10, 20, 30)
    ledger.credit(engine, user_id, "USD", Decimal(100), transaction_id=new_id_text())
    key, house = new_id_text(), HouseCode.RECEIVABLES
    for is_replay in (False, True, True):
        reply = ledger.debit(engine, user_id, "USD", Decimal(25), transaction_id=key, house=house)
        assert (str(reply.available), reply.is_replay) == ("75.00000000", is_replay)
        assert debts_of(engine, user_id) == [0, 5, 30]
    assert told(lambda: pay(engine, user_id, "24", key)) is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert told(lambda: pay(engine, user_id, "35.01")) is ErrorCode.MONEY_DEBT_MISSING
    assert debts_of(engine, user_id) == [0, 5, 30]
    pay(engine, user_id, "35")
    assert (payments.read_debts(engine, user_id), wallet(engine, user_id)[0]) == ({}, 40)
    assert told(lambda: pay(engine, user_id, "0.01")) is ErrorCode.MONEY_DEBT_MISSING


def test_a_debt_is_not_paid_with_money_that_is_not_there(engine: Session) -> None:
    user_id = owing_at_once(engine, 10)
    ledger.credit(engine, user_id, "USD", Decimal(4), transaction_id=new_id_text())
    assert told(lambda: pay(engine, user_id, "5")) is ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert debts_of(engine, user_id) == [10]
    assert wallet(engine, user_id)[0] == 4


def test_a_debt_in_one_currency_or_of_one_user_is_none_of_another(engine: Session) -> None:
    owing_at_once(engine, 10)
    user_id = owing_at_once(engine, 10)
    ledger.credit(engine, user_id, "EUR", Decimal(50), transaction_id=new_id_text())
    stranger = settled_user(engine, "50")
    assert told(lambda: pay(engine, user_id, "1", currency="EUR")) is ErrorCode.MONEY_DEBT_MISSING
    assert told(lambda: pay(engine, stranger, "1")) is ErrorCode.MONEY_DEBT_MISSING


def test_receivables_lends_what_is_noted_and_nothing_else(engine: Session) -> None:
    user_id = owing_at_once(engine, 10)
    debt = str(value(engine, "SELECT id FROM receivables"))
    house = HouseCode.RECEIVABLES

    def lend(amount: str, key: str, *, to: str = user_id, currency: str = "USD") -> LedgerReply:
        return ledger.credit(engine, to, currency, Decimal(amount), transaction_id=key, house=house)

    for refused in (
        lambda: lend("10", new_id_text()),
        lambda: lend("11", debt),
        lambda: lend("10", debt, to=settled_user(engine)),
        lambda: lend("10", debt, currency="EUR"),
    ):
        assert told(refused) is ErrorCode.MONEY_DEBT_MISSING
    assert lend("10", debt).is_replay
    assert wallet(engine, user_id) == (0, 10)


def test_a_hold_is_not_captured_for_receivables_and_no_debt_is_reversed(engine: Session) -> None:
    user_id = owing_at_once(engine, 10)
    ledger.credit(engine, user_id, "USD", Decimal(50), transaction_id=new_id_text())
    reply = ledger.reserve(
        engine, user_id, "USD", Decimal(5), transaction_id=new_id_text(), purpose="order"
    )
    assert reply.hold_id is not None
    captured = "SELECT debit_reserved_balance(%s, uuidv7(), NULL, 'receivables')"
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(captured, (reply.hold_id,))
    assert caught.value.sqlstate == "TW043"
    debt, paid = str(value(engine, "SELECT id FROM receivables")), new_id_text()
    pay(engine, user_id, "4", paid)
    for done in ((debt, "credit"), (paid, "debit")):
        reversal = partial(ledger.reverse, engine, done, transaction_id=new_id_text())
        assert told(reversal) is ErrorCode.MONEY_MOVEMENT_UNKNOWN
    assert debts_of(engine, user_id) == [6]


def test_payments_of_one_debt_at_once_never_pay_more_than_is_owed(
    engine: Session, open_session: OpenSession
) -> None:
    user_id = owing_at_once(engine, 10, 10)
    ledger.credit(engine, user_id, "USD", Decimal(100), transaction_id=new_id_text())
    ends = at_once(open_session, [partial(pay, user_id=user_id, amount="5")] * 6)
    codes = [end.code for end in ends if isinstance(end, TradewrightError)]
    assert codes == [ErrorCode.MONEY_DEBT_MISSING] * 2
    assert debts_of(engine, user_id) == [0, 0]
    assert wallet(engine, user_id)[0] == 80


def pay(
    session: Session, user_id: str, amount: str, key: str = "", *, currency: str = "USD"
) -> LedgerReply:
    return ledger.debit(
        session,
        user_id,
        currency,
        Decimal(amount),
        transaction_id=key or new_id_text(),
        house=HouseCode.RECEIVABLES,
    )


def told(work: Callable[[], object]) -> ErrorCode:
    with pytest.raises(TradewrightError) as caught:
        work()
    return caught.value.code
