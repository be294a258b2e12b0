"""Numbers and times of the interface mean what their digits say, and nothing else."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tradewright.server.http.values import GivenAmount, GivenInstant, exact

_AMOUNT: TypeAdapter[Decimal] = TypeAdapter(GivenAmount)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(GivenInstant)


@given(st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", fullmatch=True))
def test_no_digit_of_a_number_is_lost_on_its_way(said: str) -> None:
    passed_on = exact(_AMOUNT.validate_python(said))
    assert Decimal(passed_on) == Decimal(said)
    assert "E" not in passed_on


def test_a_number_of_many_digits_is_not_rounded_to_another() -> None:
    said = "100000000.00000000000000000001"
    assert exact(_AMOUNT.validate_python(said)) == said
    assert exact(Decimal("1000.50000000")) == "1000.5"
    assert exact(Decimal("0E-8")) == exact(Decimal("-0")) == "0"
    assert exact(Decimal("1E+3")) == "1000"


def test_a_time_is_the_instant_that_its_offset_says() -> None:
    instant = _INSTANT.validate_python("2030-01-01T01:30:00.25+01:30")
    assert instant == datetime.fromisoformat("2030-01-01T00:00:00.250Z")
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "said",
    [
        "2030-01-01T00:00:00",
        "2030-01-01",
        "1893456000",
        1893456000,
        "2030-02-30T00:00:00Z",
        "2030-01-01T24:61:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-10:00",
        "2030-01-01T00:00:00+99:00",
        None,
    ],
)
def test_what_is_no_instant_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        _INSTANT.validate_python(said)
