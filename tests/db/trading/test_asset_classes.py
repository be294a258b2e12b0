"""Classes of assets: what retail clients may have in each, in the code, the database, the page."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.floor import Floor, pair
from tradewright.liquidity.asset_class import AssetClass, class_of_pair
from tradewright.trading.reference import read_instruments
from tradewright.trading.registry import list_instrument

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "margin.md"
ESMA = {
    "fx_major": 30,
    "fx_minor": 20,
    "gold": 20,
    "index_major": 20,
    "index_minor": 10,
    "commodity": 10,
    "equity": 5,
    "crypto": 2,
}
"""Decision (EU) 2018/796, annex I: 3.33, 5, 10, 20 and 50 percent of initial margin."""


def test_the_caps_are_those_of_the_decision_in_the_code_and_on_the_page() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {name: int(cap) for name, cap in rows} == ESMA
    assert {str(one): one.leverage_max_retail for one in AssetClass} == ESMA


@pytest.mark.parametrize("asset_class", list(AssetClass))
def test_an_instrument_is_listed_up_to_its_classes_cap_and_not_beyond(
    floor: Floor, asset_class: AssetClass
) -> None:
    cap = asset_class.leverage_max_retail
    listed = pair("AUDNZD", asset_class=asset_class, leverage_max_retail=cap)
    with floor.session.transaction():
        list_instrument(floor.session, listed)
    assert read_instruments(floor.session)["AUDNZD"] == listed
    beyond = pair("NZDCAD", asset_class=asset_class, leverage_max_retail=cap + 1)
    with pytest.raises(psycopg.errors.CheckViolation) as refused, floor.session.transaction():
        list_instrument(floor.session, beyond)
    name = refused.value.diag.constraint_name
    assert name == "instruments_leverage_max_retail_within_class"


@pytest.mark.parametrize(
    ("base", "quote", "expected"),
    [
        ("EUR", "CHF", AssetClass.FX_MAJOR),
        ("AUD", "USD", AssetClass.FX_MINOR),
        ("XAU", "USD", AssetClass.GOLD),
        ("BTC", "EUR", AssetClass.CRYPTO),
    ],
)
def test_a_pair_belongs_to_a_class_by_its_currencies(
    base: str, quote: str, expected: AssetClass
) -> None:
    assert class_of_pair(base, quote) is expected
