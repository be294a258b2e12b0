"""The built-in market: a trading day of four symbols, made from a seed.

Owns the invention of base quotes for a demo, a test or a soak that has no recorded file. The
day is the same for the same seed on every platform and version of Python: it uses only
`Random.getrandbits` and whole numbers, no float and no function of the platform's libraries.

The shape of the day: prices walk at random and are quoted more often, hence move more, when
London and New York are open. One of the currency pairs trends by 2 to 3 % over ninety minutes
of the morning. Another symbol gaps by about 9 % between two quotes two seconds apart in the
afternoon, as far as sterling fell on 7 October 2016: that is more than the margin of a retail
client at 30:1 covers. So accounts meet margin calls, stop-outs and negative balances.
As in recorded files, some quotes are crossed, locked, repeated or arrive late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from math import isqrt
from random import Random

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.model import Quote

DAY_STARTS_AT = datetime(2026, 1, 13, tzinfo=UTC)
"""A Tuesday in winter, so the session ends (17:00 in New York) at 22:00 of this day."""

QUOTE_COUNT = 40_000
QUOTE_COUNT_MIN = 1_000

_BILLION = 10**9
_MILLION = 10**6
_SECOND_MS = 1_000
_HOUR_MS = 3_600 * _SECOND_MS

_HOUR_SHARES = (2, 2, 2, 2, 2, 3, 4, 7, 8, 7, 6, 6, 8, 10, 10, 9, 7, 5, 4, 3, 3, 2, 2, 2)
"""How the day's quotes fall on its hours (UTC)."""

_LATE_EVERY, _CROSSED_EVERY, _LOCKED_EVERY, _REPEATED_EVERY = 127, 53, 31, 19
"""Every how many quotes one has a flaw: about as often as in recorded files."""

_LATE_MS_MAX = 5 * _SECOND_MS
_TREND_LASTS_MS = 90 * 60 * _SECOND_MS
_GAP_SPREAD_LASTS_MS = 60 * _SECOND_MS
_ROLLOVER_HOUR = 21


@dataclass(frozen=True, slots=True)
class _Instrument:
    symbol: str
    digits: int
    opening_ticks: int
    spread_ticks: int
    day_move_ppb: int


_INSTRUMENTS = (
    _Instrument("EURUSD", 5, 116_500, 6, 5_000_000),
    _Instrument("GBPUSD", 5, 134_500, 9, 6_000_000),
    _Instrument("USDJPY", 3, 158_000, 8, 6_000_000),
    _Instrument("XAUUSD", 2, 460_000, 25, 11_000_000),
)
SEEDED_SYMBOLS = tuple(instrument.symbol for instrument in _INSTRUMENTS)


@dataclass(frozen=True, slots=True)
class _Story:
    """What happens on the day: which symbols trend and gap, when, and by how many billionths."""

    trend_index: int
    trend_ms: int
    trend_ppb: int
    gap_index: int
    gap_ms: int
    gap_ppb: int

    def shift_ppb(self, index: int, ms: int) -> int:
        """Return how far the trend and the gap have moved a symbol by then."""
        if index == self.gap_index:
            return self.gap_ppb if ms >= self.gap_ms else 0
        if index == self.trend_index:
            elapsed = min(max(ms - self.trend_ms, 0), _TREND_LASTS_MS)
            return self.trend_ppb * elapsed // _TREND_LASTS_MS
        return 0

    def spread_times(self, index: int, ms: int) -> int:
        """Return how many times its usual width a symbol's spread has then."""
        if index == self.gap_index and 0 <= ms - self.gap_ms < _GAP_SPREAD_LASTS_MS:
            return 5
        return 3 if ms // _HOUR_MS == _ROLLOVER_HOUR else 1


class _Walk:
    """The random walk of one symbol, in millionths of a tick, and the quote it last gave."""

    __slots__ = ("ask_ticks", "bid_ticks", "instrument", "latest_ms", "mid", "step_ppb")

    def __init__(self, instrument: _Instrument, quote_count: int) -> None:
        self.instrument = instrument
        self.mid = instrument.opening_ticks * _MILLION
        self.step_ppb = instrument.day_move_ppb * 1_000 // isqrt(quote_count * _MILLION)
        self.latest_ms = 0
        self.bid_ticks = 0
        self.ask_ticks = 0

    def step(self, random: Random) -> None:
        """Move by a bell-shaped step: of 64 coins, those above 32 that fell on their heads."""
        bell = random.getrandbits(64).bit_count() - 32
        self.mid += self.mid * self.step_ppb * bell // (4 * _BILLION)

    def price(self, *, shift_ppb: int, spread_ticks: int) -> None:
        """Set bid and ask around the walk as the story of the day has shifted it."""
        mid_ticks = self.mid * (_BILLION + shift_ppb) // (_BILLION * _MILLION)
        self.bid_ticks = mid_ticks - spread_ticks // 2
        self.ask_ticks = self.bid_ticks + spread_ticks

    def quote(self, ms: int) -> Quote:
        """Return the bid and ask set last as a quote of that instant."""
        digits = self.instrument.digits
        return Quote(
            self.instrument.symbol,
            Decimal(self.bid_ticks).scaleb(-digits),
            Decimal(self.ask_ticks).scaleb(-digits),
            DAY_STARTS_AT + timedelta(milliseconds=ms),
        )


def seeded_day(seed: int, *, quote_count: int = QUOTE_COUNT) -> Iterator[Quote]:
    """Return the quotes of a seed's trading day, in the order in which they arrive.

    Prices are whole ticks (0.00001; USDJPY 0.001; XAUUSD 0.01). The seed's sign is of no
    account. With fewer quotes each moves further, so the day's range stays the same.

    Raises:
        InputError: QUOTE_COUNT_TOO_SMALL, for so short a day would lack some of its flaws.
    """
    if quote_count < QUOTE_COUNT_MIN:
        raise InputError(
            ErrorCode.QUOTE_COUNT_TOO_SMALL,
            f"quote count {quote_count} is below {QUOTE_COUNT_MIN}",
            why="A shorter day would lack some of the flaws that every day must have.",
            hint=f"Ask for at least {QUOTE_COUNT_MIN} quotes.",
            facts={"quote_count": quote_count},
        )
    return _day(Random(seed), quote_count)  # noqa: S311 (a market to play with, not a secret)


def _day(random: Random, quote_count: int) -> Iterator[Quote]:
    story = _story(random)
    walks = [_Walk(each, quote_count // len(_INSTRUMENTS)) for each in _INSTRUMENTS]
    around_gap = [(story.gap_ms + shift, story.gap_index, 0) for shift in (-_SECOND_MS, _SECOND_MS)]
    arrivals = merge(_arrivals(random, quote_count - len(around_gap)), around_gap)
    for ms, index, number in arrivals:
        yield _next_quote(random, story, walks[index], (ms, index, number))


def _story(random: Random) -> _Story:
    trend_index = _below(random, len(_INSTRUMENTS) - 1)
    gap_index = (trend_index + 1 + _below(random, len(_INSTRUMENTS) - 1)) % len(_INSTRUMENTS)
    return _Story(
        trend_index=trend_index,
        trend_ms=8 * _HOUR_MS + _below(random, _HOUR_MS),
        trend_ppb=_sign(random) * (20_000_000 + _below(random, 10_000_000)),
        gap_index=gap_index,
        gap_ms=13 * _HOUR_MS + _below(random, 2 * _HOUR_MS),
        gap_ppb=_sign(random) * (88_000_000 + _below(random, 10_000_000)),
    )


def _arrivals(random: Random, quote_count: int) -> Iterator[tuple[int, int, int]]:
    """Yield the instant, the symbol's index and the number (from 1) of each quote, in order."""
    number = 0
    shares_before = 0
    for hour, share in enumerate(_HOUR_SHARES):
        shares_before += share
        count = quote_count * shares_before // sum(_HOUR_SHARES) - number
        for place in range(count):
            number += 1
            ms = hour * _HOUR_MS + (place * _HOUR_MS + _below(random, _HOUR_MS)) // count
            yield ms, _below(random, len(_INSTRUMENTS)), number


def _next_quote(random: Random, story: _Story, walk: _Walk, arrival: tuple[int, int, int]) -> Quote:
    """Move the walk to this arrival and quote it, with the flaw that falls on its number.

    Number 0 marks the two quotes around the gap, which have no flaw.
    """
    ms, index, number = arrival
    walk.step(random)
    is_first = not walk.bid_ticks
    if is_first or not number or number % _REPEATED_EVERY:
        usual = walk.instrument.spread_ticks
        width = (usual + _below(random, usual)) * story.spread_times(index, ms)
        walk.price(shift_ppb=story.shift_ppb(index, ms), spread_ticks=width)
    if number and not number % _CROSSED_EVERY:
        walk.bid_ticks, walk.ask_ticks = walk.ask_ticks, walk.bid_ticks
    if number and not number % _LOCKED_EVERY:
        walk.ask_ticks = walk.bid_ticks
    if number and not number % _LATE_EVERY and not is_first:
        return walk.quote(walk.latest_ms - 1 - _below(random, _LATE_MS_MAX))
    walk.latest_ms = ms
    return walk.quote(ms)


def _below(random: Random, bound: int) -> int:
    """Return a whole number from 0 to `bound` - 1, the same on every version of Python."""
    return random.getrandbits(48) * bound >> 48


def _sign(random: Random) -> int:
    return 1 if random.getrandbits(1) else -1
