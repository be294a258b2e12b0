"""Closing a part of a position, and two positions against each other: once, at the right price."""

from decimal import Decimal

import pytest
from msgspec import structs

from tests.floor import Floor, ask, buy, deal, refusal, sell
from tests.positions import account_of, close, fills_of, held, ids, pair_up
from tradewright.core.errors import ErrorCode
from tradewright.trading.engine import Engine
from tradewright.trading.groups import PositionMode
from tradewright.trading.model import (
    ClosePosition,
    OrderReport,
    OrderStatus,
    TimeInForce,
)
from tradewright.trading.pairings import CloseBy, CloseByReport


@pytest.fixture
def hedger(floor: Floor) -> str:
    return account_of(floor, PositionMode.HEDGING)


def pair_of(floor: Floor, engine: Engine, account: str) -> list[str]:
    """Buy 200,000 at 1.10010, sell 100,000 at 1.10100; return both positions."""
    deal(engine, buy(account, 200_000))
    floor.quote(engine, "EURUSD", "1.10100", "1.10110")
    deal(engine, sell(account, 100_000))
    return ids(floor, account)


def test_a_part_of_a_position_is_closed_once_under_its_key(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=("1.09999", "1.10000")) as engine:
        deal(engine, buy(hedger))
        floor.quote(engine, "EURUSD", "1.10100", "1.10101")
        command = close(hedger, ids(floor, hedger)[0], 30_000)
        first, again = ask(engine, command), ask(engine, command)
        assert isinstance(first, OrderReport)
        assert isinstance(again, OrderReport)
        other = ClosePosition(
            account_id=hedger,
            position_id=command.position_id,
            symbol="EURUSD",
            quantity=Decimal(20_000),
            client_order_id=command.client_order_id,
        )
        error = refusal(lambda: ask(engine, other))
        whole = structs.replace(other, quantity=None)
        assert refusal(lambda: ask(engine, whole)).code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.order_id == first.order_id
    assert error.code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert held(floor, hedger) == [(70_000, Decimal("1.10000"))]
    assert floor.balance(hedger) == Decimal("1000030.00")
    assert floor.broken_laws() == {}


def test_a_whole_position_is_closed_once_under_its_key_and_a_part_is_something_else(
    floor: Floor, hedger: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        command = structs.replace(close(hedger, ids(floor, hedger)[0], 30_000), quantity=None)
        reports = [ask(engine, command) for _ in range(2)]
        reports.append(ask(engine, structs.replace(command, quantity=Decimal(100_000))))
        part = structs.replace(command, quantity=Decimal(99_000))
        assert refusal(lambda: ask(engine, part)).code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert [isinstance(one, OrderReport) and one.is_replay for one in reports] == [
        False,
        True,
        True,
    ]
    assert held(floor, hedger) == []


def test_an_order_with_a_price_of_its_own_is_no_close_of_the_position_that_it_names(
    floor: Floor, hedger: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        (position_id,) = ids(floor, hedger)
        far = sell(
            hedger,
            limit_price="1.20000",
            time_in_force=TimeInForce.IOC,
            position_id=position_id,
        )
        assert deal(engine, far).status is OrderStatus.CANCELED
        command = ClosePosition(
            account_id=hedger,
            symbol="EURUSD",
            position_id=position_id,
            client_order_id=far.client_order_id,
        )
        refused = refusal(lambda: ask(engine, command))
        assert refused.code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("quantity", "key", "code"),
    [
        (30_000, None, ErrorCode.ORDER_KEY_MALFORMED),
        (30_500, "a", ErrorCode.ORDER_QUANTITY_OFF_STEP),
        (0, "a", ErrorCode.ORDER_QUANTITY_MALFORMED),
        (101_000, "a", ErrorCode.POSITION_QUANTITY_EXCEEDED),
    ],
)
def test_a_part_that_cannot_be_closed_is_refused(
    floor: Floor, hedger: str, quantity: int, key: str | None, code: ErrorCode
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        command = ClosePosition(
            account_id=hedger,
            position_id=ids(floor, hedger)[0],
            symbol="EURUSD",
            quantity=Decimal(quantity),
            client_order_id=key,
        )
        error = refusal(lambda: ask(engine, command))
    assert error.code is code
    assert floor.position(hedger) == 100_000


def test_a_netting_account_closes_a_part_too(floor: Floor) -> None:
    account = account_of(floor, PositionMode.NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account))
        ask(engine, close(account, ids(floor, account)[0], 40_000))
    assert floor.position(account) == 60_000
    assert floor.broken_laws() == {}


def test_two_opposite_positions_close_each_other_at_their_prices(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        long, short = pair_of(floor, engine, hedger)
        command = pair_up(hedger, long, short)
        report = ask(engine, command)
        again = ask(engine, command)
    # 100,000 * (1.10100 - 1.10010): no spread is paid, at whatever the market stands.
    assert report == CloseByReport(
        command.close_by_id, Decimal(100_000), Decimal("1.10100"), Decimal("90.00")
    )
    assert isinstance(again, CloseByReport)
    assert again.is_replay
    assert (again.quantity, again.realised_pnl) == (Decimal(100_000), Decimal(90))
    assert held(floor, hedger) == [(100_000, Decimal("1.10010"))]
    assert floor.balance(hedger) == Decimal("1000090.00")
    assert floor.position(hedger) == fills_of(floor, hedger)
    assert floor.one("SELECT count(*) FROM orders") == 2
    assert floor.broken_laws() == {}


def test_a_pairing_with_other_contents_under_its_key_is_refused(floor: Floor, hedger: str) -> None:
    with floor.engine() as engine:
        long, short = pair_of(floor, engine, hedger)
        command = pair_up(hedger, long, short)
        ask(engine, command)
        other = CloseBy(
            account_id=hedger,
            close_by_id=command.close_by_id,
            position_id=short,
            by_position_id=long,
            symbol="EURUSD",
        )
        error = refusal(lambda: ask(engine, other))
    assert error.code is ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


def test_positions_of_one_side_do_not_close_each_other(floor: Floor, hedger: str) -> None:
    with floor.engine() as engine:
        for _ in range(2):
            deal(engine, buy(hedger))
        error = refusal(lambda: ask(engine, pair_up(hedger, *ids(floor, hedger))))
    assert error.code is ErrorCode.POSITION_PAIR_UNFIT
