"""Laws of toxicity: what it follows from, and that nothing worse makes a client look better."""

from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.floor import DAY, pair
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.routing.arrivals import Arrived
from tradewright.routing.book import decide_book
from tradewright.routing.markouts import Measured
from tradewright.routing.model import OrderFacts, Policy, Ramp, Settings
from tradewright.routing.profiles import (
    TRADES_MIN,
    ClientProfile,
    Closed,
    Measures,
    with_measures,
)

bps = st.decimals(-1_000, 1_000, places=4)
shares = st.decimals(0, 1, places=8)
weights = st.decimals(0, 100, places=4)
counts = st.integers(0, 3 * TRADES_MIN)
profiles = st.builds(
    ClientProfile,
    trade_count=counts,
    markouts=st.tuples(bps, bps, bps),
    closing_count=counts,
    short_hold_share=shares,
    win_share=shares,
    arrival_count=counts,
    reject_prone_share=shares,
)
policies = st.builds(
    Policy,
    symbol=st.just("EURUSD"),
    toxicity=st.tuples(st.decimals(0, 50, places=4), st.decimals(51, 100, places=4)).map(
        lambda ends: Ramp(*ends)
    ),
    short_hold_bps=weights,
    win_bps=weights,
    reject_prone_bps=weights,
)


def share_passed_on(profile: ClientProfile, policy: Policy) -> int:
    """Return the percent of an order of such a client that goes to the providers."""
    facts = OrderFacts(
        instrument=pair("EURUSD"),
        side=Side.BUY,
        quantity=Decimal(100_000),
        is_divisible=True,
        user_id="anna",
        client_class=ClientClass.RETAIL,
        exposure=Decimal(0),
        toxicity=profile.toxicity(policy),
    )
    return decide_book(facts, Settings({"EURUSD": policy}, (), ())).a_percent


def worse(profile: ClientProfile, chance: Random) -> ClientProfile:
    """Return a profile of which one part is worse, or more is measured."""
    part = chance.choice(ClientProfile.__struct_fields__)
    value = getattr(profile, part)
    if part == "markouts":
        place = chance.randrange(3)
        raised = [*value]
        raised[place] += Decimal(chance.randrange(1_000_000)) / 10_000
        return replace(profile, markouts=tuple(raised))
    if part.endswith("count"):
        return replace(profile, **{part: value + chance.randrange(100)})
    return replace(profile, **{part: value + (1 - value) * chance.randrange(101) / 100})


@given(profiles, policies, st.randoms(use_true_random=False))
def test_no_part_that_rises_lowers_the_toxicity_or_what_is_passed_on(
    profile: ClientProfile, policy: Policy, chance: Random
) -> None:
    raised = worse(profile, chance)
    before, after = profile.toxicity(policy), raised.toxicity(policy)
    if before is not None:
        assert after is not None
        assert before <= after
    assert share_passed_on(profile, policy) <= share_passed_on(raised, policy)


@given(profiles, policies, st.sampled_from(["short_hold_bps", "win_bps", "reject_prone_bps"]))
def test_a_weight_that_rises_never_lowers_the_toxicity(
    profile: ClientProfile, policy: Policy, weight: str
) -> None:
    heavier = replace(policy, **{weight: getattr(policy, weight) + 1})
    before, after = profile.toxicity(policy), profile.toxicity(heavier)
    assert (before is None) == (after is None)
    assert before is None or after is None or before <= after


@given(profiles, policies)
def test_with_fewer_than_fifty_trades_there_is_no_figure_and_nothing_is_asked_for(
    profile: ClientProfile, policy: Policy
) -> None:
    few = replace(profile, trade_count=min(profile.trade_count, TRADES_MIN - 1))
    assert few.toxicity(policy) is None
    assert share_passed_on(few, policy) == 0


@given(profiles, policies)
def test_it_is_never_below_the_largest_markout_nor_above_it_by_more_than_the_weights(
    profile: ClientProfile, policy: Policy
) -> None:
    toxicity = profile.toxicity(policy)
    most = policy.short_hold_bps + policy.win_bps + policy.reject_prone_bps
    if toxicity is not None:
        assert max(profile.markouts) <= toxicity <= max(profile.markouts) + most


users = st.sampled_from(["anna", "ben"])
middles = st.just((Decimal(1), Decimal(1), Decimal(1)))
one_fill = st.builds(
    Measured, users, st.just("fill"), st.just(DAY), middles, st.tuples(bps, bps, bps)
)
one_closing = st.builds(
    Closed,
    users,
    st.just("trade"),
    st.sampled_from(["new", "old"]),
    st.integers(0, 200).map(lambda seconds: DAY + timedelta(seconds=seconds)),
    st.booleans(),
)
one_arrival = st.builds(
    Arrived, users, st.just("order"), st.just(DAY), st.sampled_from([None, DAY])
)
things = st.lists(st.one_of(one_fill, one_closing, one_arrival), max_size=60)
OPENED = {"new": DAY + timedelta(seconds=100), "old": DAY}

Thing = Measured | Closed | Arrived


def booked(groups: list[list[Thing]]) -> dict[str, ClientProfile]:
    """Book what was measured, a group at a time."""
    found: dict[str, ClientProfile] = {}
    for group in groups:
        measures = Measures(
            fills=tuple(one for one in group if isinstance(one, Measured)),
            closings=tuple(one for one in group if isinstance(one, Closed)),
            arrivals=tuple(one for one in group if isinstance(one, Arrived)),
        )
        found |= with_measures(found, measures, OPENED)
    return found


@given(things, st.integers(1, 10))
def test_it_is_of_no_account_in_how_many_groups_the_same_is_booked(
    measured: list[Thing], size: int
) -> None:
    groups = [measured[place : place + size] for place in range(0, len(measured), size)]
    assert booked(groups) == booked([measured])


@given(things, st.randoms(use_true_random=False))
def test_the_order_of_equal_inputs_and_of_other_clients_is_of_no_account(
    measured: list[Thing], chance: Random
) -> None:
    """What is of another client, or of another kind, may come before or after."""
    kinds = [(kind, user) for kind in (Measured, Closed, Arrived) for user in ("anna", "ben")]
    chance.shuffle(kinds)
    turned = [
        one
        for kind, user in kinds
        for one in measured
        if isinstance(one, kind) and one.user_id == user
    ]
    assert booked([turned]) == booked([measured])
    assert booked([measured[:1] * 9]) == booked([[one] for one in measured[:1] * 9])


@given(things)
def test_shares_stay_shares_and_markouts_within_what_was_measured(measured: list[Thing]) -> None:
    for user, profile in booked([measured]).items():
        shares_found = profile.short_hold_share, profile.win_share, profile.reject_prone_share
        assert all(0 <= share <= 1 for share in shares_found)
        own = [one for one in measured if isinstance(one, Measured) and one.user_id == user]
        for place, mean in enumerate(profile.markouts):
            values = [one.markouts[place] for one in own] or [Decimal(0)]
            assert min(values) - Decimal("0.01") <= mean <= max(values) + Decimal("0.01")
