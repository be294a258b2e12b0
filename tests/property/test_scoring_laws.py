"""Laws of smart order routing that hold for every set of levels, terms and records."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from tests.floor import DAY
from tradewright.liquidity.model import Level, ProviderAnswer, ProviderRequest, Side
from tradewright.routing.rules import allocate
from tradewright.routing.scoring import (
    ANSWERS_COUNTED,
    PRIOR_FILL,
    SLIPPAGE_BPS_MAX,
    Record,
    Scores,
    Terms,
    is_tolerable,
    scored,
)

CODES = tuple("ABCDE")
MID = Decimal("1.10000")

sides = st.sampled_from(Side)
quantities = st.integers(1, 50).map(lambda steps: Decimal(steps * 1_000))
records = st.builds(
    lambda asked, share, wait: Record(asked, asked * share // 100, asked * wait),
    st.integers(0, ANSWERS_COUNTED),
    st.integers(0, 100),
    st.integers(0, 2_000),
)
terms = st.builds(
    Terms,
    priority=st.integers(0, 2),
    fee_bps=st.decimals(-1, 1, places=2),
    quantity_min=st.sampled_from([Decimal(0), Decimal(5_000)]),
    quantity_max=st.none() | quantities,
)
houses = st.builds(
    Scores,
    st.dictionaries(st.sampled_from(CODES), terms),
    st.dictionaries(st.sampled_from(CODES), records),
)
offers = st.dictionaries(
    st.sampled_from(CODES), st.tuples(st.integers(-60, 60), quantities), min_size=1
)


def levels_of(offered: dict[str, tuple[int, Decimal]], side: Side) -> list[Level]:
    """Return levels a few ticks from the middle, the best price first."""
    levels = [
        Level(code, MID + side.sign * ticks * Decimal("0.00001"), size, DAY)
        for code, (ticks, size) in offered.items()
    ]
    return sorted(levels, key=lambda level: (level.price * side.sign, level.provider))


@given(houses, offers, sides)
def test_only_what_is_offered_is_ranked_and_nothing_beyond_what_is_agreed(
    scores: Scores, offered: dict[str, tuple[int, Decimal]], side: Side
) -> None:
    levels = levels_of(offered, side)
    ranked = scores.rank(levels, side, MID)
    assert len({level.provider for level in ranked}) == len(ranked)
    for level in ranked:
        price, size = next((o.price, o.size) for o in levels if o.provider == level.provider)
        limit = scores._terms.get(level.provider, Terms()).quantity_max
        assert level.price == price
        assert level.size == (size if limit is None else min(size, limit))
        assert is_tolerable(level.price, levels[0].price, side)


@given(houses, offers, sides)
def test_the_order_in_which_levels_come_is_of_no_account_to_their_scores(
    scores: Scores, offered: dict[str, tuple[int, Decimal]], side: Side
) -> None:
    levels = levels_of(offered, side)
    turned = list(reversed(levels))
    assert scores.candidates(levels, side, MID) == scores.candidates(turned, side, MID)


@given(st.integers(-60, 60), st.integers(-60, 60), sides, terms, records)
def test_a_better_price_never_scores_worse(
    one: int, other: int, side: Side, agreed: Terms, record: Record
) -> None:
    better, worse = (
        scored(levels_of({"A": (ticks, Decimal(1))}, side)[0], side, MID, (agreed, record))
        for ticks in (min(one, other), max(one, other))
    )
    assert better.score_bps <= worse.score_bps


@given(sides, terms, records, st.integers(1, 500))
def test_who_rejects_more_takes_longer_or_charges_more_never_scores_better(
    side: Side, agreed: Terms, record: Record, more: int
) -> None:
    assume(record.asked > 0)
    level = levels_of({"A": (1, Decimal(1))}, side)[0]
    before = scored(level, side, MID, (agreed, record)).score_bps
    rejecting = changed(record, filled=max(0, record.filled - more))
    slower = changed(record, latency_ms=record.latency_ms + more * record.asked)
    dearer = changed(agreed, fee_bps=agreed.fee_bps + more)
    for pair in ((agreed, rejecting), (agreed, slower), (dearer, record)):
        assert scored(level, side, MID, pair).score_bps >= before


@given(st.lists(st.sampled_from(CODES), min_size=2, unique=True), sides, st.data())
def test_equal_scores_go_by_priority_then_code(
    codes: list[str], side: Side, data: st.DataObject
) -> None:
    agreed = {code: Terms(priority=data.draw(st.integers(0, 2))) for code in codes}
    levels = levels_of({code: (1, Decimal(1_000)) for code in codes}, side)
    ranked = [level.provider for level in Scores(agreed, {}).rank(levels, side, MID)]
    assert ranked == sorted(codes, key=lambda code: (agreed[code].priority, code))


@given(houses, offers, sides, quantities, st.none() | st.integers(-60, 60))
def test_an_allocation_goes_in_the_order_of_scores_within_all_bounds(
    scores: Scores,
    offered: dict[str, tuple[int, Decimal]],
    side: Side,
    quantity: Decimal,
    limit_ticks: int | None,
) -> None:
    ranked = scores.rank(levels_of(offered, side), side, MID)
    limit = None if limit_ticks is None else MID + side.sign * limit_ticks * Decimal("0.00001")
    parts = allocate(ranked, side, quantity, limit)
    leaves = quantity - sum((part.quantity for part in parts), Decimal(0))
    assert leaves >= 0
    places = [ranked.index(part.level) for part in parts]
    assert places == sorted(places)
    for part in parts:
        assert part.level.quantity_min <= part.quantity <= part.level.size
        assert part.quantity > 0
        assert limit is None or (part.level.price - limit) * side.sign <= 0
    used = {part.level.provider: part for part in parts}
    for level in ranked:
        is_dear = limit is not None and (level.price - limit) * side.sign > 0
        if leaves and level.provider not in used and not is_dear:
            assert min(level.size, quantity) < level.quantity_min or leaves < level.quantity_min


@given(st.integers(-400, 400))
def test_the_tolerance_is_the_same_for_buys_and_sells_and_never_refuses_what_is_better(
    ticks: int,
) -> None:
    moved = ticks * Decimal("0.00001")
    buy = is_tolerable(MID + moved, MID, Side.BUY)
    sell = is_tolerable(MID - moved, MID, Side.SELL)
    assert buy == sell == (moved / MID * 10_000 <= SLIPPAGE_BPS_MAX)
    if ticks <= 0:
        assert buy


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 500)), max_size=60))
def test_a_record_counts_what_was_answered_and_its_probability_is_one(
    answers: list[tuple[bool, int]],
) -> None:
    scores = Scores({}, {})
    for place, (accepted, wait) in enumerate(answers):
        request = ProviderRequest(str(place), "EURUSD", Side.BUY, Decimal(1), None, DAY)
        answer = ProviderAnswer(
            request_id=request.request_id,
            provider="A",
            accepted=accepted,
            price=MID if accepted else None,
            quantity=Decimal(1 if accepted else 0),
            hold_ms=0,
            decided_at=DAY + timedelta(milliseconds=wait),
            reason=None if accepted else "declined",
            execution_id=str(place),
        )
        scores.note(request, answer)
    record = scores._records.get("A", Record())
    assert record.asked == len(answers)
    assert record.filled == sum(accepted for accepted, _ in answers)
    assert record.latency_ms == sum(wait for _, wait in answers)
    assert 0 < record.fill_probability < 1
    if not answers:
        assert record.fill_probability == PRIOR_FILL
