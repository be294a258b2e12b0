"""Credit: in the equity of an account, never in what may leave it, and never a retail client's."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.conftest import OpenSession
from tests.db.trading.test_limits import limit
from tests.db.trading.test_several_engines import until
from tests.floor import Floor, ask, buy, deal, order, refusal, sell
from tradewright import ledger
from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.risk.limits import LimitKind
from tradewright.risk.model import ClientClass, PendingMargin
from tradewright.risk.stress import Scenario
from tradewright.trading.credit import grant_credit, read_credits, withdraw_credit
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, set_group
from tradewright.trading.model import Direction, MoneyReport, MoveMoney, OrderStatus
from tradewright.trading.stress import run_stress


@contextmanager
def told(session: Session) -> Iterator[None]:
    """Change something as anna; raise what the database refuses in the house's words."""
    try:
        with session.transaction():
            acting_as(session, "anna", reason="agreed")
            yield
    except psycopg.Error as error:
        raise translate(error) from error


def grant(session: Session, account: str, amount: str = "500") -> Decimal:
    with told(session):
        return grant_credit(session, account, Decimal(amount))


def withdraw(session: Session, account: str, amount: str = "500") -> Decimal:
    with told(session):
        return withdraw_credit(session, account, Decimal(amount))


def professional(floor: Floor, deposit: str = "1000", **changes: Any) -> str:
    return floor.account(deposit, client_class=ClientClass.PROFESSIONAL, **changes)


def take_out(engine: Engine, account: str, amount: str) -> MoneyReport:
    command = MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal(amount),
        transaction_id=new_id_text(),
    )
    report = ask(engine, command)
    assert isinstance(report, MoneyReport)
    return report


def test_an_order_that_the_balance_cannot_carry_is_carried_with_credit(floor: Floor) -> None:
    """30,000 EUR at 1:30 bind 1,100.05; equity is 1,000 - 3, with credit 1,497."""
    account = professional(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        denied = deal(engine, buy(account, 30_000))
        assert denied.refusal_code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        assert grant(floor.session, account) == 500
        assert deal(engine, buy(account, 30_000)).status is OrderStatus.FILLED
        assert floor.balance(account) == 1000
    assert floor.broken_laws() == {}


def test_a_call_comes_at_the_level_with_credit_and_is_over_when_more_is_granted(
    floor: Floor,
) -> None:
    """At 1.08600 equity is 1,000 + 500 - 423 and 1,086.05 are bound: 99.1667 percent."""
    account = professional(floor)
    grant(floor.session, account)
    calls = "SELECT margin_level, equity, used_margin, resolved_at IS NULL FROM margin_calls"
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 30_000))
        floor.quote(engine, "EURUSD", "1.08640", "1.08650")  # 1,089 of 1,086.45
        assert floor.rows(calls) == []
        floor.quote(engine, "EURUSD", "1.08600", "1.08610")
        found = (Decimal("99.1667"), Decimal(1077), Decimal("1086.05"))
        assert floor.rows(calls) == [(*found, True)]
        grant(floor.session, account)

        def is_over() -> bool:
            floor.quote(engine, "EURUSD", "1.08600", "1.08610")
            return floor.rows(calls) == [(*found, False)]

        until(is_over)
    assert floor.broken_laws() == {}


def test_credit_delays_a_stop_out_and_pays_nothing_of_what_is_lost(floor: Floor) -> None:
    """At 1.07000 1,000 + 500 - 903 are 55.8 percent of 1,070.05; then the price gaps."""
    account = professional(floor)
    grant(floor.session, account)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 30_000))
        floor.quote(engine, "EURUSD", "1.07000", "1.07010")
        assert floor.position(account) == 30_000
        floor.quote(engine, "EURUSD", "1.06000", "1.06010")
        floor.quote(engine, "EURUSD", "1.06000", "1.06010")
        assert floor.position(account) == 0
    assert floor.balance(account) == Decimal("-203.00")
    assert floor.one("SELECT credit FROM accounts WHERE id = %s", account) == 500
    assert floor.one("SELECT forgiven FROM stop_outs") == 0
    assert floor.broken_laws() == {}


def test_what_leaves_beside_a_position_is_free_without_the_credit(floor: Floor) -> None:
    """24,000 EUR bind 880.04: of 1,000 - 2.40 the client's own 117.56 are free."""
    account = professional(floor)
    grant(floor.session, account)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 24_000))
        refused = refusal(lambda: take_out(engine, account, "117.57"))
        assert refused.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        take_out(engine, account, "117.56")
    assert floor.balance(account) == Decimal("882.44")
    assert floor.broken_laws() == {}


def test_what_leaves_while_nothing_is_open_is_the_balance(floor: Floor) -> None:
    account = professional(floor)
    grant(floor.session, account)
    more = Decimal("600.01")
    with floor.engine() as engine:
        take_out(engine, account, "400")
        refused = refusal(lambda: take_out(engine, account, "600.01"))
        assert refused.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
    for amount, is_refused in ((more, True), (Decimal(600), False)):

        def move(amount: Decimal = amount) -> object:
            key = new_id_text()
            return ledger.transfer_to_wallet(floor.session, account, amount, transaction_id=key)

        if is_refused:
            assert refusal(move).code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        else:
            move()
    assert floor.balance(account) == 0
    assert floor.one("SELECT credit FROM accounts WHERE id = %s", account) == 500


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (LimitKind.DAILY_LOSS, ErrorCode.ORDER_DAILY_LOSS_REACHED),
        (LimitKind.DRAWDOWN, ErrorCode.ORDER_DRAWDOWN_REACHED),
    ],
)
def test_a_grant_hides_no_loss_from_a_limit(floor: Floor, kind: LimitKind, code: ErrorCode) -> None:
    """30,000 EUR from 1.10010 to 1.08600 have lost 423, whatever is lent."""
    limit(floor, kind, "400", "USD")
    account = professional(floor, "2000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 30_000))
        floor.quote(engine, "EURUSD", "1.08600", "1.08610")
        assert deal(engine, buy(account, 1000)).refusal_code is code
        grant(floor.session, account)
        assert deal(engine, buy(account, 1000)).refusal_code is code
    assert floor.rows("SELECT measured FROM risk_breaches") == [(Decimal(423),)] * 2


def test_the_limit_of_leverage_is_of_equity_with_credit(floor: Floor) -> None:
    """33,001.50 USD of exposure are 33 times 1,000 and 22 times 1,500."""
    limit(floor, LimitKind.LEVERAGE, "25")
    account = professional(floor, leverage=500)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        denied = deal(engine, buy(account, 30_000))
        assert denied.refusal_code is ErrorCode.ORDER_LEVERAGE_EXCEEDED
        grant(floor.session, account)
        assert deal(engine, buy(account, 30_000)).status is OrderStatus.FILLED


def test_a_stress_test_counts_credit_in_equity_and_not_in_what_is_missing(
    floor: Floor, open_session: OpenSession
) -> None:
    """A fall by 5 percent costs 1,653.075 of 1,000: 653.075 are missing."""
    account = professional(floor)
    grant(floor.session, account)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 30_000))
        fall = Scenario(name="fall", symbols={"EURUSD": Decimal("-0.05")})
        (found,) = run_stress(open_session(), fall).accounts
    assert found.before is not None
    assert found.after is not None
    assert found.before.equity == 1497
    assert (found.after.equity, found.negative) == (Decimal("-153.075"), Decimal("653.075"))


def test_retail_clients_are_lent_nothing(floor: Floor) -> None:
    account = floor.account()
    refused = refusal(lambda: grant(floor.session, account))
    assert refused.code is ErrorCode.ACCOUNT_CREDIT_REFUSED
    assert read_credits(floor.session) == []


def test_a_client_with_credit_does_not_become_retail(floor: Floor) -> None:
    account = professional(floor)
    grant(floor.session, account)

    def degrade() -> None:
        with told(floor.session):
            floor.session.execute("UPDATE users SET client_class = 'retail'")

    assert refusal(degrade).code is ErrorCode.ACCOUNT_CREDIT_REFUSED
    withdraw(floor.session, account)
    degrade()
    assert floor.one("SELECT client_class FROM users") == "retail"


@pytest.mark.parametrize("is_granted_first", [True, False])
def test_a_grant_and_a_change_of_class_at_once_never_both_hold(
    floor: Floor, open_session: OpenSession, *, is_granted_first: bool
) -> None:
    account = professional(floor)
    first, second = open_session(), open_session()
    codes: list[ErrorCode] = []

    def degrade(session: Session) -> None:
        session.execute("UPDATE users SET client_class = 'retail'")

    def lend(session: Session) -> None:
        grant_credit(session, account, Decimal(500))

    steps = (lend, degrade) if is_granted_first else (degrade, lend)

    def follow() -> None:
        try:
            with told(second):
                steps[1](second)
        except TradewrightError as error:
            codes.append(error.code)

    with first.transaction():
        steps[0](first)
        thread = threading.Thread(target=follow)
        thread.start()
        until(lambda: waits_for_a_lock(floor))
    thread.join()
    assert codes == [ErrorCode.ACCOUNT_CREDIT_REFUSED]


def waits_for_a_lock(floor: Floor) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return bool(floor.one(waiting + " AND datname = current_database()"))


def test_an_order_that_waits_for_a_withdrawal_is_not_carried_by_what_is_gone(
    floor: Floor, open_session: OpenSession
) -> None:
    account, office = professional(floor), open_session()
    grant(floor.session, account)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        with office.transaction():
            withdraw_credit(office, account, Decimal(500))
            asked = engine.submit(buy(account, 30_000))
            until(lambda: waits_for_a_lock(floor))
        report = asked.result(timeout=30)
    assert getattr(report, "refusal_code", None) is ErrorCode.ORDER_MARGIN_INSUFFICIENT


def test_credit_is_not_withdrawn_beside_what_prices_decide(floor: Floor) -> None:
    binding = AccountGroup(code="binding", pending_margin=PendingMargin.MAX_SIDE)
    set_group(floor.session, binding)
    holding, waiting = professional(floor), professional(floor, group="binding")
    for account in (holding, waiting):
        grant(floor.session, account)
    with floor.engine() as engine:
        deal(engine, buy(holding, 1000))
        deal(engine, order(waiting, Side.BUY, 1000, limit_price="1.00000"))
        refused = refusal(lambda: withdraw(floor.session, holding))
        assert refused.code is ErrorCode.MONEY_ACCOUNT_HAS_POSITIONS
        assert refused.hint == "Close the positions."
        refused = refusal(lambda: withdraw(floor.session, waiting))
        assert refused.code is ErrorCode.MONEY_ACCOUNT_HAS_ORDERS
        deal(engine, sell(holding, 1000))
    assert withdraw(floor.session, holding, "499.99") == Decimal("0.01")
    assert [one.account for one in read_credits(floor.session)] == sorted((holding, waiting))


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("500.01", ErrorCode.ACCOUNT_CREDIT_EXHAUSTED),
        ("0.001", ErrorCode.INPUT_AMOUNT_OVER_SCALED),
        ("0", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
        ("-1", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
        ("NaN", ErrorCode.INPUT_AMOUNT_MALFORMED),
        ("1e12", ErrorCode.INPUT_AMOUNT_TOO_LARGE),
    ],
)
def test_an_amount_that_cannot_be_is_refused_and_changes_nothing(
    floor: Floor, amount: str, code: ErrorCode
) -> None:
    account = professional(floor)
    grant(floor.session, account)
    assert refusal(lambda: withdraw(floor.session, account, amount)).code is code
    if code is not ErrorCode.ACCOUNT_CREDIT_EXHAUSTED:
        assert refusal(lambda: grant(floor.session, account, amount)).code is code
    assert read_credits(floor.session)[0].credit == 500


def test_no_account_is_lent_more_than_can_be_kept(floor: Floor) -> None:
    account = professional(floor)
    grant(floor.session, account, "999999999999.99")
    refused = refusal(lambda: grant(floor.session, account, "0.01"))
    assert refused.code is ErrorCode.MONEY_BALANCE_TOO_LARGE


def test_a_suspended_account_is_lent_no_more_and_gives_back(floor: Floor) -> None:
    account = professional(floor)
    grant(floor.session, account)
    floor.session.execute("UPDATE accounts SET status = 'suspended'")
    assert refusal(lambda: grant(floor.session, account)).code is ErrorCode.ACCOUNT_NOT_ACTIVE
    assert withdraw(floor.session, account) == 0


def test_each_change_is_audited_with_actor_and_reason(floor: Floor) -> None:
    account = professional(floor)
    grant(floor.session, account)
    withdraw(floor.session, account, "200")
    trail = floor.rows(
        "SELECT actor, reason, changes -> 'credit' FROM audit_log"
        " WHERE row_id = %s AND action = 'update' ORDER BY seq",
        account,
    )
    assert trail == [("anna", "agreed", [0, 500]), ("anna", "agreed", [500, 300])]
    assert floor.broken_laws() == {}


def test_the_application_lends_nothing(session_as: Any, floor: Floor) -> None:
    account = professional(floor)
    refused = refusal(lambda: grant(session_as("app"), account))
    assert refused.code is ErrorCode.DATABASE_PERMISSION_DENIED
