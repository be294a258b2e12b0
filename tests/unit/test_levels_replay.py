"""The replay of levels finds every figure of an amendment or a position that does not follow."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.trading_record import RECORD, d
from tradewright.soak.trading.replay import Record, replay_levels
from tradewright.soak.trading.replay.record import Amendment, Difference


def amendment(
    row_id: str, place: tuple[str, int], before: tuple[str | None, ...], *after: str | None
) -> Amendment:
    """Return an amendment of a position at a version that sets both levels."""
    told = [None if one is None else d(one) for one in (*before, *after)]
    account = {"p2": "n", "p3": "h"}.get(place[0], "f")
    named = place[0] != "p6"
    return Amendment(row_id, account, f"key-{row_id[:2]}", *place, named, True, True, *told)


STOOD: dict[str, dict[str, Any]] = {
    "p2": {"stop_loss": d("1.15")},
    "p3": {"take_profit": d("1.3")},
    "p5": {"stop_loss": d("1.01")},
    "p6": {"stop_loss": d("1.01")},
}

# n opens p2 by o2 with levels and amends it; o8, which is older than that, adds to it and changes
# nothing. h amends p3 between its trades. f amends p5 and p6 together.
AMENDED = replace(
    RECORD,
    orders=[
        one._replace(stop_loss=d("1.2"), take_profit=d(1)) if one.id in {"o2", "o8"} else one
        for one in RECORD.orders
    ],
    amendments=[
        amendment("t3m", ("p2", 1), ("1.2", "1"), "1.15", None),
        amendment("t5m", ("p3", 1), (None, None), None, "1.3"),
        amendment("t9m", ("p5", 1), (None, None), "1.01", None),
        amendment("t9n", ("p6", 1), (None, None), "1.01", None),
    ],
    positions=[one._replace(**STOOD.get(one.id, {})) for one in RECORD.positions],
)


def altered(table: str, place: int, **changes: Any) -> Record:
    rows: list[Any] = list(getattr(AMENDED, table))
    rows[place] = rows[place]._replace(**changes)
    return replace(AMENDED, **{table: rows})


def found(record: Record) -> Sequence[Difference]:
    return list(replay_levels(record))


def test_a_record_that_follows_every_rule_has_no_difference() -> None:
    assert [str(one) for one in found(AMENDED)] == []


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("field", ["stop_loss", "take_profit"])
def test_an_altered_level_of_a_position_is_named(place: int, field: str) -> None:
    position = AMENDED.positions[place]
    differences = found(altered("positions", place, **{field: Decimal("0.5")}))
    assert [(one.row, one.id, one.field) for one in differences] == [
        ("position", position.id, field)
    ]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop_loss", Decimal("0.5")),
        ("take_profit", Decimal("0.5")),
        ("stop_loss_before", Decimal("0.5")),
        ("take_profit_before", Decimal("0.5")),
        ("position_version", 9),
        ("position_id", "p4"),
    ],
)
def test_an_altered_amendment_is_found(place: int, field: str, value: object) -> None:
    assert found(altered("amendments", place, **{field: value}))


@pytest.mark.parametrize("place", range(4))
def test_an_amendment_that_is_missing_is_found(place: int) -> None:
    rows = list(AMENDED.amendments)
    del rows[place]
    assert found(replace(AMENDED, amendments=rows))


def test_a_later_orders_levels_replace_what_was_amended() -> None:
    later = altered("orders", 7, id="z8")
    fills = [one._replace(order_id="z8") if one.order_id == "o8" else one for one in later.fills]
    differences = found(replace(later, fills=fills))
    assert {(one.id, one.field) for one in differences} == {
        ("p2", "stop_loss"),
        ("p2", "take_profit"),
    }
