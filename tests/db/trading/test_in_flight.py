"""Orders that a provider has not answered bind margin, count for limits and keep money in place."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_limits import limit
from tests.floor import ONE, TWO, Floor, ask, buy, deal, market_of, order, refusal, sell
from tradewright import ledger, routing
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.risk.limits import LimitKind
from tradewright.routing import Policy
from tradewright.routing.model import Book
from tradewright.trading.commissions import CommissionForm, CommissionTerms, set_terms
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import (
    CancelOrder,
    Direction,
    MoneyReport,
    MoveMoney,
    OrderReport,
    SubmitOrder,
)
from tradewright.trading.reference import read_reference
from tradewright.trading.store import lock_desk

DENIED = ErrorCode.ORDER_MARGIN_INSUFFICIENT


@contextmanager
def stage(conninfo: str, session: Session) -> Iterator[tuple[Floor, Engine, Later]]:
    """Run an engine whose one provider answers when the test says so; hold the laws at the end."""
    floor, late = Floor.opened(conninfo, session, (ONE, TWO)), Later(ONE)
    floor.account("1")  # the engine learns at its start which currencies accounts have
    with run(floor, {"LP-ONE": late}) as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        yield floor, engine, late
    assert floor.broken_laws() == {}


def refusals(engine: Engine, *orders: SubmitOrder) -> list[ErrorCode | None]:
    return [deal(engine, one).refusal_code for one in orders]


def withdraw(engine: Engine, account: str, amount: str) -> Decimal:
    report = ask(
        engine,
        MoveMoney(
            account_id=account,
            transaction_id=new_id_text(),
            direction=Direction.TO_WALLET,
            amount=Decimal(amount),
        ),
    )
    assert isinstance(report, MoneyReport)
    return report.balance


def answer(engine: Engine, late: Later, *dealt: int) -> None:
    """Let the provider deal so much of each request that it has; zero is a rejection."""
    requests = list(late.asked)
    late.asked.clear()
    for request, quantity in zip(requests, dealt, strict=True):
        late.tell(request, quantity, is_final=True)
    engine.wait_until_idle()


def test_buys_in_flight_are_denied_when_together_they_pass_the_margin(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        # Each binds 20,000 * 1.10005 / 30 = 733.37 and loses 2.00 to the spread.
        assert refusals(running, *(buy(account, 20_000) for _ in range(5))) == [None, *[DENIED] * 4]
        answer(running, late, 20_000)
        assert floor.position(account) == 20_000


def test_orders_of_one_batch_see_each_other_in_flight(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        futures = running.submit_together([buy(account, 10_000) for _ in range(4)])
        reports = [future.result(timeout=30) for future in futures]
        codes = [one.refusal_code for one in reports if isinstance(one, OrderReport)]
        assert codes == [None, None, DENIED, DENIED]
        running.wait_until_idle()
        answer(running, late, 10_000, 10_000)


def test_money_that_an_order_in_flight_may_need_does_not_leave(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        assert refusals(running, buy(account, 20_000)) == [None]
        refused = refusal(lambda: withdraw(running, account, "264.64"))
        assert refused.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        assert withdraw(running, account, "264.63") == Decimal("735.37")
        answer(running, late, 20_000)
        assert floor.position(account) == 20_000


def test_an_account_does_not_come_to_book_b_with_orders_that_providers_may_deal(
    engine_database: str, engine: Session
) -> None:
    """There nobody asks what is in flight: all of the 1,000 could leave beside the order."""
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        resting = buy(account, 1_000, limit_price="1.05000")
        assert refusals(running, resting, buy(account, 19_000)) == [None, None]
        for _ in late.asked, resting:
            with pytest.raises(psycopg.Error) as caught:
                routing.set_book(engine, account, Book.B)
            assert translate(caught.value).code is ErrorCode.ORDER_IN_FLIGHT
            assert refusal(lambda: withdraw(running, account, "1000"))
            answer(running, late, *(19_000 for _ in late.asked))
        ask(running, CancelOrder(account_id=account, client_order_id=resting.client_order_id))
        routing.set_book(engine, account, Book.B)
        assert floor.position(account) == 19_000


def test_the_sql_function_moves_nothing_while_an_order_is_in_flight(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        deal(running, buy(account, 1_000))
        moved = Decimal(1), new_id_text()
        refused = refusal(
            lambda: ledger.transfer_to_wallet(engine, account, moved[0], transaction_id=moved[1])
        )
        assert refused.code is ErrorCode.ORDER_IN_FLIGHT
        answer(running, late, 0)
        ledger.transfer_to_wallet(engine, account, moved[0], transaction_id=moved[1])
        assert floor.balance(account) == 999


def test_what_the_provider_rejects_is_free_again(engine_database: str, engine: Session) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        assert refusals(running, buy(account, 20_000), buy(account, 20_000)) == [None, DENIED]
        answer(running, late, 0)
        assert refusals(running, buy(account, 20_000)) == [None]
        answer(running, late, 0)
        assert withdraw(running, account, "1000") == 0


def test_a_commission_that_may_be_due_is_kept(engine_database: str, engine: Session) -> None:
    terms = CommissionTerms(
        form=CommissionForm.PER_LOT, rate=Decimal(10), currency="USD", minimum=Decimal(100)
    )
    with stage(engine_database, engine) as (floor, running, late):
        set_terms(engine, terms, group=None, symbol="EURUSD")
        account = floor.account("1000", book=Book.A)
        # 366.685 of margin, 1.00 of spread and 100.00 of commission each, and twice that is 935.37.
        assert refusals(running, buy(account, 10_000), buy(account, 10_000)) == [None, None]
        assert refusal(lambda: withdraw(running, account, "64.64")).code is (
            ErrorCode.MONEY_INSUFFICIENT_FUNDS
        )
        assert withdraw(running, account, "64.63") == Decimal("935.37")
        answer(running, late, 10_000, 10_000)


def test_what_is_being_closed_frees_nothing_and_is_closed_by_one_order(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        deal(running, buy(account, 20_000))
        answer(running, late, 20_000)
        pounds = order(account, Side.BUY, 20_000, symbol="GBPUSD")
        closes, again = sell(account, 20_000), sell(account, 20_000)
        assert refusals(running, closes, again, pounds) == [None, DENIED, DENIED]
        answer(running, late, 20_000)
        assert floor.position(account) == 0
        assert refusals(running, sell(account, 20_000)) == [None]
        answer(running, late, 0)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(PositionMode.NETTING, None), (PositionMode.FIFO, None), (PositionMode.HEDGING, DENIED)],
)
def test_both_sides_bind_margin_only_where_positions_hedge(
    engine_database: str, engine: Session, mode: PositionMode, expected: ErrorCode | None
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        set_group(engine, AccountGroup(code=mode, position_mode=mode))
        account = floor.account("1000", book=Book.A, group=mode)
        codes = refusals(running, buy(account, 20_000), sell(account, 20_000))
        assert codes == [None, expected]
        answer(running, late, *[20_000 for code in codes if code is None])


def test_the_part_of_a_hybrid_order_that_was_passed_on_binds_margin(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        routing.set_policy(engine, Policy(symbol="EURUSD", default_percent=50))
        account = floor.account("1000", book=Book.HYBRID)
        assert refusals(running, buy(account, 20_000), buy(account, 10_000)) == [None, DENIED]
        assert floor.position(account) == 10_000
        answer(running, late, 0)
        assert refusals(running, buy(account, 10_000)) == [None]
        answer(running, late, 0)


def test_an_order_that_rests_is_asked_again_beside_what_is_in_flight(
    engine_database: str, engine: Session
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("1000", book=Book.A)
        deal(running, buy(account, 10_000, limit_price="1.09900"))
        deal(running, buy(account, 20_000))
        floor.quote(running, "EURUSD", "1.09890", "1.09900")
        assert floor.rows("SELECT status, refusal_code FROM orders ORDER BY id") == [
            ("rejected", DENIED),
            ("new", None),
        ]
        answer(running, late, 20_000)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (LimitKind.SYMBOL_EXPOSURE, "35000", ErrorCode.ORDER_SYMBOL_EXPOSURE_EXCEEDED),
        (LimitKind.TOTAL_EXPOSURE, "35000", ErrorCode.ORDER_TOTAL_EXPOSURE_EXCEEDED),
        (LimitKind.LEVERAGE, "3.5", ErrorCode.ORDER_LEVERAGE_EXCEEDED),
        (LimitKind.NET_OPEN_POSITION, "35000", ErrorCode.ORDER_CREDIT_EXCEEDED),
    ],
)
def test_limits_count_what_is_in_flight(
    engine_database: str,
    engine: Session,
    kind: LimitKind,
    value: str,
    code: ErrorCode,
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        account = floor.account("10000", book=Book.A)
        limit(floor, kind, value, None if kind is LimitKind.LEVERAGE else "USD")
        assert refusals(running, buy(account, 20_000), buy(account, 20_000)) == [None, code]
        answer(running, late, 0)
        assert refusals(running, buy(account, 20_000)) == [None]
        answer(running, late, 0)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (PositionMode.NETTING, [None, None, ErrorCode.POSITION_COUNT_EXCEEDED]),
        (PositionMode.HEDGING, [None, *[ErrorCode.POSITION_COUNT_EXCEEDED] * 2]),
    ],
)
def test_positions_that_may_be_opened_are_counted(
    engine_database: str, engine: Session, mode: PositionMode, expected: list[ErrorCode | None]
) -> None:
    with stage(engine_database, engine) as (floor, running, late):
        set_group(engine, AccountGroup(code=mode, position_mode=mode))
        account = floor.account("10000", book=Book.A, group=mode)
        limit(floor, LimitKind.OPEN_POSITIONS, "1")
        pounds = order(account, Side.BUY, 1_000, symbol="GBPUSD")
        codes = refusals(running, buy(account, 1_000), buy(account, 1_000), pounds)
        assert codes == expected
        answer(running, late, *[1_000 for code in codes if code is None])


class Recorder:
    """A session that remembers which statements went through it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sent: list[str] = []

    def execute(self, query: str, columns: Any, /) -> Any:
        """Send one statement."""
        self.sent.append(query)
        return self.session.execute(query.encode(), columns)


@pytest.mark.parametrize(("book", "extra"), [(Book.B, 0), (Book.A, 1)])
def test_only_accounts_whose_orders_are_passed_on_cost_a_statement(
    engine_database: str, engine: Session, book: Book, extra: int
) -> None:
    floor = Floor.opened(engine_database, engine)
    account, recorder = floor.account("1000", book=book), Recorder(engine)
    with engine.transaction():
        lock_desk(recorder, read_reference(engine), market_of({}), [buy(account)], {})
    assert sum("o.is_routed\nORDER" in query for query in recorder.sent) == extra
