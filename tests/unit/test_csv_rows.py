"""CSV that people open holds no formula, and every number as it is."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tradewright.cli.views import _write_csv
from tradewright.operations.views import Shown, ViewState

STATE = ViewState(
    name="house_result",
    row_count=1,
    byte_count=None,
    as_of=None,
    age=timedelta(0),
    age_max=timedelta(hours=1),
    is_overdue=False,
    is_filled=True,
    last_took=None,
    failed_at=None,
    error=None,
)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "'x"])
def test_a_text_in_the_csv_of_a_view_is_no_formula(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(text, Decimal("-5.20"), -3)]
    _write_csv(Shown(state=STATE, columns=("name", "amount", "count"), rows=rows, has_more=False))
    lines = capsys.readouterr().out.split("\n")
    assert lines[:2] == ["as_of,is_overdue,name,amount,count", f",false,'{text},-5.2,-3"]
