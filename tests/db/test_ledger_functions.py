"""The ledger's SQL functions, one operation at a time: the cases that a ledger must pass.

The number in a docstring is the case's number in the list of cases that the design was held
against; sessions that race are real sessions in threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from tests.cast import open_account, open_user, open_wallet, play, value
from tests.conftest import OpenSession, migrate_engine
from tests.db.sessions import at_once
from tradewright import audit, ledger
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import MINOR_UNITS
from tradewright.ledger import LedgerReply, Reservation
from tradewright.postgres.connect import Session
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.retry import run_transaction, same_connection

Operation = Callable[..., LedgerReply]
"""One of the ledger's functions; their parameters differ."""

Pair = tuple[Decimal | int, Decimal | int]
"""Two figures of a wallet: before and after, or available and reserved."""

set_aside: Operation = partial(ledger.reserve, purpose="order")
BAD_AMOUNTS = (
    ("NaN", ErrorCode.INPUT_AMOUNT_MALFORMED),
    ("Infinity", ErrorCode.INPUT_AMOUNT_MALFORMED),
    ("-Infinity", ErrorCode.INPUT_AMOUNT_MALFORMED),
    ("-10", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
    ("0", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
    ("0.001", ErrorCode.INPUT_AMOUNT_OVER_SCALED),
    ("1e12", ErrorCode.INPUT_AMOUNT_TOO_LARGE),
)
LARGEST = Decimal("999999999999.99999999")


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def entries(session: Session, holder_id: str) -> list[Pair]:
    """Return a holder's available money before and after each entry."""
    rows = session.execute(
        "SELECT available_before, available_after FROM balance_ledger"
        " WHERE holder_id = %s ORDER BY version",
        (holder_id,),
    )
    return [(row[0], row[1]) for row in rows]


def balances(session: Session, user_id: str, currency: str = "USD") -> Pair:
    row = session.execute(
        "SELECT available, reserved FROM user_balances WHERE user_id = %s AND currency = %s",
        (user_id, currency),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def reserve(session: Session, user_id: str, amount: str, transaction_id: str = "") -> LedgerReply:
    return ledger.reserve(
        session,
        user_id,
        "USD",
        Decimal(amount),
        transaction_id=transaction_id or new_id_text(),
        purpose="order",
    )


def hold_of(session: Session, user_id: str, amount: str) -> str:
    return str(reserve(session, user_id, amount).hold_id)


def test_two_first_credits_at_once_follow_each_other(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 1."""
    user_id = open_user(engine)
    credit = partial(ledger.credit, user_id=user_id, currency="USD")
    works = [
        partial(credit, amount=Decimal(amount), transaction_id=new_id_text())
        for amount in (100, 50)
    ]
    replies = at_once(open_session, works)
    first, second = sorted(
        (r for r in replies if isinstance(r, LedgerReply)), key=lambda r: r.version
    )
    assert entries(engine, first.holder_id)[0] == (0, first.available)
    assert entries(engine, first.holder_id)[1] == (first.available, 150)
    assert second.available == 150


@pytest.mark.parametrize(("amount", "code"), BAD_AMOUNTS)
@pytest.mark.parametrize("operation", [ledger.credit, ledger.debit, set_aside])
def test_an_amount_that_is_not_positive_and_finite_is_refused(
    engine: Session, operation: Operation, amount: str, code: ErrorCode
) -> None:
    """Cases 2, 3, 4, 7, 8 and 9."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_of(engine, user_id, "60")
    with pytest.raises(TradewrightError) as caught:
        operation(engine, user_id, "USD", Decimal(amount), transaction_id=new_id_text())
    assert caught.value.code == code
    assert balances(engine, user_id) == (40, 60)


@pytest.mark.parametrize(("amount", "code"), BAD_AMOUNTS)
@pytest.mark.parametrize("draw", [ledger.release, ledger.capture])
def test_a_draw_of_a_bad_amount_is_refused(
    engine: Session, draw: Operation, amount: str, code: ErrorCode
) -> None:
    """Cases 2, 5 and 7, for holds."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_id = hold_of(engine, user_id, "60")
    with pytest.raises(TradewrightError) as caught:
        draw(engine, hold_id, transaction_id=new_id_text(), amount=Decimal(amount))
    assert caught.value.code == code
    assert balances(engine, user_id) == (40, 60)


def test_after_a_refused_nan_the_wallet_still_refuses_to_overspend(engine: Session) -> None:
    """Case 3."""
    user_id = open_user(engine)
    open_wallet(engine, user_id, "5")
    with pytest.raises(TradewrightError):
        ledger.credit(engine, user_id, "USD", Decimal("NaN"), transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as caught:
        reserve(engine, user_id, "100000000000")
    assert caught.value.code == ErrorCode.MONEY_INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("USD", "0.005"), ("JPY", "0.5"), ("BTC", "0.000000005"), ("XAU", "0.00001")],
)
def test_an_amount_finer_than_the_minor_unit_is_refused_and_never_rounded(
    engine: Session, currency: str, amount: str
) -> None:
    """Case 5."""
    user_id = open_user(engine)
    for _ in range(10):
        with pytest.raises(TradewrightError) as caught:
            ledger.credit(engine, user_id, currency, Decimal(amount), transaction_id=new_id_text())
        assert caught.value.code == ErrorCode.INPUT_AMOUNT_OVER_SCALED
    assert value(engine, "SELECT count(*) FROM balance_ledger") == 0


def test_trailing_zeros_are_no_finer_scale(engine: Session) -> None:
    """Case 5, its edge."""
    user_id = open_user(engine)
    reply = ledger.credit(
        engine, user_id, "USD", Decimal("1.50000000000000"), transaction_id=new_id_text()
    )
    assert reply.available == Decimal("1.5")


def test_a_reserve_too_fine_to_count_writes_nothing(engine: Session) -> None:
    """Case 6."""
    user_id = open_user(engine)
    holder_id = open_wallet(engine, user_id)
    with pytest.raises(TradewrightError):
        reserve(engine, user_id, "0.000000004")
    assert len(entries(engine, holder_id)) == 1


def test_a_missing_amount_is_refused_before_anything_else(engine: Session) -> None:
    """Case 10."""
    user_id = open_user(engine)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute("SELECT credit_user_balance(%s, 'USD', NULL, uuidv7())", (user_id,))
    assert caught.value.sqlstate == "TW001"


@pytest.mark.parametrize(
    "call",
    [
        "credit_user_balance('{user}', 'USD', 5, NULL)",
        "debit_user_balance('{user}', 'USD', 5, NULL)",
        "reserve_user_balance('{user}', 'USD', 5, NULL, 'order')",
        "release_user_balance('{hold}', NULL)",
        "debit_reserved_balance('{hold}', NULL)",
        "transfer_to_account('{account}', 5, NULL)",
        "transfer_to_wallet('{account}', 5, NULL)",
    ],
)
def test_a_missing_transaction_id_is_refused(engine: Session, call: str) -> None:
    """Case 10."""
    user_id = open_user(engine)
    account_id = open_account(engine, user_id)
    open_wallet(engine, user_id)
    ledger.transfer_to_account(engine, account_id, Decimal(20), transaction_id=new_id_text())
    hold_id = hold_of(engine, user_id, "20")
    words = call.format(user=user_id, hold=hold_id, account=account_id)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(f"SELECT {words}".encode())
    assert caught.value.sqlstate == "TW009"


def test_the_same_call_three_times_is_done_once_and_answered_alike(engine: Session) -> None:
    """Case 11."""
    user_id, key = open_user(engine), new_id_text()
    replies = [
        ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=key) for _ in range(3)
    ]
    assert [reply.is_replay for reply in replies] == [False, True, True]
    assert {(r.holder_id, r.version, r.available, r.reserved) for r in replies} == {
        (replies[0].holder_id, 1, Decimal(5), Decimal(0))
    }


def test_a_replay_tells_the_balance_of_then_and_not_of_now(engine: Session) -> None:
    """Case 11, its edge."""
    user_id, key = open_user(engine), new_id_text()
    ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=key)
    ledger.credit(engine, user_id, "USD", Decimal(7), transaction_id=new_id_text())
    assert ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=key).available == 5


@pytest.mark.parametrize(
    "call",
    [
        "credit_user_balance('{user}', 'USD', 6, '{key}')",
        "credit_user_balance('{other}', 'USD', 5, '{key}')",
        "credit_user_balance('{user}', 'EUR', 5, '{key}')",
        "credit_user_balance('{user}', 'USD', 5, '{key}', 'dealing')",
        "reserve_user_balance('{user}', 'USD', 3, '{key}', 'withdrawal')",
        "debit_reserved_balance('{hold}', '{drawn}', 1, 'fees')",
        "debit_reserved_balance('{hold}', '{drawn}', 2)",
        "debit_reserved_balance('{second}', '{drawn}', 1)",
    ],
)
def test_the_same_key_with_other_contents_is_a_conflict_and_changes_nothing(
    engine: Session, call: str
) -> None:
    """Case 12: amount, user, currency, house, purpose and hold are all compared."""
    user_id, other_id, key, drawn = (
        open_user(engine),
        open_user(engine),
        new_id_text(),
        new_id_text(),
    )
    ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=key)
    hold_id = str(reserve(engine, user_id, "3", key).hold_id)
    second = hold_of(engine, user_id, "1")
    ledger.capture(engine, hold_id, transaction_id=drawn, amount=Decimal(1))
    before = value(engine, "SELECT count(*) FROM balance_ledger")
    words = call.format(
        user=user_id, other=other_id, key=key, hold=hold_id, drawn=drawn, second=second
    )
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(f"SELECT {words}".encode())
    assert caught.value.sqlstate == "TW002"
    assert value(engine, "SELECT count(*) FROM balance_ledger") == before


def test_the_same_call_from_eight_sessions_at_once_is_done_once_and_answered_to_all(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 13."""
    user_id, key = open_user(engine), new_id_text()
    replies = at_once(
        open_session,
        [lambda s: ledger.credit(s, user_id, "USD", Decimal(5), transaction_id=key)] * 8,
    )
    assert all(isinstance(reply, LedgerReply) and reply.available == 5 for reply in replies)
    assert value(engine, "SELECT count(*) FROM balance_ledger") == 1


def test_one_key_may_do_each_operation_once(engine: Session) -> None:
    """Case 14."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    hold_id = str(reserve(engine, user_id, "10", key).hold_id)
    ledger.release(engine, hold_id, transaction_id=key)
    ledger.debit(engine, user_id, "USD", Decimal(1), transaction_id=key)
    assert balances(engine, user_id) == (99, 0)


def test_transfers_to_and_from_an_account_at_once_never_deadlock(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 15."""
    user_id = open_user(engine)
    account_id = open_account(engine, user_id)
    open_wallet(engine, user_id, "1000")
    ledger.transfer_to_account(engine, account_id, Decimal(500), transaction_id=new_id_text())

    def back_and_forth(session: Session, transfer: Operation) -> int:
        for _ in range(25):
            transfer(session, account_id, Decimal(1), transaction_id=new_id_text())
        return 25

    works = [
        partial(back_and_forth, transfer=transfer)
        for transfer in (ledger.transfer_to_account, ledger.transfer_to_wallet) * 2
    ]
    assert at_once(open_session, works) == [25] * 4
    assert balances(engine, user_id) == (500, 0)


@pytest.mark.parametrize("transfer", [ledger.transfer_to_account, ledger.transfer_to_wallet])
def test_of_two_transfers_at_once_under_one_key_for_two_accounts_one_is_done(
    engine: Session, open_session: OpenSession, transfer: Operation
) -> None:
    """They lock different rows and meet at the key only."""
    accounts, key = [], new_id_text()
    for _ in range(2):
        user_id = open_user(engine)
        accounts.append(open_account(engine, user_id))
        open_wallet(engine, user_id, "100")
        ledger.transfer_to_account(engine, accounts[-1], Decimal(50), transaction_id=new_id_text())
    first = open_session()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            transfer(first, accounts[0], Decimal(5), transaction_id=key)
            second = pool.submit(
                transfer, open_session(), accounts[1], Decimal(5), transaction_id=key
            )
            wait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not value(engine, wait):
                pause(0.01)
        error = second.exception()
    assert isinstance(error, TradewrightError)
    assert error.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    audit.require_laws(audit.check_laws(engine))


def test_two_hundred_reserves_of_one_hundred_by_eight_workers_take_exactly_one_hundred(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 16."""
    user_id = open_user(engine)
    open_wallet(engine, user_id, "100")

    def work(session: Session) -> int:
        taken = 0
        for _ in range(25):
            try:
                reserve(session, user_id, "1")
                taken += 1
            except TradewrightError as error:
                if error.code != ErrorCode.MONEY_INSUFFICIENT_FUNDS:
                    raise
        return taken

    assert sum(n for n in at_once(open_session, [work] * 8) if isinstance(n, int)) == 100
    assert balances(engine, user_id) == (0, 100)
    assert value(engine, "SELECT count(*) FROM balance_holds") == 100


@pytest.mark.parametrize("operation", [ledger.debit, set_aside])
def test_spending_from_a_missing_wallet_lacks_funds_and_opens_nothing(
    engine: Session, operation: Operation
) -> None:
    """Case 17."""
    user_id = open_user(engine)
    with pytest.raises(TradewrightError) as caught:
        operation(engine, user_id, "USD", Decimal(1), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert value(engine, "SELECT count(*) FROM user_balances") == 0


@pytest.mark.parametrize("first", [ledger.release, ledger.capture])
@pytest.mark.parametrize("second", [ledger.release, ledger.capture])
def test_an_ended_hold_gives_nothing_more(
    engine: Session, first: Operation, second: Operation
) -> None:
    """Case 18: release twice, capture twice, one after the other."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_id = hold_of(engine, user_id, "10")
    first(engine, hold_id, transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as caught:
        second(engine, hold_id, transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_HOLD_EXHAUSTED


@pytest.mark.parametrize("draw", [ledger.release, ledger.capture])
def test_a_hold_gives_at_most_what_remains_and_repeats_are_answered_alike(
    engine: Session, draw: Operation
) -> None:
    """Case 18."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    hold_id = hold_of(engine, user_id, "10")
    with pytest.raises(TradewrightError) as caught:
        draw(engine, hold_id, transaction_id=new_id_text(), amount=Decimal("10.01"))
    assert caught.value.code == ErrorCode.MONEY_HOLD_EXHAUSTED
    first = draw(engine, hold_id, transaction_id=key)
    again = draw(engine, hold_id, transaction_id=key)
    assert (again.available, again.reserved) == (first.available, first.reserved)
    assert again.is_replay


def test_a_hold_that_does_not_exist_is_refused(engine: Session) -> None:
    """Case 18, its edge."""
    with pytest.raises(TradewrightError) as caught:
        ledger.release(engine, new_id_text(), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_HOLD_EXHAUSTED


def test_a_hold_is_captured_in_part_and_the_rest_released(engine: Session) -> None:
    """Case 19."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_id = hold_of(engine, user_id, "10")
    ledger.capture(engine, hold_id, transaction_id=new_id_text(), amount=Decimal("3.25"))
    ledger.release(engine, hold_id, transaction_id=new_id_text())
    assert balances(engine, user_id) == (Decimal("96.75"), 0)
    assert value(engine, "SELECT remaining FROM balance_holds WHERE id = %s", hold_id) == 0


def test_release_and_capture_of_one_hold_at_once_give_it_once(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 20, for a release by hand."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_id = hold_of(engine, user_id, "10")
    ends = at_once(
        open_session,
        [
            lambda s: ledger.release(s, hold_id, transaction_id=new_id_text()),
            lambda s: ledger.capture(s, hold_id, transaction_id=new_id_text()),
        ],
    )
    refused = [end for end in ends if isinstance(end, TradewrightError)]
    assert [error.code for error in refused] == [ErrorCode.MONEY_HOLD_EXHAUSTED]
    assert balances(engine, user_id)[1] == 0


@pytest.mark.parametrize(
    "currency", ["usd", " USD", "", "ABCDEFGHIJK", "\uff35\uff33\uff24", "XXX", None]
)
def test_a_currency_that_is_not_listed_is_refused(engine: Session, currency: str | None) -> None:
    """Case 21."""
    user_id = open_user(engine)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute("SELECT credit_user_balance(%s, %s::text, 5, uuidv7())", (user_id, currency))
    assert caught.value.sqlstate == "TW004"
    assert value(engine, "SELECT count(*) FROM user_balances") == 0


@pytest.mark.parametrize("code", ["usd", " USD", "", "ABCDEFGHIJK", "\uff35\uff33\uff24", "U"])
def test_a_currency_code_is_two_to_ten_capitals_or_digits(engine: Session, code: str) -> None:
    """Case 21, for whoever lists currencies."""
    with pytest.raises(psycopg.errors.CheckViolation):
        engine.execute("INSERT INTO currencies VALUES (%s, 2)", (code,))


def test_a_credit_past_the_largest_balance_is_refused_and_changes_nothing(
    engine: Session,
) -> None:
    """Case 22."""
    user_id = open_user(engine)
    ledger.credit(engine, user_id, "BTC", LARGEST, transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as caught:
        ledger.credit(engine, user_id, "BTC", Decimal("0.00000001"), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_BALANCE_TOO_LARGE
    assert balances(engine, user_id, "BTC") == (LARGEST, 0)


def test_an_amount_larger_than_can_be_kept_is_refused(engine: Session) -> None:
    """Case 22."""
    with pytest.raises(TradewrightError) as caught:
        ledger.credit(
            engine, open_user(engine), "BTC", Decimal("1e12"), transaction_id=new_id_text()
        )
    assert caught.value.code == ErrorCode.INPUT_AMOUNT_TOO_LARGE


def test_reserved_money_past_the_largest_balance_is_refused(engine: Session) -> None:
    """Case 22, for reserved money."""
    user_id = open_user(engine)
    for _ in range(2):
        ledger.credit(engine, user_id, "BTC", Decimal("6e11"), transaction_id=new_id_text())
        if balances(engine, user_id, "BTC")[1] == 0:
            ledger.reserve(
                engine,
                user_id,
                "BTC",
                Decimal("6e11"),
                transaction_id=new_id_text(),
                purpose="order",
            )
    with pytest.raises(TradewrightError) as caught:
        ledger.reserve(
            engine, user_id, "BTC", Decimal("6e11"), transaction_id=new_id_text(), purpose="order"
        )
    assert caught.value.code == ErrorCode.MONEY_BALANCE_TOO_LARGE


def test_a_transfer_past_the_largest_balance_of_an_account_is_refused(engine: Session) -> None:
    """Case 22, for accounts."""
    user_id = open_user(engine)
    account_id = open_account(engine, user_id, "BTC")
    for _ in range(2):
        ledger.credit(engine, user_id, "BTC", Decimal("6e11"), transaction_id=new_id_text())
        if value(engine, "SELECT balance FROM accounts") == 0:
            ledger.transfer_to_account(
                engine, account_id, Decimal("6e11"), transaction_id=new_id_text()
            )
    with pytest.raises(TradewrightError) as caught:
        ledger.transfer_to_account(
            engine, account_id, Decimal("6e11"), transaction_id=new_id_text()
        )
    assert caught.value.code == ErrorCode.MONEY_BALANCE_TOO_LARGE


def test_balances_at_every_entry_equal_the_replay_by_version_under_eight_writers(
    engine: Session, open_session: OpenSession
) -> None:
    """Cases 26 and 27: versions tell the order, and times never go back within it."""
    user_id = open_user(engine)
    holder_id = open_wallet(engine, user_id, "1000")

    def work(session: Session) -> None:
        for number in range(15):
            move = ledger.credit if number % 2 else ledger.debit
            move(session, user_id, "USD", Decimal(number + 1), transaction_id=new_id_text())

    at_once(open_session, [work] * 8)
    wrong = value(
        engine,
        "SELECT count(*) FROM (SELECT version, available_after, created_at,"
        " sum(CASE effect WHEN 'credit' THEN amount ELSE -amount END) OVER w AS replayed,"
        " lag(created_at) OVER w AS earlier, row_number() OVER w AS place"
        " FROM balance_ledger WHERE holder_id = %s WINDOW w AS (ORDER BY version)) AS e"
        " WHERE available_after <> replayed OR created_at < earlier OR version <> place",
        holder_id,
    )
    assert (wrong, len(entries(engine, holder_id))) == (0, 121)


def test_a_rolled_back_credit_leaves_no_trace_and_no_gap(engine: Session) -> None:
    """Case 28: savepoint."""
    user_id = open_user(engine)
    holder_id = open_wallet(engine, user_id)
    with engine.transaction():
        with pytest.raises(ZeroDivisionError), engine.transaction():  # noqa: PT012
            ledger.credit(engine, user_id, "USD", Decimal(9), transaction_id=new_id_text())
            raise ZeroDivisionError
        ledger.credit(engine, user_id, "USD", Decimal(1), transaction_id=new_id_text())
    assert entries(engine, holder_id) == [(0, 100), (100, 101)]


def test_a_credit_ended_by_a_timeout_leaves_no_trace(engine: Session) -> None:
    """Case 28: statement timeout."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    engine.execute("SET statement_timeout = 50")
    with pytest.raises(psycopg.errors.QueryCanceled):
        engine.execute(
            "SELECT credit_user_balance(%s, 'USD', 9, uuidv7()), pg_sleep(5)", (user_id,)
        )
    engine.execute("RESET statement_timeout")
    assert balances(engine, user_id) == (100, 0)


def test_a_server_killed_before_commit_forgets_the_credit_and_keeps_those_committed() -> None:
    """Case 28: kill -9 of the server; laws are held on a server of this test's own."""
    with EmbeddedServer.temporary({"shared_buffers": "16MB"}) as server:
        server.create_database("killed")
        migrate_engine(server.conninfo("killed"))
        with psycopg.connect(server.conninfo("killed"), autocommit=True) as session:
            session.execute("SET search_path TO tradewright")
            user_id = open_user(session)
            open_wallet(session, user_id)
            with pytest.raises(psycopg.OperationalError), session.transaction():  # noqa: PT012
                ledger.credit(session, user_id, "USD", Decimal(9), transaction_id=new_id_text())
                server.kill()
                session.execute("SELECT 1")
        server.start()
        with psycopg.connect(server.conninfo("killed"), autocommit=True) as session:
            session.execute("SET search_path TO tradewright")
            assert balances(session, user_id) == (100, 0)
            audit.require_laws(audit.check_laws(session))


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_a_conflict_reported_by_the_server_runs_the_call_again_with_one_effect(
    engine: Session, state: str
) -> None:
    """Case 29."""
    user_id, attempts = open_user(engine), []

    def work(session: Session) -> LedgerReply:
        reply = ledger.credit(session, user_id, "USD", Decimal(5), transaction_id=new_id_text())
        attempts.append(reply)
        if len(attempts) < 3:
            words = f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{state}'; END $$"
            session.execute(words.encode())
        return reply

    run_transaction(same_connection(engine), work)
    assert (len(attempts), balances(engine, user_id)) == (3, (5, 0))


def test_money_of_clients_and_house_sums_to_zero_after_a_random_run(
    engine: Session, open_session: OpenSession
) -> None:
    """Cases 30 and 31: the laws at the end of this test say the sums, entries and holds."""
    users = [open_user(engine) for _ in range(3)]
    for user_id in users:
        for currency in ("USD", "EUR"):
            open_wallet(engine, user_id, "50", currency)

    def work(session: Session, shift: int) -> int:
        refused = 0
        for number in range(20):
            user_id = users[(number + shift) % 3]
            currency = "USD" if number % 3 else "EUR"
            amount = Decimal(number * 7 % 40 + 1)
            try:
                if number % 4 == 0:
                    ledger.credit(session, user_id, currency, amount, transaction_id=new_id_text())
                elif number % 4 == 1:
                    ledger.debit(session, user_id, currency, amount, transaction_id=new_id_text())
                else:
                    held = reserve(session, user_id, str(amount))
                    draw = ledger.capture if number % 4 == 2 else ledger.release
                    draw(session, str(held.hold_id), transaction_id=new_id_text())
            except TradewrightError as error:
                if error.code != ErrorCode.MONEY_INSUFFICIENT_FUNDS:
                    raise
                refused += 1
        return refused

    results = at_once(open_session, [partial(work, shift=shift) for shift in range(4)])
    assert all(isinstance(result, int) for result in results)


def test_an_unknown_user_gets_no_wallet(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        ledger.credit(engine, new_id_text(), "USD", Decimal(5), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.USER_UNKNOWN


def test_a_hold_for_an_unknown_purpose_is_refused(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    with pytest.raises(TradewrightError) as caught:
        ledger.reserve(
            engine, user_id, "USD", Decimal(5), transaction_id=new_id_text(), purpose="fun"
        )
    assert caught.value.code == ErrorCode.INPUT_PURPOSE_UNKNOWN


def test_a_refusal_says_what_why_and_what_to_do(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id, "100")
    hold_of(engine, user_id, "40")
    with pytest.raises(TradewrightError) as caught:
        ledger.debit(engine, user_id, "USD", Decimal(70), transaction_id=new_id_text())
    assert caught.value.render() == (
        "wallet holds 60 USD available, 70 are needed [MONEY_INSUFFICIENT_FUNDS]\n"
        "  why: Another 40 USD are reserved.\n"
        "  hint: Deposit more, release a hold, or ask for less."
    )


@pytest.mark.parametrize("suspended", ["accounts", "users"])
def test_a_transfer_to_a_suspended_account_is_refused_but_its_repeat_is_answered(
    engine: Session, suspended: str
) -> None:
    user_id, key = open_user(engine), new_id_text()
    account_id = open_account(engine, user_id)
    open_wallet(engine, user_id)
    ledger.transfer_to_account(engine, account_id, Decimal(10), transaction_id=key)
    engine.execute(f"UPDATE {suspended} SET status = 'suspended'".encode())
    again = ledger.transfer_to_account(engine, account_id, Decimal(10), transaction_id=key)
    assert again.is_replay
    assert again.available == 10
    for transfer in (ledger.transfer_to_account, ledger.transfer_to_wallet):
        with pytest.raises(TradewrightError) as caught:
            transfer(engine, account_id, Decimal(1), transaction_id=new_id_text())
        assert caught.value.code == ErrorCode.ACCOUNT_NOT_ACTIVE


@pytest.mark.parametrize("transfer", [ledger.transfer_to_account, ledger.transfer_to_wallet])
def test_a_transfer_with_an_unknown_account_is_refused(
    engine: Session, transfer: Operation
) -> None:
    with pytest.raises(TradewrightError) as caught:
        transfer(engine, new_id_text(), Decimal(1), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.ACCOUNT_UNKNOWN


def test_a_transfer_never_overdraws_an_account(engine: Session) -> None:
    user_id = open_user(engine)
    account_id = open_account(engine, user_id)
    open_wallet(engine, user_id)
    ledger.transfer_to_account(engine, account_id, Decimal(10), transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as caught:
        ledger.transfer_to_wallet(
            engine, account_id, Decimal("10.01"), transaction_id=new_id_text()
        )
    assert caught.value.code == ErrorCode.MONEY_INSUFFICIENT_FUNDS


def test_money_beside_an_open_position_does_not_leave_by_this_function(engine: Session) -> None:
    cast = play(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE positions SET is_open = true, quantity = 1, closed_at = NULL WHERE id = %s",
        (cast.position_id,),
    )
    engine.execute("RESET session_replication_role")
    with pytest.raises(TradewrightError) as caught:
        ledger.transfer_to_wallet(engine, cast.account_id, Decimal(1), transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_ACCOUNT_HAS_POSITIONS
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE positions SET is_open = false, quantity = 0, closed_at = clock_timestamp()"
        " WHERE id = %s",
        (cast.position_id,),
    )


def test_the_database_and_the_code_know_the_same_currencies(engine: Session) -> None:
    rows = engine.execute("SELECT code, minor_units FROM currencies").fetchall()
    assert dict(rows) == MINOR_UNITS


def test_refusals_print_amounts_as_people_write_them_one_by_one_and_in_batches(
    engine: Session,
) -> None:
    """Columns keep eight decimals; nobody pays with six of them."""
    wallet_id = open_wallet(engine, open_user(engine), "8.50")
    user_id = str(value(engine, "SELECT user_id FROM user_balances"))
    hold = set_aside(engine, user_id, "USD", Decimal("0.50"), transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as short:
        ledger.debit(engine, user_id, "USD", Decimal("9.00"), transaction_id=new_id_text())
    assert short.value.what == "wallet holds 8 USD available, 9 are needed"
    assert short.value.why == "Another 0.5 USD are reserved."
    with pytest.raises(TradewrightError) as held:
        ledger.release(engine, str(hold.hold_id), transaction_id=new_id_text(), amount=Decimal(1))
    assert held.value.what == f'hold "{hold.hold_id}" has 0.5 left, 1 are asked for'
    reservation = Reservation(
        transaction_id=new_id_text(),
        holder_id=wallet_id,
        currency="USD",
        amount=Decimal("9.00"),
        purpose="order",
    )
    with engine.transaction():
        [result] = ledger.post_movements(engine, [reservation])
    assert result.error is not None
    assert (result.error.what, result.error.why) == (short.value.what, short.value.why)
