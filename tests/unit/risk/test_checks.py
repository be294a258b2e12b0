"""Each check before a trade: bad, on the boundary, and reducing; and the order of asking."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.floor import pair
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.market import ONE_TO_ONE
from tradewright.liquidity.model import Side
from tradewright.risk.checks import (
    CHECKS,
    account_active,
    first_denial,
    instrument_tradable,
    margin,
    price_fresh,
    protection_side,
    quantity_max,
    rate_known,
    session_open,
)
from tradewright.risk.model import Denial, OrderFacts

SOUND = OrderFacts(
    account_is_active=True,
    instrument=pair("EURUSD", quantity_max=Decimal(5000)),
    is_in_session=True,
    side=Side.BUY,
    quantity=Decimal(5000),
    reduces=False,
    is_resting=False,
    reference_price=Decimal("1.10000"),
    stop_loss=None,
    take_profit=None,
    rates=(ONE_TO_ONE, ONE_TO_ONE),
    free_margin_after=lambda: Decimal(0),
)
HALTED = pair("EURUSD", is_tradable=False)


def code(denial: Denial | None) -> ErrorCode | None:
    if denial is None:
        return None
    assert denial.why.endswith(".")
    return denial.code


def never() -> Decimal:
    raise AssertionError("was asked for the margin")


def test_a_sound_order_passes_with_nothing_to_spare() -> None:
    assert first_denial(SOUND) is None


def test_an_inactive_account_may_only_reduce() -> None:
    inactive = replace(SOUND, account_is_active=False)
    assert code(account_active.check(inactive)) is ErrorCode.ACCOUNT_NOT_ACTIVE
    assert account_active.check(replace(inactive, reduces=True)) is None


def test_a_halted_instrument_may_only_be_reduced() -> None:
    halted = replace(SOUND, instrument=HALTED)
    assert code(instrument_tradable.check(halted)) is ErrorCode.INSTRUMENT_NOT_TRADABLE
    assert instrument_tradable.check(replace(halted, reduces=True)) is None


def test_nothing_is_dealt_outside_the_session_not_even_to_reduce() -> None:
    closed = replace(SOUND, is_in_session=False)
    assert code(session_open.check(closed)) is ErrorCode.INSTRUMENT_SESSION_CLOSED
    assert code(session_open.check(replace(closed, reduces=True))) is not None
    assert session_open.check(replace(closed, is_resting=True)) is None


def test_the_largest_quantity_passes_and_one_step_more_only_reduces() -> None:
    assert quantity_max.check(SOUND) is None
    more = replace(SOUND, quantity=Decimal(6000))
    denial = quantity_max.check(more)
    assert denial == Denial(
        ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
        "6000 are asked for, 5000 are the most for one order.",
    )
    assert quantity_max.check(replace(more, reduces=True)) is None


def test_an_order_that_would_deal_now_needs_a_price_even_to_reduce() -> None:
    blind = replace(SOUND, reference_price=None)
    assert code(price_fresh.check(blind)) is ErrorCode.ORDER_PRICE_STALE
    assert code(price_fresh.check(replace(blind, reduces=True))) is ErrorCode.ORDER_PRICE_STALE
    assert price_fresh.check(replace(blind, is_resting=True)) is None


def test_an_order_that_would_deal_now_needs_its_rates_even_to_reduce() -> None:
    poor = replace(SOUND, rates=None)
    assert code(rate_known.check(poor)) is ErrorCode.ORDER_RATE_MISSING
    assert code(rate_known.check(replace(poor, reduces=True))) is ErrorCode.ORDER_RATE_MISSING
    assert rate_known.check(replace(poor, is_resting=True)) is None


@pytest.mark.parametrize(
    ("side", "stop_loss", "take_profit", "is_denied"),
    [
        (Side.BUY, "1.09999", "1.10001", False),
        (Side.BUY, "1.10000", None, True),
        (Side.BUY, None, "1.10000", True),
        (Side.BUY, "1.10001", None, True),
        (Side.BUY, None, "1.09999", True),
        (Side.SELL, "1.10001", "1.09999", False),
        (Side.SELL, "1.10000", None, True),
        (Side.SELL, None, "1.10000", True),
        (Side.SELL, "1.09999", None, True),
        (Side.SELL, None, "1.10001", True),
    ],
)
def test_protections_stand_on_their_own_sides_of_the_price(
    side: Side, stop_loss: str | None, take_profit: str | None, is_denied: bool
) -> None:
    facts = replace(
        SOUND,
        side=side,
        stop_loss=None if stop_loss is None else Decimal(stop_loss),
        take_profit=None if take_profit is None else Decimal(take_profit),
    )
    expected = ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE if is_denied else None
    assert code(protection_side.check(facts)) is expected
    assert protection_side.check(replace(facts, reference_price=None)) is None


def test_free_margin_of_zero_passes_and_a_cent_less_does_not() -> None:
    assert margin.check(SOUND) is None
    short = replace(SOUND, free_margin_after=lambda: Decimal("-0.01"))
    assert margin.check(short) == Denial(
        ErrorCode.ORDER_MARGIN_INSUFFICIENT, "The free margin after the trade would be -0.01."
    )


def test_margin_is_not_asked_of_what_reduces_or_rests() -> None:
    unasked = replace(SOUND, free_margin_after=never)
    assert margin.check(replace(unasked, reduces=True)) is None
    assert margin.check(replace(unasked, is_resting=True)) is None


def test_the_first_denial_wins_in_the_order_of_the_checks() -> None:
    worst = replace(
        SOUND,
        account_is_active=False,
        instrument=HALTED,
        is_in_session=False,
        quantity=Decimal("1e9"),
        reference_price=None,
        stop_loss=Decimal(2),
        rates=None,
        free_margin_after=lambda: Decimal(-1),
    )
    healings: list[tuple[ErrorCode, dict[str, Any]]] = [
        (ErrorCode.ACCOUNT_NOT_ACTIVE, {"account_is_active": True}),
        (ErrorCode.INSTRUMENT_NOT_TRADABLE, {"instrument": SOUND.instrument}),
        (ErrorCode.INSTRUMENT_SESSION_CLOSED, {"is_in_session": True}),
        (ErrorCode.ORDER_PRICE_STALE, {"reference_price": Decimal(1)}),
        (ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE, {"stop_loss": None}),
        (ErrorCode.ORDER_RATE_MISSING, {"rates": SOUND.rates}),
        (ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE, {"quantity": Decimal(1000)}),
        (ErrorCode.ORDER_MARGIN_INSUFFICIENT, {"free_margin_after": SOUND.free_margin_after}),
    ]
    facts = worst
    for expected, healing in healings:
        assert code(first_denial(facts)) is expected
        facts = replace(facts, **healing)
    assert first_denial(facts) is None
    assert len(CHECKS) == len(healings)
