"""Money as people write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewright.core.money import plain


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("100.00000000", "100"),
        ("1E+2", "100"),
        ("0.00001000", "0.00001"),
        ("0.00", "0"),
        ("-12.50", "-12.5"),
        ("1234567890123456789012.12345678", "1234567890123456789012.12345678"),
    ],
)
def test_an_amount_is_written_without_what_says_nothing(amount: str, written: str) -> None:
    assert plain(Decimal(amount)) == written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_what_is_written_is_the_amount_to_its_last_digit(amount: Decimal) -> None:
    assert Decimal(plain(amount)) == amount
    assert "E" not in plain(amount)
