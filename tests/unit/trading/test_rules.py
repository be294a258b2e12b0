"""Prices, triggers, splits and averages: the rules of orders on their worked examples."""

from decimal import Decimal

import pytest

from tests.floor import DAY, order, pair
from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.board import Top
from tradewright.liquidity.model import Side
from tradewright.trading.order_form import require_well_formed
from tradewright.trading.rules import (
    Split,
    average_price_after,
    dealing_price,
    limit_is_met,
    mean_price,
    split_fill,
    stop_is_reached,
    stop_loss_is_reached,
    take_profit_is_reached,
)

EURUSD = pair("EURUSD")
TOP = Top(Decimal("1.10000"), Decimal("1.10010"), DAY)


def test_a_buyer_pays_the_ask_and_a_seller_gets_the_bid() -> None:
    assert dealing_price(TOP, Side.BUY) == Decimal("1.10010")
    assert dealing_price(TOP, Side.SELL) == Decimal("1.10000")


@pytest.mark.parametrize(
    ("side", "limit", "is_met"),
    [
        (Side.BUY, "1.10009", False),
        (Side.BUY, "1.10010", True),
        (Side.BUY, "1.10011", True),
        (Side.SELL, "1.10001", False),
        (Side.SELL, "1.10000", True),
        (Side.SELL, "1.09999", True),
    ],
)
def test_a_limit_is_met_at_its_price_or_better(side: Side, limit: str, is_met: bool) -> None:
    assert limit_is_met(side, Decimal(limit), TOP) is is_met


@pytest.mark.parametrize(
    ("side", "stop", "is_reached"),
    [
        (Side.BUY, "1.10011", False),
        (Side.BUY, "1.10010", True),
        (Side.BUY, "1.10009", True),
        (Side.SELL, "1.09999", False),
        (Side.SELL, "1.10000", True),
        (Side.SELL, "1.10001", True),
    ],
)
def test_a_stop_is_reached_at_its_price_or_beyond(side: Side, stop: str, is_reached: bool) -> None:
    assert stop_is_reached(side, Decimal(stop), TOP) is is_reached


@pytest.mark.parametrize(
    ("quantity", "level", "stop_loss", "take_profit"),
    [
        (1, "1.09999", False, True),
        (1, "1.10000", True, True),
        (1, "1.10001", True, False),
        (-1, "1.10009", True, False),
        (-1, "1.10010", True, True),
        (-1, "1.10011", False, True),
    ],
)
def test_protections_look_at_the_side_on_which_the_position_would_be_closed(
    quantity: int, level: str, stop_loss: bool, take_profit: bool
) -> None:
    assert stop_loss_is_reached(Decimal(quantity), Decimal(level), TOP) is stop_loss
    assert take_profit_is_reached(Decimal(quantity), Decimal(level), TOP) is take_profit


@pytest.mark.parametrize(
    ("position", "fill", "closes", "opens"),
    [
        (0, 100, 0, 100),
        (0, -100, 0, -100),
        (100, 50, 0, 50),
        (-100, -50, 0, -50),
        (100, -40, -40, 0),
        (100, -100, -100, 0),
        (100, -150, -100, -50),
        (-100, 150, 100, 50),
    ],
)
def test_a_fill_closes_first_and_opens_with_what_is_left(
    position: int, fill: int, closes: int, opens: int
) -> None:
    assert split_fill(Decimal(position), Decimal(fill)) == Split(Decimal(closes), Decimal(opens))


def test_an_increase_averages_the_opening_price_by_quantity() -> None:
    price = average_price_after(
        Decimal(100_000), Decimal("1.10000"), Decimal(50_000), Decimal("1.10300")
    )
    assert price == Decimal("1.10100000")


def test_an_average_is_rounded_half_to_even_at_the_eighth_decimal() -> None:
    def average(price: str) -> Decimal:
        return average_price_after(Decimal(1), Decimal("1.1"), Decimal(1), Decimal(price))

    assert average("1.10000001") == Decimal("1.10000000")
    assert average("1.10000003") == Decimal("1.10000002")


def test_the_mean_of_fills_is_rounded_as_the_server_rounds() -> None:
    assert mean_price(Decimal("3.30000001"), Decimal(2)) == Decimal("1.65000001")
    assert mean_price(Decimal(10), Decimal(3)) == Decimal("3.33333333")


def test_an_order_at_every_bound_is_well_formed() -> None:
    require_well_formed(order("a", Side.BUY, 1000, client_order_id="x"), EURUSD)
    key = "Az09._:-" * 8
    require_well_formed(order("a", Side.BUY, 999_000, client_order_id=key), EURUSD)
    require_well_formed(order("a", Side.SELL, 2000, limit_price="0.00001"), EURUSD)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"client_order_id": "é"}, ErrorCode.ORDER_KEY_MALFORMED),
        ({"client_order_id": "a\nb"}, ErrorCode.ORDER_KEY_MALFORMED),
        ({"quantity": "-0"}, ErrorCode.ORDER_QUANTITY_MALFORMED),
        ({"quantity": "-Infinity"}, ErrorCode.ORDER_QUANTITY_MALFORMED),
        ({"quantity": "1000.5"}, ErrorCode.ORDER_QUANTITY_OFF_STEP),
        ({"stop_price": "NaN"}, ErrorCode.ORDER_PRICE_MALFORMED),
        ({"take_profit": "1000000000000"}, ErrorCode.ORDER_PRICE_MALFORMED),
        ({"stop_loss": "1.100001"}, ErrorCode.ORDER_PRICE_OFF_TICK),
        ({"limit_price": "1.1", "stop_price": "1.2"}, ErrorCode.ORDER_FIELDS_CONTRADICT),
    ],
)
def test_an_order_that_means_nothing_names_the_value_and_the_way_out(
    fields: dict[str, str], code: ErrorCode
) -> None:
    command = order("a", Side.BUY, **({"quantity": "1000"} | fields))
    with pytest.raises(InputError) as raised:
        require_well_formed(command, EURUSD)
    error = raised.value
    assert error.code is code
    assert error.hint.startswith("Give ")
    assert error.why.endswith(".")
    assert not error.what.endswith(".")
