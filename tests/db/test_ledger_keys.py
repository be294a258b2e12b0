"""One key for two things, and refusals in words of the ledger where the server had its own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from tests.cast import open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.floor import refusal
from tests.news import news, settled_user, start, tell
from tradewright import audit, ledger, payments
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import Exchange, LedgerReply, WalletStatus
from tradewright.postgres.connect import Session

WAITS = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
EndHolds = Callable[..., list[LedgerReply]]
TO_EUROS = Exchange(
    from_currency="USD",
    to_currency="EUR",
    amount=Decimal(5),
    mid_rate=Decimal("0.9"),
    spread=Decimal(0),
)


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def hold(session: Session, user_id: str) -> str:
    reply = ledger.reserve(
        session, user_id, "USD", Decimal(10), transaction_id=new_id_text(), purpose="order"
    )
    return str(reply.hold_id)


def set_status(
    session: Session, user_id: str, status: WalletStatus, *, key: str = "", reason: str = "asked"
) -> LedgerReply:
    return ledger.set_wallet_status(
        session, (user_id, "USD"), status, reason=reason, transaction_id=key or new_id_text()
    )


@pytest.mark.parametrize("end", [ledger.release_holds, ledger.capture_holds])
@pytest.mark.parametrize(
    ("first", "then"), [((0,), (0, 1)), ((0, 1), (0,)), ((0, 1), (1,)), ((0,), (1,)), ((1,), ())]
)
def test_a_key_that_ended_some_holds_ends_no_others(
    engine: Session, end: EndHolds, first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    """Case 12, for a call for several holds: fewer, more and others are other contents."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    ids = [hold(engine, user_id) for _ in range(2)]
    end(engine, [ids[n] for n in first], transaction_id=key)
    before = value(engine, "SELECT reserved FROM user_balances")
    error = refusal(lambda: end(engine, [ids[n] for n in then], transaction_id=key))
    assert error.code is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert value(engine, "SELECT reserved FROM user_balances") == before
    again = end(engine, [ids[n] for n in reversed(first)], transaction_id=key)
    assert all(reply.is_replay for reply in again)


def test_one_key_for_holds_of_two_users_at_once_ends_those_of_one(
    engine: Session, open_session: OpenSession
) -> None:
    users, key = [open_user(engine) for _ in range(2)], new_id_text()
    for user_id in users:
        open_wallet(engine, user_id)
    works = [
        partial(ledger.release_holds, hold_ids=[hold(engine, user_id)], transaction_id=key)
        for user_id in users
    ]
    assert codes(at_once(open_session, works)) == [ErrorCode.MONEY_IDEMPOTENCY_CONFLICT]
    assert value(engine, "SELECT sum(reserved) FROM user_balances") == 10


def codes(results: Sequence[object]) -> list[ErrorCode]:
    return [result.code for result in results if isinstance(result, TradewrightError)]


def exchange(session: Session, user_id: str, key: str) -> LedgerReply:
    return ledger.exchange(session, user_id, TO_EUROS, transaction_id=key)


def freeze(session: Session, user_id: str, key: str) -> LedgerReply:
    return set_status(session, user_id, WalletStatus.FROZEN, key=key)


@pytest.mark.parametrize("call", [exchange, freeze])
def test_one_key_for_two_users_at_once_is_done_for_one(
    engine: Session, open_session: OpenSession, call: Callable[..., LedgerReply]
) -> None:
    """Case 13, for what keeps its key in a table of its own: the later one waits and is told."""
    users, key = [open_user(engine) for _ in range(2)], new_id_text()
    for user_id in users:
        open_wallet(engine, user_id)
    first, second = open_session(), open_session()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            call(first, users[0], key)
            later = pool.submit(refusal, partial(call, second, users[1], key))
            while not value(engine, WAITS, second.info.backend_pid):
                pause(0.01)
        assert later.result().code is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


def test_a_currency_is_not_exchanged_into_itself(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    asked = Exchange(
        from_currency="USD",
        to_currency="USD",
        amount=Decimal(5),
        mid_rate=Decimal(1),
        spread=Decimal(0),
    )
    error = refusal(lambda: ledger.exchange(engine, user_id, asked, transaction_id=new_id_text()))
    assert error.code is ErrorCode.INPUT_CURRENCIES_ALIKE


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_status_says_why(engine: Session, reason: str) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    error = refusal(lambda: set_status(engine, user_id, WalletStatus.FROZEN, reason=reason))
    assert error.code is ErrorCode.INPUT_REASON_MALFORMED


@pytest.mark.parametrize(
    ("given", "sqlstate"), [("NULL, 'x'", "TW034"), ("'frozen', NULL", "TW025")]
)
def test_a_missing_status_or_reason_is_refused_in_words_of_the_ledger(
    engine: Session, given: str, sqlstate: str
) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(f"SELECT set_wallet_status('{user_id}', 'USD', {given}, uuidv7())".encode())
    assert caught.value.sqlstate == sqlstate


def test_a_wallet_is_closed_only_when_its_payments_have_ended(engine: Session) -> None:
    user_id = settled_user(engine, "5")
    ledger.debit(engine, user_id, "USD", Decimal(5), transaction_id=new_id_text())
    deposit = start(engine, user_id)
    error = refusal(lambda: set_status(engine, user_id, WalletStatus.CLOSED))
    assert error.code is ErrorCode.MONEY_WALLET_STATUS_REFUSED
    assert deposit.id in error.why
    tell(engine, news(deposit, "charge.failed"))
    assert payments.find_payment(engine, deposit.id).status == "failed"
    set_status(engine, user_id, WalletStatus.CLOSED)
