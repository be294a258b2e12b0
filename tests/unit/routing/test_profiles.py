"""What is known of a client: means that fade, and the toxicity that follows by a policy."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.floor import DAY
from tradewright.routing.arrivals import Arrived
from tradewright.routing.markouts import Measured
from tradewright.routing.model import Policy
from tradewright.routing.profiles import (
    DECAY_TRADES,
    SHORT_HOLD,
    TRADES_MIN,
    ClientProfile,
    Closed,
    Measures,
    with_measures,
)

POLICY = Policy(
    symbol="EURUSD",
    short_hold_bps=Decimal(2),
    win_bps=Decimal(3),
    reject_prone_bps=Decimal(5),
)


def fills(count: int, bps: int, user: str = "anna") -> Measures:
    return Measures(
        fills=(Measured(user, "fill", DAY, (Decimal(1),) * 3, (Decimal(bps),) * 3),) * count
    )


def closings(count: int, *, seconds: float = 0, is_win: bool = False) -> Measures:
    """Return closings of one position, so long after it was opened."""
    closed_at = DAY + timedelta(seconds=seconds)
    return Measures(closings=(Closed("anna", "trade", "position", closed_at, is_win),) * count)


def after(*several: Measures) -> ClientProfile:
    """Return Anna's profile when these were booked one after the other."""
    profiles: dict[str, ClientProfile] = {}
    for measures in several:
        profiles |= with_measures(profiles, measures, {"position": DAY})
    return profiles["anna"]


def test_nothing_is_said_about_a_client_with_few_trades() -> None:
    few = after(fills(TRADES_MIN - 1, 5), closings(TRADES_MIN, is_win=True))
    enough = after(fills(TRADES_MIN - 1, 5), fills(1, 5))
    assert few.toxicity(POLICY) is None
    assert enough.toxicity(POLICY) == 5


def test_the_markouts_count_by_the_largest_of_their_means() -> None:
    means = (Decimal(1), Decimal(4), Decimal(-2))
    profile = ClientProfile(trade_count=TRADES_MIN, markouts=means)
    assert profile.toxicity(POLICY) == 4


def test_each_other_measure_adds_its_weight_by_its_share() -> None:
    """4 of markouts, 2 * 0.25, 3 * (2 * 0.75 - 1), 5 * 0.1: 4 + 0.5 + 1.5 + 0.5."""
    profile = ClientProfile(
        trade_count=TRADES_MIN,
        markouts=(Decimal(1), Decimal(4), Decimal(-2)),
        closing_count=TRADES_MIN,
        short_hold_share=Decimal("0.25"),
        win_share=Decimal("0.75"),
        arrival_count=TRADES_MIN,
        reject_prone_share=Decimal("0.1"),
    )
    assert profile.toxicity(POLICY) == Decimal("6.5")
    unweighted = Policy(
        symbol="EURUSD",
        short_hold_bps=Decimal(0),
        win_bps=Decimal(0),
        reject_prone_bps=Decimal(0),
    )
    assert profile.toxicity(unweighted) == 4


def test_half_of_all_trades_may_win_without_a_word() -> None:
    base = ClientProfile(trade_count=TRADES_MIN, closing_count=TRADES_MIN)
    for share, points in (("0", 0), ("0.5", 0), ("1", 3)):
        profile = ClientProfile(
            trade_count=base.trade_count,
            closing_count=base.closing_count,
            win_share=Decimal(share),
        )
        assert profile.toxicity(POLICY) == points


@pytest.mark.parametrize("missing", ["closing_count", "arrival_count"])
def test_a_share_of_few_adds_nothing(missing: str) -> None:
    whole = {"closing_count": TRADES_MIN, "arrival_count": TRADES_MIN}
    counts = {**whole, missing: TRADES_MIN - 1}
    profile = ClientProfile(
        trade_count=TRADES_MIN,
        closing_count=counts["closing_count"],
        arrival_count=counts["arrival_count"],
        short_hold_share=Decimal(1),
        win_share=Decimal(1),
        reject_prone_share=Decimal(1),
    )
    assert profile.toxicity(POLICY) == (5 if missing == "closing_count" else 2 + 3)


def test_a_position_closed_within_a_minute_was_held_shortly() -> None:
    limit = SHORT_HOLD.total_seconds()
    profile = after(closings(1, seconds=limit - 1), closings(3, seconds=limit))
    assert profile.closing_count == 4
    assert profile.short_hold_share == Decimal("0.25")


def test_a_position_of_which_no_opening_is_known_was_held_long() -> None:
    measures = Measures(closings=(Closed("anna", "trade", "of old", DAY, True),))
    profile = with_measures({}, measures, {"position": DAY})["anna"]
    assert profile.short_hold_share == 0
    assert profile.win_share == 1


def test_orders_at_reject_prone_times_are_counted_by_share() -> None:
    measures = Measures(arrivals=(Arrived("anna", "one", DAY, DAY), Arrived("anna", "two", DAY)))
    assert after(measures).reject_prone_share == Decimal("0.5")


def test_old_trades_fade() -> None:
    before = [fills(DECAY_TRADES, 10), closings(DECAY_TRADES, is_win=True)]
    later = [fills(3 * DECAY_TRADES, 0), closings(3 * DECAY_TRADES, seconds=99)]
    assert set(after(*before).markouts) == {Decimal(10)}
    profile = after(*before, *later)
    assert 0 < profile.markouts[0] < 1
    assert 0 < profile.win_share < Decimal("0.1")
    assert 0 < profile.short_hold_share < Decimal("0.1")


def test_clients_are_kept_apart() -> None:
    measures = Measures(fills=fills(1, 1).fills + fills(1, 3, "ben").fills)
    profiles = with_measures({}, measures, {})
    assert {key: one.markouts[0] for key, one in profiles.items()} == {"anna": 1, "ben": 3}
