"""Laws of the book decision that hold for every order, every policy and every exposure."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.floor import DAY, pair
from tradewright.liquidity.model import Level, Side
from tradewright.risk.model import ClientClass
from tradewright.routing.book import decide_book, excess
from tradewright.routing.model import (
    Decision,
    OrderFacts,
    Override,
    OverrideKind,
    Policy,
    Ramp,
    Reason,
    Rule,
    Settings,
)
from tradewright.routing.rules import Allocation, allocate, beyond

EURUSD = pair("EURUSD")

quantities = st.integers(1, 3_000).map(lambda steps: Decimal(steps * 1_000))
exposures = st.integers(-5_000, 5_000).map(lambda steps: Decimal(steps * 1_000))
measures = st.decimals(0, 20, places=2)
sides = st.sampled_from(Side)
percents = st.integers(0, 100)


def ramps(values: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Ramp]:
    return (
        st.tuples(values, values)
        .filter(lambda ends: ends[0] != ends[1])
        .map(lambda ends: Ramp(min(ends), max(ends)))
    )


policies = st.builds(
    Policy,
    symbol=st.just("EURUSD"),
    default_percent=percents,
    toxicity=st.none() | ramps(measures),
    size=st.none() | ramps(quantities),
    exposure=st.none() | ramps(quantities),
    volatility=st.none() | ramps(measures),
    exposure_limit=st.none() | quantities,
)
rules = st.builds(
    Rule,
    id=st.uuids().map(str),
    priority=st.integers(0, 3),
    a_percent=percents,
    symbol=st.sampled_from([None, "EURUSD", "USDJPY"]),
    client_class=st.none() | st.sampled_from(ClientClass),
    quantity_min=st.none() | quantities,
)
overrides = st.builds(
    Override,
    id=st.uuids().map(str),
    kind=st.just(OverrideKind.MANUAL),
    a_percent=percents,
    symbol=st.sampled_from([None, "EURUSD", "USDJPY"]),
    user_id=st.sampled_from([None, "anna", "ben"]),
)
facts = st.builds(
    OrderFacts,
    instrument=st.just(EURUSD),
    side=sides,
    quantity=quantities,
    is_divisible=st.booleans(),
    user_id=st.sampled_from(["anna", "ben"]),
    client_class=st.sampled_from(ClientClass),
    exposure=exposures,
    toxicity=st.none() | measures,
    volatility=st.none() | measures,
)


@dataclass(frozen=True)
class Case:
    """An order and everything that may decide about it."""

    facts: OrderFacts
    settings: Settings

    @property
    def policy(self) -> Policy:
        """The one policy."""
        return self.settings.policies["EURUSD"]

    def decided(self, **changes: object) -> Decision:
        """Decide about the order, with some of its facts changed."""
        return decide_book(replace(self.facts, **changes), self.settings)


cases = st.builds(
    lambda facts, policy, rules, overrides: Case(
        facts, Settings({"EURUSD": policy}, rules, overrides)
    ),
    facts,
    policies,
    st.lists(rules, max_size=2),
    st.lists(overrides, max_size=1),
)
measured_cases = st.builds(
    lambda facts, policy: Case(facts, Settings({"EURUSD": policy}, (), ())), facts, policies
)


@given(cases)
def test_both_parts_are_on_the_step_and_add_up_and_what_does_not_divide_goes_to_the_providers(
    case: Case,
) -> None:
    decision = case.decided()
    assert decision.a_quantity + decision.b_quantity == case.facts.quantity
    assert decision.a_quantity >= 0
    assert decision.b_quantity >= 0
    assert decision.b_quantity % EURUSD.quantity_step == 0
    assert 100 * decision.b_quantity <= case.facts.quantity * (100 - decision.a_percent)
    if not case.facts.is_divisible:
        assert not decision.a_quantity or not decision.b_quantity


@given(cases, measures, measures)
def test_a_more_toxic_client_is_never_passed_on_less(
    case: Case, one: Decimal, other: Decimal
) -> None:
    lower, higher = case.decided(toxicity=min(one, other)), case.decided(toxicity=max(one, other))
    unmeasured = case.decided(toxicity=None)
    assert unmeasured.a_percent <= lower.a_percent <= higher.a_percent
    assert unmeasured.a_quantity <= lower.a_quantity <= higher.a_quantity


@given(cases, exposures, exposures)
def test_a_larger_projected_exposure_is_never_passed_on_less(
    case: Case, one: Decimal, other: Decimal
) -> None:
    """Among orders that take from the exposure, that turn it to a smaller one, and all others."""
    nearer, further = sorted(
        (replace(case.facts, exposure=exposure) for exposure in (one, other)),
        key=lambda facts: abs(facts.projected),
    )
    if (nearer.reduces, nearer.reduces and nearer.turns) == (
        further.reduces,
        further.reduces and further.turns,
    ):
        smaller = decide_book(nearer, case.settings)
        larger = decide_book(further, case.settings)
        assert smaller.a_percent <= larger.a_percent
        assert smaller.a_quantity <= larger.a_quantity


@given(measured_cases)
def test_what_would_lift_the_exposure_above_its_limit_is_passed_on_whole(case: Case) -> None:
    decision, limit = case.decided(), case.policy.exposure_limit
    before = case.facts.exposure
    if limit is None:
        return
    after = before - decision.b_quantity * case.facts.side.sign
    assert abs(after) <= max(limit, abs(before))
    if case.facts.turns:
        assert abs(after) <= limit or after * before > 0
    if decision.reason is Reason.EXPOSURE_LIMIT:
        assert decision.a_quantity >= excess(case.facts, case.policy)


@given(cases)
def test_the_house_keeps_what_brings_it_nearer_to_flat_unless_it_was_told_otherwise(
    case: Case,
) -> None:
    decision = case.decided()
    if case.facts.reduces and decision.reason is Reason.REDUCES_EXPOSURE:
        assert decision.a_quantity == 0
    if decision.reason is Reason.REDUCES_EXPOSURE:
        assert case.facts.reduces


@given(cases, st.booleans())
def test_a_halt_wins_over_everything_and_passes_everything_on(case: Case, is_general: bool) -> None:
    halt = Override(
        id="halt",
        kind=OverrideKind.HALT,
        a_percent=100,
        symbol=None if is_general else "EURUSD",
    )
    settings = Settings(
        case.settings.policies, case.settings.rules, [*case.settings.overrides, halt]
    )
    decision = decide_book(case.facts, settings)
    assert decision.reason is Reason.HALT
    assert decision.b_quantity == 0


@given(cases, st.lists(overrides, min_size=2, max_size=4))
def test_the_order_in_which_overrides_are_read_is_of_no_account(
    case: Case, several: list[Override]
) -> None:
    settings = Settings(case.settings.policies, (), several)
    turned = Settings(settings.policies, settings.rules, list(reversed(settings.overrides)))
    assert decide_book(case.facts, settings) == decide_book(case.facts, turned)


offers = st.lists(
    st.tuples(st.decimals("1.0", "1.2", places=5), quantities), min_size=1, max_size=5
)


@given(offers, sides, quantities, st.integers(0, 3_000))
def test_an_order_costs_the_client_the_same_however_it_is_divided(
    offered: list[tuple[Decimal, Decimal]], side: Side, quantity: Decimal, steps: int
) -> None:
    """The providers deal the first part and the house the rest: together, the whole."""
    levels = sorted(
        (Level(f"LP-{n}", price, size, DAY) for n, (price, size) in enumerate(offered)),
        key=lambda level: level.price * side.sign,
    )
    passed_on = min(quantity, Decimal(steps * 1_000))
    whole = allocate(levels, side, quantity, None)
    providers = allocate(levels, side, passed_on, None)
    house = beyond(whole, passed_on)

    def cost(parts: list[Allocation]) -> Decimal:
        return sum((part.quantity * part.level.price for part in parts), Decimal(0))

    assert cost([*providers, *house]) == cost(whole)
    assert sum(p.quantity for p in [*providers, *house]) == sum(p.quantity for p in whole)
