"""What an order must be before it is looked at: quantities on the step, prices on the tick."""

from decimal import Decimal
from typing import Any

import pytest

from tests.floor import order, pair
from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.model import Side
from tradewright.trading.model import OrderType, TimeInForce
from tradewright.trading.order_form import require_well_formed

EURUSD = pair("EURUSD", quantity_step=Decimal(1000), quantity_min=Decimal(3000))
"""Steps of 1,000, at least 3,000, ticks of 0.00001; how much at most, the checks ask."""

RESTING = {"time_in_force": TimeInForce.GTC}
PRICES = {
    "limit_price": {"order_type": OrderType.LIMIT, **RESTING},
    "stop_price": {"order_type": OrderType.STOP, **RESTING},
    "stop_loss": {},
    "take_profit": {},
}
"""Each price of an order, and the rest of an order that has it."""


def refused(**fields: Any) -> ErrorCode | None:
    asked = {"quantity": 3_000} | fields
    try:
        require_well_formed(order("account", Side.BUY, **asked), EURUSD)
    except InputError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("3000", None),
        ("4000", None),
        ("19999000", None),
        ("3001", ErrorCode.ORDER_QUANTITY_OFF_STEP),
        ("4000.5", ErrorCode.ORDER_QUANTITY_OFF_STEP),
        ("4000.00000001", ErrorCode.ORDER_QUANTITY_OFF_STEP),
        ("2999", ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE),
        ("2000", ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE),
        ("0", ErrorCode.ORDER_QUANTITY_MALFORMED),
        ("-3000", ErrorCode.ORDER_QUANTITY_MALFORMED),
    ],
)
def test_a_quantity_is_on_the_step_and_not_below_the_smallest(
    quantity: str, code: ErrorCode | None
) -> None:
    assert refused(quantity=quantity) is code


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("1.09000", None),
        ("1.09001", None),
        ("1.0900100", None),
        ("1.090005", ErrorCode.ORDER_PRICE_OFF_TICK),
        ("1.09000999", ErrorCode.ORDER_PRICE_OFF_TICK),
        ("0", ErrorCode.ORDER_PRICE_MALFORMED),
        ("-1.09", ErrorCode.ORDER_PRICE_MALFORMED),
    ],
)
def test_every_price_of_an_order_is_a_positive_multiple_of_the_tick(
    name: str, price: str, code: ErrorCode | None
) -> None:
    assert refused(**PRICES[name], **{name: price}) is code


@pytest.mark.parametrize("step", ["0.01", "0.25", "1", "1000"])
def test_a_step_below_one_is_kept_as_exactly(step: str) -> None:
    instrument = pair("XAUUSD", quantity_step=Decimal(step), quantity_min=Decimal(step))
    on_step = order("account", Side.BUY, Decimal(step) * 7, symbol="XAUUSD")
    require_well_formed(on_step, instrument)
    beside = order("account", Side.BUY, Decimal(step) * 7 + Decimal("0.001"), symbol="XAUUSD")
    with pytest.raises(InputError) as caught:
        require_well_formed(beside, instrument)
    assert caught.value.code is ErrorCode.ORDER_QUANTITY_OFF_STEP
