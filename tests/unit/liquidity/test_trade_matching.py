"""Our executions beside a provider's list: every execution in exactly one bucket."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY, refusal
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.liquidity.reconciliation.match import match
from tradewright.liquidity.reconciliation.model import Bucket, Execution, TradeLine
from tradewright.liquidity.reconciliation.trade_list import (
    COLUMNS,
    read_trade_list,
    write_trade_list,
)

LINE = TradeLine(
    execution_id="E1",
    request_id="R1",
    symbol="EURUSD",
    side=Side.BUY,
    quantity=Decimal(100),
    price=Decimal("1.1"),
    executed_at=DAY,
)
OURS = Execution(
    execution_id="E1",
    symbol="EURUSD",
    side=Side.BUY,
    quantity=Decimal(100),
    price=Decimal("1.10"),
    executed_on=DAY.date(),
    is_undecided=False,
)
LISTED = {DAY.date()}
HEAD = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("ours", "lines", "bucket"),
    [
        ([OURS], [LINE], Bucket.MATCHED),
        ([], [LINE], Bucket.THEIRS_ONLY),
        ([OURS], [], Bucket.OURS_ONLY),
        ([replace(OURS, executed_on=date(2026, 1, 14))], [], Bucket.TIMING),
        ([OURS], [LINE, LINE], Bucket.DUPLICATE),
        ([OURS], [replace(LINE, side=Side.SELL)], Bucket.TERMS_MISMATCH),
        ([OURS], [replace(LINE, symbol="GBPUSD", price=Decimal(2))], Bucket.TERMS_MISMATCH),
        ([OURS], [replace(LINE, quantity=Decimal(99))], Bucket.QUANTITY_MISMATCH),
        ([OURS], [replace(LINE, price=Decimal("1.11"))], Bucket.PRICE_MISMATCH),
        ([replace(OURS, is_undecided=True)], [LINE], Bucket.SET_ASIDE),
    ],
)
def test_a_difference_is_named(
    ours: list[Execution], lines: list[TradeLine], bucket: Bucket
) -> None:
    (found,) = match(ours, lines, LISTED)
    assert found.bucket is bucket
    assert bool(found.details) is (bucket is not Bucket.MATCHED)


IDS = st.lists(st.sampled_from("abcde"), max_size=8)


@given(IDS.map(set), IDS)
def test_every_execution_is_in_exactly_one_bucket(ours: set[str], theirs: list[str]) -> None:
    executions = [replace(OURS, execution_id=key) for key in ours]
    found = match(executions, [replace(LINE, execution_id=key) for key in theirs], LISTED)
    assert sorted(each.execution_id for each in found) == sorted(ours | set(theirs))
    counts = Counter(each.bucket for each in found)
    assert counts[Bucket.OURS_ONLY] == len(ours - set(theirs))
    assert counts[Bucket.THEIRS_ONLY] == len(set(theirs) - ours)


def test_what_is_written_is_read() -> None:
    assert read_trade_list(write_trade_list([LINE, LINE]).encode()) == [LINE, LINE]


@pytest.mark.parametrize(
    "changes",
    [
        {"execution_id": ""},
        {"symbol": ""},
        {"side": "long"},
        {"quantity": "0"},
        {"quantity": "NaN"},
        {"quantity": "ten"},
        {"price": "Infinity"},
        {"executed_at": "2026-01-13T08:00:00"},
        {"executed_at": "yesterday"},
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_whole_list(changes: dict[str, Any]) -> None:
    good = dict(zip(COLUMNS, write_trade_list([LINE]).splitlines()[1].split(","), strict=True))
    rows = [",".join(good.values()), ",".join((good | changes).values())]
    error = refusal(lambda: read_trade_list("\n".join([HEAD, *rows]).encode()))
    assert error.code is ErrorCode.STATEMENT_UNREADABLE
    assert "line 3" in error.what
