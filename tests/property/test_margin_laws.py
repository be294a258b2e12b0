"""Laws of margin under an instrument's own rates and tiers, for every book of positions."""

from dataclasses import replace
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.floor import PAIRS, market_of
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.risk.margin import Exposure, bound, margin_rate, margin_state, steepest_rate
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.risk.regimes import Regime, nfa_minimum

PRICES = {"EURGBP": ("0.87", "0.88"), "EURUSD": ("1.1", "1.2"), "GBPUSD": ("1.3", "1.4")}
DUST = Decimal("1e-15")
"""What the last digits may differ by where the same terms are added in another order."""

shares = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)
quantities = st.integers(0, 1_000).map(lambda steps: Decimal(steps * 1_000))
signed = st.tuples(st.integers(1, 1_000), st.sampled_from([1, -1])).map(
    lambda pair: Decimal(pair[0] * 1_000 * pair[1])
)
tiers = st.lists(st.tuples(st.integers(1, 900), shares), max_size=4, unique_by=lambda one: one[0])
terms = st.none() | st.builds(
    MarginTerms,
    rate=shares,
    rate_min_retail=shares,
    tiers=tiers.map(
        lambda drawn: tuple(MarginTier(Decimal(k * 1_000), rate) for k, rate in sorted(drawn))
    ),
)
instruments = st.tuples(terms, terms, terms).map(
    lambda drawn: tuple(
        replace(pair, margin=one) for pair, one in zip(PAIRS[:3], drawn, strict=True)
    )
)
books = instruments.flatmap(
    lambda drawn: st.lists(
        st.builds(
            Exposure,
            instrument=st.sampled_from(drawn),
            quantity=signed,
            average_price=st.decimals("0.8", "1.6", places=3),
            opening_rate=st.none() | st.decimals("0.5", "2", places=3),
        ),
        max_size=6,
    )
)
profiles = st.builds(
    RiskProfile,
    st.sampled_from(ClientClass),
    st.just("USD"),
    st.integers(1, 500),
    st.just(Decimal(100)),
    st.just(Decimal(50)),
    st.sampled_from(HedgedMargin),
)


def used(profile: RiskProfile, held: list[Exposure]) -> Decimal:
    with localcontext(prec=60):
        state = margin_state(profile, Decimal(0), held, market_of(PRICES))
    assert state is not None
    return state.used


def under(profile: RiskProfile, **changes: object) -> RiskProfile:
    fields = {name: getattr(profile, name) for name in profile.__struct_fields__}
    return RiskProfile(**fields | changes)


@given(profiles, instruments)
def test_under_the_us_regime_no_notional_binds_less_than_the_nfa_wants(
    profile: RiskProfile, drawn: tuple[Instrument, ...]
) -> None:
    """NFA Financial Requirements, Section 12: the dollar and ten currencies 2 percent, others 5."""
    majors = {"USD", "GBP", "CHF", "CAD", "JPY", "EUR", "AUD", "NZD", "SEK", "NOK", "DKK"}
    for instrument in drawn:
        rate = margin_rate(under(profile, regime=Regime.US), instrument)
        is_major = instrument.base_currency in majors and instrument.quote_currency in majors
        assert rate >= Decimal("0.02" if is_major else "0.05")
        terms = instrument.margin
        own = Decimal(0) if terms is None else terms.rate
        assert rate >= own


@given(profiles, books, st.decimals("0.1", "3", places=2))
def test_under_the_us_regime_the_minimum_of_what_is_held_is_maintained_at_any_opening_price(
    profile: RiskProfile, held: list[Exposure], moved: Decimal
) -> None:
    """Section 12 (a): it is collected and maintained, not only at the opening."""
    american = under(profile, regime=Regime.US, hedged_margin=HedgedMargin.SUM)
    market = market_of(PRICES)
    with localcontext(prec=60):
        least = Decimal(0)
        opened = []
        for one in held:
            rate = market.rate(one.instrument.base_currency, profile.currency)
            assert rate is not None
            own = one.instrument.margin.rate if one.instrument.margin else Decimal(0)
            minimum = max(nfa_minimum(one.instrument), own)
            least += abs(one.quantity) * rate.mid * minimum
            opened.append(structs.replace(one, opening_rate=rate.mid * moved))
        assert used(american, opened) >= least - DUST


@given(profiles, books, st.integers(0, 10_000_000))
def test_credit_is_in_equity_and_neither_binds_nor_belongs_to_the_client(
    profile: RiskProfile, held: list[Exposure], cents: int
) -> None:
    credit, balance = Decimal(cents) / 100, Decimal(7)
    with localcontext(prec=60):
        without = margin_state(profile, balance, held, market_of(PRICES))
        lent = margin_state(under(profile, credit=credit), balance, held, market_of(PRICES))
        assert without is not None
        assert lent is not None
        assert lent.used == without.used
        assert abs(lent.equity - without.equity - credit) <= DUST
        assert abs(lent.own - without.equity) <= DUST


@given(profiles, instruments, quantities, quantities)
def test_brackets_are_continuous_and_a_larger_notional_never_pays_a_lower_rate(
    profile: RiskProfile, drawn: tuple[Instrument, ...], one: Decimal, more: Decimal
) -> None:
    instrument = drawn[0]
    with localcontext(prec=60):
        rise = bound(profile, instrument, one + more) - bound(profile, instrument, one)
        assert rise >= more * margin_rate(profile, instrument) - DUST
        assert rise <= more * steepest_rate(profile, instrument, one + more) + DUST
        before = bound(profile, instrument, one)
        assert rise * one >= before * more - DUST
        assert 0 <= before <= one


@given(profiles, books)
def test_used_margin_is_that_of_its_symbols_and_never_negative(
    profile: RiskProfile, held: list[Exposure]
) -> None:
    symbols = {one.instrument.symbol for one in held}
    parts = [used(profile, [x for x in held if x.instrument.symbol == one]) for one in symbols]
    assert used(profile, held) >= 0
    assert abs(used(profile, held) - sum(parts)) <= DUST


@given(profiles, books)
def test_an_account_gains_nothing_by_dividing_a_position(
    profile: RiskProfile, held: list[Exposure]
) -> None:
    """What the positions of a side bind, each after those before it, is what one would bind.

    So at current prices; positions that were opened at different ones are worth different amounts.
    """
    held = [Exposure(one.instrument, one.quantity, one.average_price) for one in held]
    joined: dict[tuple[str, bool], Exposure] = {}
    for one in held:
        key = one.instrument.symbol, one.quantity > 0
        before = joined[key].quantity if key in joined else Decimal(0)
        joined[key] = Exposure(one.instrument, before + one.quantity, one.average_price)
    assert abs(used(profile, held) - used(profile, list(joined.values()))) <= DUST


@given(profiles, books, st.integers(1, 500))
def test_more_leverage_never_binds_more(
    profile: RiskProfile, held: list[Exposure], other: int
) -> None:
    less, more = sorted((profile.leverage, other))
    assert used(under(profile, leverage=more), held) <= used(under(profile, leverage=less), held)


@given(profiles, books.filter(bool), st.data())
def test_closing_a_part_never_binds_more_unless_the_pair_is_taken_net(
    profile: RiskProfile, held: list[Exposure], data: st.DataObject
) -> None:
    if profile.hedged_margin is HedgedMargin.NET:  # there, of each symbol, one position only
        held = list({one.instrument.symbol: one for one in held}.values())
    place = data.draw(st.integers(0, len(held) - 1))
    one = held[place]
    left = one.quantity * data.draw(st.integers(0, 10)) / 10
    smaller = list(held)
    smaller[place] = Exposure(one.instrument, left, one.average_price, one.opening_rate)
    assert used(profile, smaller) <= used(profile, held) + DUST


@given(profiles, books)
def test_a_pair_binds_at_most_its_legs_and_at_least_what_is_left(
    profile: RiskProfile, held: list[Exposure]
) -> None:
    by_sum, larger, net = (used(under(profile, hedged_margin=one), held) for one in HedgedMargin)
    assert 0 <= net <= larger + DUST
    assert larger <= by_sum + DUST
