"""Laws of hedging that hold for every exposure, limit and target."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradewright.liquidity.model import Side
from tradewright.routing.hedging import wanted_hedge
from tradewright.routing.model import Policy

STEP = Decimal(1_000)

exposures = st.integers(-10_000, 10_000).map(lambda units: Decimal(units * 500))
bounds = (
    st.tuples(st.integers(0, 3_000), st.integers(1, 3_000))
    .filter(lambda ends: ends[0] < ends[1])
    .map(lambda ends: (Decimal(ends[0] * 500), Decimal(ends[1] * 500)))
)


def policy(target: Decimal | None, limit: Decimal | None) -> Policy:
    return Policy(symbol="EURUSD", exposure_limit=limit, hedge_target=target)


@given(exposures, bounds, st.booleans())
def test_a_hedge_brings_the_exposure_to_the_target_and_never_past_it(
    exposure: Decimal, ends: tuple[Decimal, Decimal], has_begun: bool
) -> None:
    target, limit = ends
    wanted = wanted_hedge(policy(target, limit), exposure, STEP, has_begun=has_begun)
    if wanted is None:
        assert abs(exposure) <= limit or abs(exposure) < target + STEP
        return
    after = exposure + wanted.quantity * wanted.side.sign
    assert after * exposure >= 0
    assert target <= abs(after) < target + STEP
    assert wanted.quantity % STEP == 0
    assert (wanted.side is Side.SELL) == (exposure > 0)


@given(exposures, bounds)
def test_it_begins_above_the_limit_only_and_goes_on_to_the_target(
    exposure: Decimal, ends: tuple[Decimal, Decimal]
) -> None:
    target, limit = ends
    begins = wanted_hedge(policy(target, limit), exposure, STEP, has_begun=False)
    goes_on = wanted_hedge(policy(target, limit), exposure, STEP, has_begun=True)
    if abs(exposure) <= limit:
        assert begins is None
    else:
        assert begins == goes_on
    assert (goes_on is None) == (abs(exposure) < target + STEP)


@given(exposures, bounds)
def test_after_a_full_hedge_nothing_is_wanted(
    exposure: Decimal, ends: tuple[Decimal, Decimal]
) -> None:
    wanted = wanted_hedge(policy(*ends), exposure, STEP, has_begun=False)
    if wanted is not None:
        after = exposure + wanted.quantity * wanted.side.sign
        for has_begun in (False, True):
            assert wanted_hedge(policy(*ends), after, STEP, has_begun=has_begun) is None


@given(exposures)
def test_without_a_limit_or_a_target_nothing_is_hedged(exposure: Decimal) -> None:
    for one in (None, policy(None, None), policy(None, Decimal(1_000))):
        assert wanted_hedge(one, exposure, STEP, has_begun=True) is None
