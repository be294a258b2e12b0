"""What is known of a client from its trades, and how toxic that makes its flow.

Domain rule 1.7: markouts, and beside them how long positions are held, how often they win, and
whether orders come when providers reject. Each is a mean that older trades fade from. The toxicity
is the largest mean markout, in basis points, to which each of the others adds points by the weights
of the symbol's policy:

    T = max(M1, M10, M60) + short_hold_bps * h + win_bps * max(0, 2 * w - 1) + reject_prone_bps * r

h is the share of closing trades whose position was opened less than a minute before, w the share of
closing trades with a result above zero, of which only what is above one half says anything, and r
the share of orders that came at reject-prone times. No part is ever below zero but the markouts, so
none that rises lowers the toxicity. Pure; `markouts` and `arrivals` measure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct
from msgspec.structs import replace

from tradewright.routing.arrivals import Arrived
from tradewright.routing.markouts import Measured
from tradewright.routing.model import Policy

TRADES_MIN = 50
"""With fewer of them measured nothing is said of a client: fills, closing trades, or orders."""

DECAY_TRADES = 200
"""Beyond so many trades each new one counts for one part in so many, and older ones fade."""

SHORT_HOLD = timedelta(seconds=60)
"""A position closed sooner is held shortly: as long as the last markout looks ahead."""

_NOTHING = Decimal(0)
_ONE = Decimal(1)
_BPS_QUANTUM = Decimal("0.0001")
_SHARE_QUANTUM = Decimal("0.00000001")


class Closed(Struct, frozen=True):
    """A closing trade of a client; `closed_at` is the market time of what it was dealt on."""

    user_id: str
    trade_id: str
    position_id: str
    closed_at: datetime
    is_win: bool

    def is_short(self, opened_at: datetime | None) -> bool:
        """Return whether the position was held shortly; one of unknown opening was held long."""
        return opened_at is not None and self.closed_at - opened_at < SHORT_HOLD


class Measures(Struct, frozen=True, kw_only=True):
    """What has been measured of clients and not been booked, each in the order of its happening."""

    fills: tuple[Measured, ...] = ()
    closings: tuple[Closed, ...] = ()
    arrivals: tuple[Arrived, ...] = ()

    @property
    def user_ids(self) -> set[str]:
        """Return whom it is about."""
        measured: list[Measured | Closed | Arrived]
        measured = [*self.fills, *self.closings, *self.arrivals]
        return {one.user_id for one in measured}


class ClientProfile(Struct, frozen=True, kw_only=True):
    """What has been measured of a client: how many of each kind, and their decayed means."""

    trade_count: int = 0
    markouts: tuple[Decimal, ...] = (_NOTHING, _NOTHING, _NOTHING)
    closing_count: int = 0
    short_hold_share: Decimal = _NOTHING
    win_share: Decimal = _NOTHING
    arrival_count: int = 0
    reject_prone_share: Decimal = _NOTHING

    def toxicity(self, policy: Policy) -> Decimal | None:
        """Return the toxicity by the weights of a policy; None while too few fills are measured.

        Where too few closing trades or orders are measured, these add nothing.
        """
        if self.trade_count < TRADES_MIN:
            return None
        points = max(self.markouts)
        if self.closing_count >= TRADES_MIN:
            points += policy.short_hold_bps * self.short_hold_share
            points += policy.win_bps * max(_NOTHING, 2 * self.win_share - 1)
        if self.arrival_count >= TRADES_MIN:
            points += policy.reject_prone_bps * self.reject_prone_share
        return points.quantize(_BPS_QUANTUM, rounding=ROUND_HALF_EVEN)


NOTHING_MEASURED = ClientProfile()


def with_measures(
    profiles: Mapping[str, ClientProfile], measures: Measures, opened_at: Mapping[str, datetime]
) -> dict[str, ClientProfile]:
    """Return the profiles of the users that were measured, with their new trades.

    `opened_at` says of positions when they were opened; one that is not named was held long.
    """
    changed = {
        user_id: profiles.get(user_id, NOTHING_MEASURED) for user_id in sorted(measures.user_ids)
    }
    for fill in measures.fills:
        changed[fill.user_id] = _with_fill(changed[fill.user_id], fill)
    for closing in measures.closings:
        is_short = closing.is_short(opened_at.get(closing.position_id))
        changed[closing.user_id] = _with_closing(changed[closing.user_id], closing, is_short)
    for arrival in measures.arrivals:
        changed[arrival.user_id] = _with_arrival(changed[arrival.user_id], arrival)
    return changed


def _with_fill(profile: ClientProfile, fill: Measured) -> ClientProfile:
    count = profile.trade_count + 1
    pairs = zip(profile.markouts, fill.markouts, strict=True)
    means = tuple(_mean(mean, new, count, _BPS_QUANTUM) for mean, new in pairs)
    return replace(profile, trade_count=count, markouts=means)


def _with_closing(profile: ClientProfile, closing: Closed, is_short: bool) -> ClientProfile:
    count = profile.closing_count + 1
    return replace(
        profile,
        closing_count=count,
        short_hold_share=_share(profile.short_hold_share, is_short, count),
        win_share=_share(profile.win_share, closing.is_win, count),
    )


def _with_arrival(profile: ClientProfile, arrival: Arrived) -> ClientProfile:
    count = profile.arrival_count + 1
    share = _share(profile.reject_prone_share, arrival.is_reject_prone, count)
    return replace(profile, arrival_count=count, reject_prone_share=share)


def _share(share: Decimal, holds: bool, count: int) -> Decimal:
    return _mean(share, _ONE if holds else _NOTHING, count, _SHARE_QUANTUM)


def _mean(mean: Decimal, new: Decimal, count: int, quantum: Decimal) -> Decimal:
    """Return a mean with its `count`-th value: the plain mean at first, then a fading one."""
    moved = mean + (new - mean) / min(count, DECAY_TRADES)
    return moved.quantize(quantum, rounding=ROUND_HALF_EVEN)
