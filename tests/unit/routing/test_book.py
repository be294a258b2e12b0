"""What the house passes on of an order that turns its exposure."""

from decimal import Decimal

import pytest

from tests.floor import pair
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.routing.book import decide_book
from tradewright.routing.model import OrderFacts, Policy, Reason, Settings

LIMIT = 1_000_000


@pytest.mark.parametrize(
    ("exposure", "bought", "passed_on", "reason"),
    [
        (3_000_000, 1_000_000, 0, Reason.REDUCES_EXPOSURE),
        (3_000_000, 4_000_000, 0, Reason.REDUCES_EXPOSURE),
        (3_000_000, 5_900_000, 1_900_000, Reason.EXPOSURE_LIMIT),
        (3_000_000, 7_000_000, 3_000_000, Reason.EXPOSURE_LIMIT),
        (0, 1_500_000, 500_000, Reason.EXPOSURE_LIMIT),
    ],
)
def test_what_is_beyond_the_limit_on_the_other_side_is_passed_on(
    exposure: int, bought: int, passed_on: int, reason: Reason
) -> None:
    facts = OrderFacts(
        instrument=pair("EURUSD"),
        side=Side.BUY,
        quantity=Decimal(bought),
        is_divisible=True,
        user_id="anna",
        client_class=ClientClass.RETAIL,
        exposure=Decimal(exposure),
    )
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(LIMIT))
    decision = decide_book(facts, Settings({"EURUSD": policy}, (), ()))
    assert (int(decision.a_quantity), decision.reason) == (passed_on, reason)
