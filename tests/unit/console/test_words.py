"""How facts are written on a page: prices by their tick, steps in sentences, ids as links."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tradewright.console.words import (
    cents,
    figure,
    lapse,
    linked,
    percent,
    price,
    quantity,
    reason,
    step,
)

TICK = Decimal("0.00001000")
ID = "0199c1d2-7f0a-7e3b-9a51-0123456789ab"


def test_prices_of_a_symbol_have_the_decimals_of_its_tick_at_least() -> None:
    assert price(Decimal("1.276"), TICK) == "1.27600"
    assert price(Decimal("1.2758732"), TICK) == "1.2758732"
    assert price(Decimal(4617), Decimal("0.01")) == "4,617.00"
    assert price(Decimal(39000), Decimal(5)) == "39,000"
    assert price(Decimal("155.30"), None) == "155.3"
    assert price(None, TICK) == "–"  # noqa: RUF001


@given(some.decimals(min_value=0, max_value=10**9, places=8), some.integers(0, 8))
def test_no_digit_of_a_price_is_lost(value: Decimal, places: int) -> None:
    assert Decimal(price(value, Decimal(1).scaleb(-places)).replace(",", "")) == value


def test_quantities_have_no_cents() -> None:
    assert quantity(Decimal("-433000.00000000"), "GBP") == "\u2212433,000\u00a0GBP"
    assert quantity(Decimal("0.5"), "XAU") == "0.5\u00a0XAU"
    assert quantity(None, "XAU") == "–"  # noqa: RUF001


def test_figures_behind_a_name_carry_no_unit() -> None:
    assert cents(Decimal("-2.005"), "USD") == "\u22122.00"
    assert (percent(Decimal("73.391")), percent(None)) == ("73.39", "–")  # noqa: RUF001
    assert (figure(3.0), figure(1234.5), figure(-1.0)) == ("3", "1,234.50", "\u22121")
    assert lapse(timedelta(milliseconds=140.12)) == "140.1 ms"
    assert lapse(timedelta(seconds=61)) == "1 min 1 s"


@pytest.mark.parametrize(
    ("event_type", "facts", "told"),
    [
        ("new", {}, "Accepted: it works from here on."),
        ("rejected", {"code": "ORDER_MARGIN_INSUFFICIENT"}, "Refused: margin insufficient."),
        ("rejected", {}, "Refused."),
        ("restated", {"stop_price": Decimal("1.2")}, "Its stop was moved to 1.20000."),
        (
            "trade",
            {"quantity": Decimal(4000), "price": Decimal("1.1"), "to_status": "filled"},
            "4,000 dealt at 1.10000; with that it is filled.",
        ),
        (
            "trade",
            {"quantity": Decimal(1), "price": Decimal("1.1"), "to_status": "partially_filled"},
            "1 dealt at 1.10000; the rest still works.",
        ),
        ("never_heard_of", {}, "Never heard of."),
    ],
)
def test_a_step_of_an_order_is_a_sentence(
    event_type: str, facts: dict[str, object], told: str
) -> None:
    nothing = dict.fromkeys(("code", "stop_price", "quantity", "price", "to_status"))
    assert step({**nothing, "event_type": event_type, **facts}, TICK) == told


def test_a_code_of_refusal_is_words() -> None:
    assert reason("ORDER_PRICE_STALE") == "price stale"


def test_ids_in_a_text_lead_to_what_they_are_of_and_all_else_is_escaped() -> None:
    text = linked(f"<b>{ID}</b> & {ID}", "/console")
    link = f'<a class="id" href="/console/find?text={ID}" title="{ID}">0199c1d2…6789ab</a>'
    assert text == f"&lt;b&gt;{link}&lt;/b&gt; &amp; {link}"
    assert linked("<i>", "/console") == "&lt;i&gt;"
