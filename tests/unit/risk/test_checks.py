"""Each check before a trade: bad, on the boundary, and reducing; and the order of asking."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.floor import DAY, pair
from tests.style.house import PACKAGE, ROOT
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.market import ONE_TO_ONE
from tradewright.liquidity.model import Side
from tradewright.risk.breakers import Breaker, BreakerKind, BreakerState
from tradewright.risk.checks import (
    ALWAYS_ASKED,
    CHECKS,
    account_active,
    first_denial,
    instrument_tradable,
    margin,
    price_fresh,
    protection_side,
    quantity_max,
    rate_known,
    session_open,
)
from tradewright.risk.halts import Halt, HaltBook, HaltMode
from tradewright.risk.limits import Breach, Limit, LimitBook, LimitFacts, LimitKind, Scope, Target
from tradewright.risk.model import Denial, OrderFacts

PAGE = ROOT / "docs" / "reference" / "checks.md"
SOUND = OrderFacts(
    account_is_active=True,
    instrument=pair("EURUSD", quantity_max=Decimal(5000)),
    is_in_session=True,
    side=Side.BUY,
    quantity=Decimal(5000),
    reduces=False,
    is_resting=False,
    reference_price=Decimal("1.10000"),
    stop_loss=None,
    take_profit=None,
    rates=(ONE_TO_ONE, ONE_TO_ONE),
    free_margin_after=lambda: Decimal(0),
)
KILL = Halt(mode=HaltMode.HALTED, target=Target(), set_by="anna", reason="drill", set_at=DAY)
BROKEN = Breaker(
    id="B",
    code="chf",
    kind=BreakerKind.MANUAL,
    symbol=None,
    threshold=Decimal(0),
    window=timedelta(),
    reset=timedelta(),
    cooldown=timedelta(),
    state=BreakerState.COOLING_DOWN,
    reason="drill",
)
HALTED = pair("EURUSD", is_tradable=False)


def code(denial: Denial | None) -> ErrorCode | None:
    if denial is None:
        return None
    assert denial.why.endswith(".")
    return denial.code


def never() -> Decimal:
    raise AssertionError("was asked for the margin")


def test_a_sound_order_passes_with_nothing_to_spare() -> None:
    assert first_denial(SOUND) is None


def test_an_inactive_account_may_only_reduce() -> None:
    inactive = replace(SOUND, account_is_active=False)
    assert code(account_active.check(inactive)) is ErrorCode.ACCOUNT_NOT_ACTIVE
    assert account_active.check(replace(inactive, reduces=True)) is None


def test_a_halted_instrument_may_only_be_reduced() -> None:
    halted = replace(SOUND, instrument=HALTED)
    assert code(instrument_tradable.check(halted)) is ErrorCode.INSTRUMENT_NOT_TRADABLE
    assert instrument_tradable.check(replace(halted, reduces=True)) is None


def test_nothing_is_dealt_outside_the_session_not_even_to_reduce() -> None:
    closed = replace(SOUND, is_in_session=False)
    assert code(session_open.check(closed)) is ErrorCode.INSTRUMENT_SESSION_CLOSED
    assert code(session_open.check(replace(closed, reduces=True))) is not None
    assert session_open.check(replace(closed, is_resting=True)) is None


def test_the_largest_quantity_passes_and_one_step_more_only_reduces() -> None:
    assert quantity_max.check(SOUND) is None
    more = replace(SOUND, quantity=Decimal(6000))
    denial = quantity_max.check(more)
    assert denial == Denial(
        ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
        "6000 are asked for, 5000 are the most for one order.",
    )
    assert quantity_max.check(replace(more, reduces=True)) is None


def test_an_order_that_would_deal_now_needs_a_price_even_to_reduce() -> None:
    blind = replace(SOUND, reference_price=None)
    assert code(price_fresh.check(blind)) is ErrorCode.ORDER_PRICE_STALE
    assert code(price_fresh.check(replace(blind, reduces=True))) is ErrorCode.ORDER_PRICE_STALE
    assert price_fresh.check(replace(blind, is_resting=True)) is None


def test_an_order_that_would_deal_now_needs_its_rates_even_to_reduce() -> None:
    poor = replace(SOUND, rates=None)
    assert code(rate_known.check(poor)) is ErrorCode.ORDER_RATE_MISSING
    assert code(rate_known.check(replace(poor, reduces=True))) is ErrorCode.ORDER_RATE_MISSING
    assert rate_known.check(replace(poor, is_resting=True)) is None


@pytest.mark.parametrize(
    ("side", "stop_loss", "take_profit", "is_denied"),
    [
        (Side.BUY, "1.09999", "1.10001", False),
        (Side.BUY, "1.10000", None, True),
        (Side.BUY, None, "1.10000", True),
        (Side.BUY, "1.10001", None, True),
        (Side.BUY, None, "1.09999", True),
        (Side.SELL, "1.10001", "1.09999", False),
        (Side.SELL, "1.10000", None, True),
        (Side.SELL, None, "1.10000", True),
        (Side.SELL, "1.09999", None, True),
        (Side.SELL, None, "1.10001", True),
    ],
)
def test_protections_stand_on_their_own_sides_of_the_price(
    side: Side, stop_loss: str | None, take_profit: str | None, is_denied: bool
) -> None:
    facts = replace(
        SOUND,
        side=side,
        stop_loss=None if stop_loss is None else Decimal(stop_loss),
        take_profit=None if take_profit is None else Decimal(take_profit),
    )
    expected = ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE if is_denied else None
    assert code(protection_side.check(facts)) is expected
    assert protection_side.check(replace(facts, reference_price=None)) is None


@pytest.mark.parametrize(
    ("side", "closing_price", "stop_loss", "is_denied"),
    [
        (Side.BUY, "1.09990", "1.09989", False),
        (Side.BUY, "1.09990", "1.09990", True),
        (Side.BUY, "1.09990", "1.09995", True),
        (Side.SELL, "1.10010", "1.10011", False),
        (Side.SELL, "1.10010", "1.10010", True),
        (Side.SELL, "1.10010", "1.10005", True),
    ],
)
def test_a_stop_loss_within_the_spread_is_denied(
    side: Side, closing_price: str, stop_loss: str, is_denied: bool
) -> None:
    """A long position is closed at the bid: a stop-loss between bid and ask is reached at once."""
    closes = Decimal(closing_price)
    facts = replace(SOUND, side=side, closing_price=closes, stop_loss=Decimal(stop_loss))
    expected = ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE if is_denied else None
    assert code(protection_side.check(facts)) is expected


def test_free_margin_of_zero_passes_and_a_cent_less_does_not() -> None:
    assert margin.check(SOUND) is None
    short = replace(SOUND, free_margin_after=lambda: Decimal("-0.01"))
    assert margin.check(short) == Denial(
        ErrorCode.ORDER_MARGIN_INSUFFICIENT, "The free margin after the trade would be -0.01."
    )


def test_margin_is_not_asked_of_what_reduces_or_rests() -> None:
    unasked = replace(SOUND, free_margin_after=never)
    assert margin.check(replace(unasked, reduces=True)) is None
    assert margin.check(replace(unasked, is_resting=True)) is None


def test_an_order_that_binds_at_rest_is_asked_for_price_rate_and_margin_even_to_reduce() -> None:
    binding = replace(SOUND, is_resting=True, binds_at_rest=True, reduces=True)
    short = replace(binding, free_margin_after=lambda: Decimal("-0.01"))
    assert first_denial(binding) is None
    assert code(margin.check(short)) is ErrorCode.ORDER_MARGIN_INSUFFICIENT
    blind, poor = replace(binding, reference_price=None), replace(binding, rates=None)
    assert code(price_fresh.check(blind)) is ErrorCode.ORDER_PRICE_STALE
    assert code(rate_known.check(poor)) is ErrorCode.ORDER_RATE_MISSING


def limited(kind: LimitKind, measured: str | None, *, is_new: bool = True) -> LimitFacts:
    """Return facts under a limit of 100 of one kind, of which an order would make `measured`."""
    limit = Limit(id="L", kind=kind, target=Target(), value=Decimal(100), currency=None)
    return LimitFacts(
        limits={kind: (limit,)},
        is_new=is_new,
        measure=lambda _: None if measured is None else Decimal(measured),
        value_of=lambda one: one.value,
    )


def over(kind: LimitKind) -> dict[str, Any]:
    return {"limited": limited(kind, "100.01")}


CASES: list[tuple[str, ErrorCode, dict[str, Any]]] = [
    ("account_active", ErrorCode.ACCOUNT_NOT_ACTIVE, {"account_is_active": False}),
    ("trading_halted", ErrorCode.TRADING_HALTED, {"halt": KILL}),
    ("instrument_tradable", ErrorCode.INSTRUMENT_NOT_TRADABLE, {"instrument": HALTED}),
    ("session_open", ErrorCode.INSTRUMENT_SESSION_CLOSED, {"is_in_session": False}),
    ("price_fresh", ErrorCode.ORDER_PRICE_STALE, {"reference_price": None}),
    (
        "protection_side",
        ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE,
        {"stop_loss": Decimal(2)},
    ),
    ("rate_known", ErrorCode.ORDER_RATE_MISSING, {"rates": None}),
    ("price_collar", ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR, over(LimitKind.PRICE_COLLAR)),
    ("quantity_max", ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE, over(LimitKind.ORDER_QUANTITY)),
    ("order_value", ErrorCode.ORDER_VALUE_EXCEEDED, over(LimitKind.ORDER_VALUE)),
    ("order_size", ErrorCode.ORDER_SIZE_UNUSUAL, over(LimitKind.ORDER_SIZE)),
    ("open_orders", ErrorCode.ORDER_COUNT_EXCEEDED, over(LimitKind.OPEN_ORDERS)),
    ("open_positions", ErrorCode.POSITION_COUNT_EXCEEDED, over(LimitKind.OPEN_POSITIONS)),
    (
        "symbol_exposure",
        ErrorCode.ORDER_SYMBOL_EXPOSURE_EXCEEDED,
        over(LimitKind.SYMBOL_EXPOSURE),
    ),
    ("total_exposure", ErrorCode.ORDER_TOTAL_EXPOSURE_EXCEEDED, over(LimitKind.TOTAL_EXPOSURE)),
    ("daily_loss", ErrorCode.ORDER_DAILY_LOSS_REACHED, over(LimitKind.DAILY_LOSS)),
    ("drawdown", ErrorCode.ORDER_DRAWDOWN_REACHED, over(LimitKind.DRAWDOWN)),
    ("leverage", ErrorCode.ORDER_LEVERAGE_EXCEEDED, over(LimitKind.LEVERAGE)),
    (
        "margin",
        ErrorCode.ORDER_MARGIN_INSUFFICIENT,
        {"free_margin_after": lambda: Decimal(-1)},
    ),
    ("breaker", ErrorCode.BREAKER_TRIGGERED, {"breaker": BROKEN}),
    ("message_rate", ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED, over(LimitKind.MESSAGE_RATE)),
    ("credit", ErrorCode.ORDER_CREDIT_EXCEEDED, over(LimitKind.NET_OPEN_POSITION)),
]
"""Each check in its order, with facts that it alone denies."""


def page_rows() -> list[list[str]]:
    """Return the rows of the page's first table: check, code, when, reducing, resting."""
    table = PAGE.read_text(encoding="utf-8").partition("| Check | Code |")[2].partition("\n\n")[0]
    lines = [line.strip("|") for line in table.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.split(" | ")] for line in lines]


def test_files_codes_cases_and_rows_of_the_page_are_the_same_in_the_same_order() -> None:
    order = [name for name, _, _ in CASES]
    assert [check.__module__.rpartition(".")[2] for check in CHECKS] == order
    assert [(row[0], row[1]) for row in page_rows()] == [(n, str(c)) for n, c, _ in CASES]
    folder = PACKAGE / "risk" / "checks"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == set(order)
    always = [check for check in CHECKS if check in ALWAYS_ASKED]
    assert tuple(always) == ALWAYS_ASKED


@pytest.mark.parametrize(("name", "expected", "change"), CASES)
def test_each_check_denies_what_no_other_denies(
    name: str, expected: ErrorCode, change: dict[str, Any]
) -> None:
    facts = replace(SOUND, **change)
    assert code(first_denial(facts)) is expected
    denying = [check for check in CHECKS if check(facts) is not None]
    assert [check.__module__.rpartition(".")[2] for check in denying] == [name]


@pytest.mark.parametrize("row", page_rows(), ids=lambda row: str(row[0]))
def test_what_reduces_or_rests_passes_as_the_page_says(row: list[str]) -> None:
    name, _, _, reducing, resting = row
    change = {case: one for case, _, one in CASES}[name]
    for told, state in ((reducing, {"reduces": True}), (resting, {"is_resting": True})):
        denied = first_denial(replace(SOUND, **{**change, **state})) is not None
        assert denied is told.startswith("is asked"), state


def test_every_kind_of_limit_is_asked_for_by_a_check_and_explained() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Limits")[2]
    told = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert told == [str(kind) for kind in LimitKind]
    asked = [facts["limited"].limits for _, _, facts in CASES if "limited" in facts]
    by_checks = set(LimitKind) - {LimitKind.DENIAL_RATE}  # what checks have denied blocks
    assert {kind for limits in asked for kind in limits} == by_checks


@pytest.mark.parametrize(("measured", "is_denied"), [("100", False), ("100.01", True)])
def test_a_limit_may_be_reached_and_not_exceeded(measured: str, is_denied: bool) -> None:
    denial = first_denial(replace(SOUND, limited=limited(LimitKind.ORDER_VALUE, measured)))
    breach = Breach("L", Decimal(100), Decimal(measured))
    assert (denial is not None and denial.breach == breach) is is_denied


def test_what_cannot_be_measured_is_denied_without_a_breach() -> None:
    denial = first_denial(replace(SOUND, limited=limited(LimitKind.LEVERAGE, None)))
    assert denial is not None
    assert (denial.code, denial.breach) == (ErrorCode.ORDER_LEVERAGE_EXCEEDED, None)


@pytest.mark.parametrize(
    "kind",
    [
        LimitKind.PRICE_COLLAR,
        LimitKind.ORDER_SIZE,
        LimitKind.OPEN_ORDERS,
        LimitKind.MESSAGE_RATE,
    ],
)
def test_what_is_about_the_arrival_is_not_asked_of_a_triggered_order(kind: LimitKind) -> None:
    assert first_denial(replace(SOUND, limited=limited(kind, "101", is_new=False))) is None


def test_an_order_finds_the_limits_of_all_its_targets_and_no_others() -> None:
    targets = [
        Target(),
        *(Target(scope, name) for scope in list(Scope)[1:] for name in ("mine", "other")),
    ]
    book = LimitBook(
        Limit(
            id=str(number),
            kind=LimitKind.ORDER_VALUE,
            target=target,
            value=Decimal(1),
            currency="USD",
        )
        for number, target in enumerate(targets)
    )
    found = book.of("mine", "mine", "mine")[LimitKind.ORDER_VALUE]
    assert {one.target for one in found} == {t for t in targets if t.name != "other"}
    assert not LimitBook()
    assert LimitBook().of("mine", "mine", "mine") == {}


def test_a_kill_comes_before_a_reduce_only_and_strangers_are_let_alone() -> None:
    gentle = replace(KILL, mode=HaltMode.REDUCE_ONLY, target=Target(Scope.ACCOUNT, "mine"))
    hard = replace(KILL, target=Target(Scope.INSTRUMENT, "EURUSD"))
    book = HaltBook([gentle, hard])
    assert book.of("mine", "standard", "EURUSD") == hard
    assert book.of("mine", "standard", "GBPUSD") == gentle
    assert book.of("other", "standard", "GBPUSD") is None
    assert HaltBook().of("mine", "standard", "EURUSD") is None


def test_the_first_denial_wins_in_the_order_of_the_checks() -> None:
    worst = SOUND
    limits: dict[LimitKind, tuple[Limit, ...]] = {}
    for _, _, change in CASES:
        if "limited" in change:
            limits.update(change["limited"].limits)
        worst = replace(worst, **change)
    every = limited(LimitKind.ORDER_VALUE, "101")
    for _, expected, change in CASES:
        every = replace(every, limits=dict(limits))
        assert code(first_denial(replace(worst, limited=every))) is expected
        if "limited" in change:
            limits.pop(next(iter(change["limited"].limits)))
        else:
            worst = replace(worst, **{name: getattr(SOUND, name) for name in change})
