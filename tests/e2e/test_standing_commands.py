"""Accounts and users that are suspended, reinstated and closed, as people meet it."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import psycopg
import pytest

from tests.e2e.test_clients_commands import KIM, NOBODY, WHO, run
from tests.floor import Floor, ask, buy, deal, sell
from tradewright import ledger
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import connect
from tradewright.postgres.refusals import translate
from tradewright.risk.model import ClientClass
from tradewright.trading.model import CancelOrder
from tradewright.trading.standing import close_account


def test_a_suspended_account_only_reduces_until_it_is_reinstated(floor: Floor) -> None:
    account = floor.account("10000")
    with floor.engine() as engine:
        deal(engine, buy(account, 2000))
        suspended = run(floor, "accounts", "suspend", account, *WHO)
        assert (suspended["id"], suspended["status"]) == (account, "suspended")
        assert deal(engine, buy(account, 1000)).refusal_code == "ACCOUNT_NOT_ACTIVE"
        assert deal(engine, sell(account, 1000)).filled_quantity == 1000
        assert run(floor, "accounts", "reinstate", account, *WHO)["status"] == "active"
        assert deal(engine, buy(account, 1000)).filled_quantity == 1000
    steps = floor.rows(
        "SELECT actor, reason, changes -> 'status' FROM audit_log WHERE row_id = %s"
        " AND changes ? 'status' AND action = 'update' ORDER BY seq",
        account,
    )
    who = ("anna", "applied in writing")
    assert steps == [(*who, ["active", "suspended"]), (*who, ["suspended", "active"])]
    assert floor.broken_laws() == {}


def test_the_accounts_of_a_suspended_user_only_reduce_and_keep_their_status(floor: Floor) -> None:
    account = floor.account("10000")
    user = floor.one("SELECT user_id::text FROM accounts")
    with floor.engine() as engine:
        deal(engine, buy(account, 2000))
        assert run(floor, "users", "suspend", user, *WHO)["status"] == "suspended"
        assert run(floor, "accounts", "show", account)["status"] == "active"
        assert deal(engine, buy(account, 1000)).refusal_code == "ACCOUNT_NOT_ACTIVE"
        assert deal(engine, sell(account, 1000)).filled_quantity == 1000
        begin = ("payments", "begin", "deposit", user, "5", "USD", *WHO)
        assert str(run(floor, *begin).code) == "USER_NOT_ACTIVE"
        assert run(floor, "users", "reinstate", user, *WHO)["status"] == "active"
        assert deal(engine, buy(account, 1000)).filled_quantity == 1000
    assert floor.rows("SELECT DISTINCT actor FROM audit_log WHERE action = 'update'") == [("anna",)]
    assert floor.broken_laws() == {}


def test_an_account_is_closed_when_nothing_is_left_in_it_and_stays_closed(floor: Floor) -> None:
    account = floor.account("100", client_class=ClientClass.PROFESSIONAL)
    run(floor, "credit", "grant", account, "50", *WHO)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        deal(engine, buy(account, 1000, limit_price="1.05", client_order_id="resting"))
        held = "There stand in the way: "
        left = ["open positions: 1", "live orders: 1", "balance: 100 USD", "credit: 50 USD"]
        refused = run(floor, "accounts", "close", account, *WHO)
        assert (str(refused.code), refused.why) == (
            "ACCOUNT_STATUS_REFUSED",
            f"{held}{', '.join(left)}.",
        )
        deal(engine, sell(account, 1000))
        ask(engine, CancelOrder(account_id=account, client_order_id="resting"))
    run(floor, "credit", "withdraw", account, "50", *WHO)
    balance = floor.balance(account)
    refused = run(floor, "accounts", "close", account, *WHO)
    assert refused.why == f"{held}balance: {balance.normalize():f} USD."
    assert run(floor, "accounts", "show", account)["status"] == "active"
    run(floor, "accounts", "suspend", account, *WHO)
    stays = run(floor, "accounts", "close", account, *WHO)
    assert (str(stays.code), "reinstate" in stays.hint) == ("ACCOUNT_STATUS_REFUSED", True)
    run(floor, "accounts", "reinstate", account, *WHO)
    ledger.transfer_to_wallet(floor.session, account, balance, transaction_id=new_id_text())
    assert run(floor, "accounts", "close", account, *WHO)["status"] == "closed"
    for step in ("reinstate", "suspend"):
        told = run(floor, "accounts", step, account, *WHO)
        assert (str(told.code), "is closed and cannot become" in told.what) == (
            "ACCOUNT_STATUS_REFUSED",
            True,
        )
    assert floor.one("SELECT status FROM accounts") == "closed"
    assert floor.broken_laws() == {}


def test_an_account_with_a_debt_is_not_closed(floor: Floor) -> None:
    account = floor.account("0")
    floor.session.execute("ALTER TABLE accounts DISABLE TRIGGER USER")
    floor.session.execute("UPDATE accounts SET balance = -3")
    floor.session.execute("ALTER TABLE accounts ENABLE TRIGGER USER")
    refused = run(floor, "accounts", "close", account, *WHO)
    assert refused.why == "There stand in the way: balance: -3 USD."


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (f"accounts suspend {NOBODY} WHO", "ACCOUNT_UNKNOWN", NOBODY),
        (f"accounts close {NOBODY} WHO", "ACCOUNT_UNKNOWN", NOBODY),
        ("users suspend nobody@example.org WHO", "USER_UNKNOWN", "nobody"),
        ("accounts reinstate ACCOUNT WHO", "ACCOUNT_STATUS_REFUSED", "is active already"),
        ("users reinstate USER WHO", "USER_STATUS_REFUSED", "is active already"),
        ("accounts close ACCOUNT --actor anna", "usage", "--reason"),
        ("users suspend USER --reason why", "usage", "--actor"),
    ],
)
def test_a_step_that_changes_nothing_or_nobody_is_refused(
    floor: Floor, words: str, code: str, says: str
) -> None:
    account = floor.account("0")
    user = floor.one("SELECT user_id::text FROM accounts")
    named = {"ACCOUNT": (account,), "USER": (user,), "WHO": WHO}
    told = run(floor, *(word for one in words.split() for word in named.get(one, (one,))))
    assert (str(getattr(told, "code", "usage")), says in str(told)) == (code, True), told
    assert floor.one("SELECT revision FROM accounts") == 1
    assert floor.one("SELECT revision FROM users") == 1


def test_a_closed_user_stays_closed(floor: Floor) -> None:
    user = run(floor, "users", "open", KIM, *WHO)["id"]
    floor.session.execute("UPDATE users SET status = 'closed'")
    for step in ("suspend", "reinstate"):
        told = run(floor, "users", step, user, *WHO)
        assert (str(told.code), "cannot become" in told.what) == ("USER_STATUS_REFUSED", True)


def test_an_order_that_meets_a_closing_account_waits_and_is_denied(floor: Floor) -> None:
    account = floor.account("0")
    with (
        floor.engine() as engine,
        connect(floor.conninfo) as session,
        ThreadPoolExecutor(1) as threads,
    ):
        with session.transaction():
            close_account(session, account)
            asked = threads.submit(deal, engine, buy(account, 1000))
            with pytest.raises(FutureTimeout):
                asked.result(0.3)
        assert asked.result(30).refusal_code == "ACCOUNT_NOT_ACTIVE"
    assert floor.broken_laws() == {}


def test_a_closing_that_waited_for_a_batch_sees_what_the_batch_has_booked(floor: Floor) -> None:
    account = floor.account("1000")

    def close() -> ErrorCode:
        with connect(floor.conninfo) as session, pytest.raises(psycopg.Error) as caught:
            close_account(session, account)
        error = translate(caught.value)
        assert "live orders: 1" in error.why
        return error.code

    with (
        floor.engine() as engine,
        connect(floor.conninfo) as holder,
        ThreadPoolExecutor(2) as threads,
    ):
        with holder.transaction():
            holder.execute("SELECT FROM accounts FOR NO KEY UPDATE")
            resting = threads.submit(deal, engine, buy(account, 1000, limit_price="1.05"))
            with pytest.raises(FutureTimeout):
                resting.result(0.3)
            closing = threads.submit(close)
            with pytest.raises(FutureTimeout):
                closing.result(0.3)
        assert resting.result(30).status == "new"
        assert closing.result(30) is ErrorCode.ACCOUNT_STATUS_REFUSED
    assert floor.one("SELECT status FROM accounts") == "active"
