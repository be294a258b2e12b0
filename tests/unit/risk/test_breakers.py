"""Circuit breakers: what they measure, how they move, and that they never flap."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from tests.floor import DAY
from tradewright.risk.breaker_measures import Ticks
from tradewright.risk.breakers import (
    Breaker,
    BreakerBook,
    BreakerKind,
    BreakerState,
    next_move,
)

CHF = Breaker(
    id="B",
    code="chf",
    kind=BreakerKind.PRICE_MOVEMENT,
    symbol="EURCHF",
    threshold=Decimal(3),
    window=timedelta(seconds=60),
    reset=timedelta(seconds=300),
    cooldown=timedelta(seconds=60),
)


def ticks(*prices: tuple[int, str]) -> Ticks:
    kept = Ticks()
    for second, price in prices:
        kept.add(DAY + timedelta(seconds=second), Decimal(price), timedelta(seconds=60))
    return kept


def test_a_movement_is_measured_against_the_price_at_the_beginning_of_the_window() -> None:
    """The day of the franc, 15 January 2015: 1.2010 to 0.8500 is a fall of 29.23 percent."""
    swiss = ticks((0, "1.2010"), (59, "1.2009"), (60, "0.8500"))
    movement = swiss.measure(BreakerKind.PRICE_MOVEMENT, CHF.window)
    assert movement.quantize(Decimal("0.01")) == Decimal("29.23")


def test_what_lies_before_the_window_does_not_count_but_the_last_price_before_it_does() -> None:
    kept = ticks((0, "2.0"), (100, "1.0"), (170, "1.01"))
    assert kept.measure(BreakerKind.PRICE_MOVEMENT, CHF.window) == Decimal("1.00")
    assert kept.measure(BreakerKind.PRICE_MOVEMENT, timedelta(seconds=10)) == Decimal("1.00")


def test_volatility_is_annualised_by_tick_time() -> None:
    """Returns of +r and -r by turns have the standard deviation r * sqrt(n / (n - 1))."""
    kept = ticks(*((second, "1.001" if second % 2 else "1") for second in range(11)))
    measured = kept.measure(BreakerKind.VOLATILITY, CHF.window)
    step = Decimal("1.001").ln()
    expected = step * (Decimal(10) / 9 * 365 * 86_400).sqrt() * 100
    assert abs(measured - expected) < Decimal("0.0001")
    few = ticks((0, "1"), (1, "1.1"))
    assert few.measure(BreakerKind.VOLATILITY, CHF.window) == 0


def test_a_condition_that_comes_and_goes_triggers_once_and_arms_once() -> None:
    """Over the threshold every 30 seconds for 20 minutes: one trigger, one cooldown, no more."""
    breaker, since, clear_since = CHF, DAY, DAY
    moves = []
    for second in range(0, 1500, 10):
        now = DAY + timedelta(seconds=second)
        measured = Decimal(5) if second % 30 == 0 and second < 1200 else Decimal(0)
        if measured:
            clear_since = now
        move = next_move(breaker, measured, now, since=since, clear_since=clear_since)
        if move is not None:
            moves.append((second, move.to_state))
            breaker, since = replace(breaker, state=move.to_state), now
    assert moves == [
        (0, BreakerState.TRIGGERED),
        (300, BreakerState.COOLING_DOWN),
        (1230, BreakerState.ARMED),
    ]


def test_exactly_the_threshold_triggers_and_a_disabled_breaker_does_nothing() -> None:
    at = {"since": DAY, "clear_since": DAY}
    move = next_move(CHF, Decimal(3), DAY, **at)
    assert move is not None
    assert move.to_state is BreakerState.TRIGGERED
    assert next_move(CHF, Decimal("2.99"), DAY, **at) is None
    off = replace(CHF, state=BreakerState.DISABLED)
    assert next_move(off, Decimal(9), DAY, **at) is None


def test_a_breaker_stops_its_symbol_and_one_without_a_symbol_stops_all() -> None:
    down = replace(CHF, state=BreakerState.COOLING_DOWN)
    book = BreakerBook([down])
    assert (book.of("EURCHF"), book.of("EURUSD")) == (down, None)
    every = replace(CHF, kind=BreakerKind.MANUAL, symbol=None, state=BreakerState.TRIGGERED)
    assert BreakerBook([every]).of("EURUSD") == every
    assert BreakerBook([CHF]).of("EURCHF") is None
