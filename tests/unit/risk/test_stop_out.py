"""The smart stop-out closes no more than it must."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradewright.risk.margin import MarginState
from tradewright.risk.stop_out import quantity_to_close

STEP = Decimal(1000)


def test_the_published_example_closes_two_thousand() -> None:
    """RoboForex, question 65: equity 248.37, used 500, 50 percent, 250,000 USDJPY at 1:500."""
    state = MarginState(Decimal("248.37"), Decimal(500))
    part = quantity_to_close(
        state,
        Decimal(50),
        held=Decimal(200_000),
        step=STEP,
        freed=lambda quantity: quantity / STEP * 2,
    )
    assert part == 2000
    after = MarginState(state.equity, state.used - part / STEP * 2)
    assert after.level is not None
    assert (after.used, after.level.quantize(Decimal("0.01"))) == (Decimal(496), Decimal("50.07"))


@given(
    equity=st.integers(-1000, 50_000),
    used=st.integers(100, 100_000),
    target=st.integers(10, 100),
    margin=st.integers(1, 50),
)
def test_it_restores_the_level_and_one_step_less_would_not(
    equity: int, used: int, target: int, margin: int
) -> None:
    state = MarginState(Decimal(equity), Decimal(used))
    assert state.level is not None
    if state.level >= target:
        return
    held = Decimal(used // margin) * STEP
    if not held:
        return
    part = quantity_to_close(
        state,
        Decimal(target),
        held=held,
        step=STEP,
        freed=lambda quantity: quantity / STEP * margin,
    )
    assert 0 < part <= held
    assert part % STEP == 0
    left = state.used - part / STEP * margin
    if part < held:
        assert equity * 100 >= target * left
        assert equity * 100 < target * (left + margin)
