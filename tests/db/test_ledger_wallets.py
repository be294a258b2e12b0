"""Wallets beyond their balance: status, conditions, groups of holds, breakdown, balance at a time.

The number in a docstring is the case's number in the list of cases that the design was held
against.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import combinations

import psycopg
import pytest

from tests.cast import open_account, open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.floor import refusal
from tradewright import audit, ledger
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import Conditions, HouseCode, Movement, WalletStatus
from tradewright.ledger.store import lock_wallets
from tradewright.postgres.connect import Session

PURPOSES = ("order", "withdrawal", "refund", "dispute", "unconfirmed")


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def set_status(session: Session, user_id: str, status: WalletStatus, key: str = "") -> None:
    ledger.set_wallet_status(
        session,
        (user_id, "USD"),
        status,
        reason="asked by the officer",
        transaction_id=key or new_id_text(),
    )


def hold(session: Session, user_id: str, amount: int, purpose: str = "order") -> str:
    reply = ledger.reserve(
        session,
        user_id,
        "USD",
        Decimal(amount),
        transaction_id=new_id_text(),
        purpose=purpose,
    )
    return str(reply.hold_id)


def debit(session: Session, user_id: str, amount: int, **conditions: object) -> TradewrightError:
    """Return how a debit on conditions is refused."""
    return refusal(
        lambda: ledger.debit(
            session,
            user_id,
            "USD",
            Decimal(amount),
            transaction_id=new_id_text(),
            conditions=Conditions(**conditions),  # type: ignore[arg-type]
        )
    )


def test_a_frozen_wallet_lets_money_in_and_holds_end_and_nothing_else_out(engine: Session) -> None:
    """Case 41, the freezing of withdrawals."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    account_id = open_account(engine, user_id)
    ledger.credit(engine, user_id, "USD", Decimal(9), transaction_id=key)
    first, second = hold(engine, user_id, 5), hold(engine, user_id, 6)
    set_status(engine, user_id, WalletStatus.FROZEN)
    leave = partial(ledger.transfer_to_account, engine, account_id, Decimal(1))
    for error in (
        debit(engine, user_id, 1),
        refusal(partial(hold, engine, user_id, 1)),
        refusal(partial(leave, transaction_id=new_id_text())),
    ):
        assert error.code == ErrorCode.MONEY_WALLET_FROZEN
    ledger.credit(engine, user_id, "USD", Decimal(1), transaction_id=new_id_text())
    ledger.release(engine, first, transaction_id=new_id_text())
    ledger.capture(engine, second, transaction_id=new_id_text())
    ledger.reverse(engine, (key, "credit"), transaction_id=new_id_text())
    assert ledger.read_wallet(engine, user_id, "USD").available == 95


def test_a_call_that_was_done_before_the_freezing_is_answered_alike(engine: Session) -> None:
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    ledger.debit(engine, user_id, "USD", Decimal(1), transaction_id=key)
    set_status(engine, user_id, WalletStatus.FROZEN)
    assert ledger.debit(engine, user_id, "USD", Decimal(1), transaction_id=key).is_replay


def test_a_wallet_closes_empty_and_takes_nothing_more(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id, "7")
    error = refusal(lambda: set_status(engine, user_id, WalletStatus.CLOSED))
    assert error.code == ErrorCode.MONEY_WALLET_STATUS_REFUSED
    ledger.debit(engine, user_id, "USD", Decimal(7), transaction_id=new_id_text())
    set_status(engine, user_id, WalletStatus.CLOSED)
    error = refusal(
        lambda: ledger.credit(engine, user_id, "USD", Decimal(1), transaction_id=new_id_text())
    )
    assert error.code == ErrorCode.MONEY_WALLET_CLOSED
    error = refusal(lambda: set_status(engine, user_id, WalletStatus.ACTIVE))
    assert error.code == ErrorCode.MONEY_WALLET_STATUS_REFUSED


def test_a_change_of_status_is_recorded_once_with_its_actor_and_reason(engine: Session) -> None:
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    engine.execute("SELECT set_config('app.actor', 'officer:ann', false)")
    for _ in range(2):
        set_status(engine, user_id, WalletStatus.FROZEN, key)
    error = refusal(lambda: set_status(engine, user_id, WalletStatus.ACTIVE, key))
    assert error.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    rows = engine.execute(
        "SELECT seq, from_status, to_status, reason, actor FROM wallet_status_changes"
    )
    assert rows.fetchall() == [(1, "active", "frozen", "asked by the officer", "officer:ann")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE user_balances SET status = 'frozen'",
        "UPDATE user_balances SET status = 'closed'",
        "INSERT INTO user_balances (user_id, currency, status) VALUES ('{user}', 'EUR', 'frozen')",
    ],
)
def test_no_status_changes_without_its_record(engine: Session, statement: str) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(statement.format(user=user_id).encode())
    assert caught.value.sqlstate == "TW013"


def test_the_database_itself_keeps_a_frozen_wallet_from_giving(engine: Session) -> None:
    """A writer that forgot to look: the journal books, the guard refuses."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    house = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]
    set_status(engine, user_id, WalletStatus.FROZEN)
    with pytest.raises(psycopg.Error) as caught, engine.transaction():  # noqa: PT012
        wallet = lock_wallets(engine, [wallet_id])[wallet_id]
        journal = ledger.Journal()
        for move in (journal.give, journal.receive):
            side = {"sink" if move == journal.give else "source": house}
            move(wallet, Decimal(1), transaction_id=new_id_text(), operation="x", **side)
        journal.write(engine)
    assert caught.value.sqlstate == "TW031"


def test_a_batch_refuses_what_leaves_a_frozen_wallet_alone(engine: Session) -> None:
    frozen_user, free_user = open_user(engine), open_user(engine)
    frozen, free = open_wallet(engine, frozen_user), open_wallet(engine, free_user)
    house = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]
    set_status(engine, frozen_user, WalletStatus.FROZEN)
    pairs = [(frozen, house), (frozen, free), (house, frozen), (free, frozen), (free, house)]
    with engine.transaction():
        results = ledger.post_movements(
            engine, [_movement(giver, receiver) for giver, receiver in pairs]
        )
    codes = [result.error.code if result.error else "done" for result in results]
    assert codes == [ErrorCode.MONEY_WALLET_FROZEN] * 2 + ["done"] * 3


def _movement(giver: str, receiver: str, amount: str = "1") -> Movement:
    return Movement(
        transaction_id=new_id_text(),
        operation="adjustment",
        debit_id=giver,
        credit_id=receiver,
        currency="USD",
        amount=Decimal(amount),
    )


def test_a_debit_may_ask_what_stays_and_which_version_was_read(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    assert debit(engine, user_id, 11, min_available=Decimal(90)).code == (
        ErrorCode.MONEY_FLOOR_BREACHED
    )
    assert debit(engine, user_id, 1, expected_version=2).code == ErrorCode.MONEY_VERSION_DIFFERS
    reply = ledger.debit(
        engine,
        user_id,
        "USD",
        Decimal(10),
        transaction_id=new_id_text(),
        conditions=Conditions(min_available=Decimal(90), expected_version=1),
    )
    assert (reply.available, reply.version) == (Decimal(90), 2)


def test_of_two_debits_that_expect_one_version_one_is_done(
    engine: Session, open_session: OpenSession
) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)

    def spend(session: Session) -> object:
        return ledger.debit(
            session,
            user_id,
            "USD",
            Decimal(60),
            transaction_id=new_id_text(),
            conditions=Conditions(expected_version=1),
        )

    ends = at_once(open_session, [spend] * 4)
    codes = [end.code for end in ends if isinstance(end, TradewrightError)]
    assert codes == [ErrorCode.MONEY_VERSION_DIFFERS] * 3


def test_what_is_wrong_is_told_in_a_fixed_order(engine: Session) -> None:
    """Each call has all the faults of those below it; the first in the order is told."""
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    ledger.debit(engine, user_id, "USD", Decimal(1), transaction_id=key)
    set_status(engine, user_id, WalletStatus.FROZEN)
    call = "SELECT debit_user_balance(%s, %s, %s, %s, 'clearing', 1000, 99)"
    other = open_user(engine)
    new = new_id_text()
    order: list[tuple[tuple[object, ...], str]] = [
        ((other, "usd", "NaN", None), "TW004"),
        ((other, "USD", "NaN", None), "TW001"),
        ((other, "USD", "-0.001", None), "TW016"),
        ((other, "USD", "1000000000000.001", None), "TW018"),
        ((other, "USD", "0.001", None), "TW017"),
        ((other, "USD", "500", None), "TW003"),
        ((user_id, "USD", "500", None), "TW009"),
        ((user_id, "USD", "500", key), "TW002"),
        ((user_id, "USD", "500", new), "TW031"),
    ]
    for given, state in order:
        assert _state(engine, call, given) == state
    set_status(engine, user_id, WalletStatus.ACTIVE)
    assert _state(engine, call, (user_id, "USD", "500", new)) == "TW033"
    call = "SELECT debit_user_balance(%s, %s, %s, %s, 'clearing', 1000)"
    assert _state(engine, call, (user_id, "USD", "500", new)) == "TW003"
    assert _state(engine, call, (user_id, "USD", "5", new)) == "TW036"


def _state(session: Session, call: str, given: tuple[object, ...]) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        session.execute(call.encode(), given)
    return caught.value.sqlstate


def test_one_read_gives_the_balance_and_what_its_holds_are_for(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold(engine, user_id, 5)
    hold(engine, user_id, 6)
    ended = hold(engine, user_id, 7, "dispute")
    hold(engine, user_id, 8, "withdrawal")
    ledger.release(engine, ended, transaction_id=new_id_text())
    wallet = ledger.read_wallet(engine, user_id, "USD")
    assert (wallet.available, wallet.reserved) == (Decimal(81), Decimal(19))
    assert wallet.open_holds == 3
    assert wallet.held == dict.fromkeys(PURPOSES, Decimal(0)) | {"order": 11, "withdrawal": 8}
    error = refusal(lambda: ledger.read_wallet(engine, user_id, "EUR"))
    assert error.code == ErrorCode.MONEY_HOLDER_UNKNOWN


@pytest.mark.parametrize("end", [ledger.release_holds, ledger.capture_holds])
def test_holds_end_together_or_not_at_all(engine: Session, end: object) -> None:
    """Case 18, for several holds."""
    assert callable(end)
    users = [open_user(engine) for _ in range(2)]
    for user_id in users:
        open_wallet(engine, user_id)
    ids = [hold(engine, user_id, 10) for user_id in users]
    gone = hold(engine, users[0], 5)
    ledger.release(engine, gone, transaction_id=new_id_text())
    error = refusal(lambda: end(engine, [*ids, gone], transaction_id=new_id_text()))
    assert error.code == ErrorCode.MONEY_HOLD_EXHAUSTED
    assert value(engine, "SELECT sum(reserved) FROM user_balances") == 20
    key = new_id_text()
    replies = [end(engine, ids, transaction_id=key) for _ in range(2)]
    assert [[reply.is_replay for reply in part] for part in replies] == [[False] * 2, [True] * 2]
    assert value(engine, "SELECT sum(reserved) FROM user_balances") == 0


def test_groups_of_holds_in_any_order_at_once_never_deadlock(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 15, for several holds."""
    users = [open_user(engine) for _ in range(3)]
    for user_id in users:
        open_wallet(engine, user_id)
    groups = [[hold(engine, user_id, 1) for user_id in users] for _ in range(6)]

    def end(session: Session, group: list[str]) -> int:
        return len(ledger.release_holds(session, group, transaction_id=new_id_text()))

    works = [
        lambda s, g=group if n % 2 else group[::-1]: end(s, g) for n, group in enumerate(groups)
    ]
    assert at_once(open_session, works) == [3] * 6


def test_the_balance_at_every_entry_is_that_of_the_replay(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 26, asked for by time, under writers."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id, "1000")

    def work(session: Session) -> int:
        for number in range(8):
            move = ledger.credit if number % 2 else ledger.debit
            move(session, user_id, "USD", Decimal(number + 1), transaction_id=new_id_text())
            past = ledger.balance_at(session, wallet_id, utc_now() - timedelta(milliseconds=2))
            assert past.available > 0
        return 8

    assert at_once(open_session, [work] * 4) == [8] * 4
    entries = engine.execute(
        "SELECT created_at, max(version), (array_agg(available_after ORDER BY version DESC))[1]"
        " FROM balance_ledger WHERE holder_id = %s GROUP BY created_at",
        (wallet_id,),
    ).fetchall()
    for at, version, available in entries:
        past = ledger.balance_at(engine, wallet_id, at)
        assert (past.version, past.available) == (version, available)


def test_a_balance_is_asked_for_instants_that_have_passed_only(engine: Session) -> None:
    wallet_id = open_wallet(engine, open_user(engine))
    before = ledger.balance_at(engine, wallet_id, utc_now() - timedelta(days=1))
    assert before == ledger.PastBalance(0, Decimal(0), Decimal(0), None)
    error = refusal(lambda: ledger.balance_at(engine, wallet_id, utc_now() + timedelta(seconds=60)))
    assert error.code == ErrorCode.INPUT_INSTANT_FUTURE
    error = refusal(lambda: ledger.balance_at(engine, new_id_text(), utc_now()))
    assert error.code == ErrorCode.MONEY_HOLDER_UNKNOWN


def test_a_balance_of_now_waits_for_the_entry_that_is_being_written(
    engine: Session, open_session: OpenSession
) -> None:
    user_id, other = open_user(engine), open_session()
    wallet_id = open_wallet(engine, user_id)
    other.execute("SET lock_timeout = 100")
    with engine.transaction():
        ledger.credit(engine, user_id, "USD", Decimal(1), transaction_id=new_id_text())
        error = refusal(lambda: ledger.balance_at(other, wallet_id, utc_now()))
        assert error.code == ErrorCode.DATABASE_LOCK_TIMEOUT
    assert ledger.balance_at(other, wallet_id, utc_now()).available == 101


def test_a_user_s_history_is_that_of_his_holders_between_two_instants(engine: Session) -> None:
    user_id, other = open_user(engine), open_user(engine)
    open_wallet(engine, user_id, "100")
    open_wallet(engine, user_id, "70", "EUR")
    open_wallet(engine, other, "5")
    account_id = open_account(engine, user_id)
    ledger.transfer_to_account(engine, account_id, Decimal(3), transaction_id=new_id_text())
    for amount in range(1, 7):
        ledger.debit(engine, user_id, "USD", Decimal(amount), transaction_id=new_id_text())
    expected = engine.execute(
        "SELECT created_at, holder_id::text, version FROM balance_ledger WHERE user_id = %s"
        " ORDER BY created_at DESC",
        (user_id,),
    ).fetchall()
    times = sorted(row[0] for row in expected)

    def told(since: datetime, until: datetime, count_max: int | None = None) -> list[object]:
        entries = ledger.read_history(engine, user_id, since, until, count_max=count_max)
        return [(one.created_at, one.holder_id, one.version) for one in entries]

    end = times[-1] + timedelta(microseconds=1)
    assert told(times[0], end) == expected
    assert len(expected) == 10
    for since, until in combinations([times[0] - timedelta(days=1), *times, end], 2):
        between = [row for row in expected if since <= row[0] < until]
        assert told(since, until) == between
        assert told(since, until, 3) == between[:3]
    assert told(times[-1], times[0]) == []


def test_who_has_neither_wallet_nor_account_has_no_history(engine: Session) -> None:
    user_id, now = open_user(engine), utc_now()
    error = refusal(lambda: ledger.read_history(engine, user_id, now, now))
    assert error.code == ErrorCode.MONEY_HOLDER_UNKNOWN
    open_wallet(engine, user_id)
    assert ledger.read_history(engine, user_id, now, now) == []


def test_a_time_long_ago_is_found_without_reading_what_came_since(engine: Session) -> None:
    """What an index on user and time would be for; decision 041."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    clearing = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]

    def enter(count: int) -> None:
        moves = [_movement(clearing, wallet_id) for _ in range(count)]
        ledger.post_movements(engine, moves)

    def blocks_read(at: datetime) -> int:
        """Return how many pages it takes to find the entries of one millisecond."""
        for _ in range(2):  # the first call reads the catalogue too
            plan = engine.execute(
                "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM user_balance_history(%s, %s, %s)",
                (user_id, at, at + timedelta(milliseconds=1)),
            ).fetchall()
        read = plan[0][0][0]["Plan"]
        assert read["Actual Rows"] > 0
        return int(read["Shared Hit Blocks"] + read["Shared Read Blocks"])

    enter(1_000)
    at = engine.execute(
        "SELECT created_at FROM balance_ledger WHERE holder_id = %s AND version = 500",
        (wallet_id,),
    ).fetchall()[0][0]
    before = blocks_read(at)
    for _ in range(7):
        enter(1_000)
    assert blocks_read(at) < 1.5 * before  # eight times as many entries, three more looks of ten


def test_an_entry_finer_than_its_currency_is_refused_by_the_database(engine: Session) -> None:
    """Case 5, for a writer past the functions."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    house = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(
            "WITH moved AS (INSERT INTO transfers (id, transaction_id, operation, debit_holder_id,"
            " credit_holder_id, currency, amount)"
            " VALUES (uuidv7(), uuidv7(), 'x', %s, %s, 'USD', 0.001) RETURNING id, transaction_id)"
            " INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
            " operation, effect, amount, available_before, available_after, reserved_before,"
            " reserved_after, transfer_id)"
            " SELECT %s, 2, %s, 'USD', transaction_id, 'x', 'credit', 0.001, 100, 100.001, 0, 0, id"
            " FROM moved",
            (house, wallet_id, wallet_id, user_id),
        )
    assert caught.value.sqlstate == "TW017"


def test_a_batch_whose_wallet_was_changed_after_its_lock_writes_nothing(engine: Session) -> None:
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    house = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]
    before = ledger.read_wallet(engine, user_id, "USD")
    with pytest.raises(psycopg.Error) as caught, engine.transaction():  # noqa: PT012
        wallet = lock_wallets(engine, [wallet_id])[wallet_id]
        engine.execute("UPDATE user_balances SET updated_at = now()")
        journal = ledger.Journal()
        journal.receive(
            wallet, Decimal(1), transaction_id=new_id_text(), operation="credit", source=house
        )
        journal.write(engine)
    assert caught.value.sqlstate == "TW013"
    assert ledger.read_wallet(engine, user_id, "USD") == before


def test_a_wallet_that_was_waited_for_is_written_where_it_stands_then(
    engine: Session, open_session: OpenSession
) -> None:
    """The lock is given when another has committed a newer row, which stands elsewhere."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    house = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]

    def credit(session: Session) -> None:
        with session.transaction():
            ledger.post_movements(session, [_movement(house, wallet_id)])

    with ThreadPoolExecutor(1) as pool:
        with engine.transaction():
            credit(engine)
            second = pool.submit(credit, open_session())
            wait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not value(engine, wait):
                pause(0.01)
        second.result()
    wallet = ledger.read_wallet(engine, user_id, "USD")
    assert (wallet.version, wallet.available) == (3, Decimal(102))
