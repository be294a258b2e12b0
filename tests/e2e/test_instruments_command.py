"""`tradewright instruments`: listed, changed, kept with who and why, traded at once, refused."""

import pytest
from click.testing import CliRunner
from msgspec import structs

from tests.e2e.test_settings_commands import WHO, kept, run
from tests.floor import Floor, deal, order
from tradewright.cli.main import LateGroup, cli
from tradewright.liquidity.model import Side
from tradewright.trading.instruments import InstrumentTerms
from tradewright.trading.model import OrderStatus

assert isinstance(cli, LateGroup)

TERMS = (
    *("--quantity-step", "1000", "--quantity-max", "1e7", "--price-tick", "0.00001"),
    *("--leverage-max", "100"),
)


def add(floor: Floor, symbol: str, *words: str) -> dict[str, object]:
    added: dict[str, object] = run(floor, "instruments", "add", symbol, *TERMS, *words, *WHO)
    return added


def test_an_instrument_is_listed_with_what_follows_from_its_currencies(floor: Floor) -> None:
    added = add(floor, "AUDCAD")
    follows = ("base_currency", "quote_currency", "asset_class", "quantity_min")
    assert [added[name] for name in follows] == ["AUD", "CAD", "fx_minor", "1000"]
    assert (added["leverage_max"], added["leverage_max_retail"]) == (100, 20)
    assert added["sessions"] == ["7 17:00 to 5 17:00 America/New_York"]
    assert added == run(floor, "instruments", "show", "AUDCAD")
    assert added in run(floor, "instruments", "list")
    assert kept(floor, "instruments") == [("insert", "anna", "agreed by phone")]
    assert floor.broken_laws() == {}


def test_its_terms_are_changed_in_parts(floor: Floor) -> None:
    before = add(floor, "AUDCAD", "--traded", "always", "--contract-size", "1000")
    changed = run(
        floor, "instruments", "set", "AUDCAD", "--asset-class", "equity",
        *("--leverage-max-retail", "5"), *WHO,
    )  # fmt: skip
    assert changed == before | {"asset_class": "equity", "leverage_max_retail": 5}
    assert changed["sessions"] == []
    assert [row[0] for row in kept(floor, "instruments")] == ["insert", "update"]


def test_a_pair_is_named_where_the_symbol_is_none(floor: Floor) -> None:
    words = ("--pair", "EUR", "USD", "--asset-class", "index_major")
    added = add(floor, "DAX40", *words)
    assert (added["base_currency"], added["leverage_max_retail"]) == ("EUR", 20)
    missing = run(floor, "instruments", "add", "SP500", *TERMS, *words[:3], *WHO)
    assert missing == "INSTRUMENT_TERMS_MALFORMED"


def test_a_running_engine_deals_in_what_was_listed_and_halts_what_is_not_traded(
    floor: Floor,
) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        floor.quote(engine, "USDCAD", "1.39990", "1.40000")
        add(floor, "USDCAD", "--traded", "always")
        bought = deal(engine, order(account, Side.BUY, 1_000, symbol="USDCAD"))
        run(floor, "instruments", "set", "USDCAD", "--no-tradable", *WHO)
        denied = deal(engine, order(account, Side.BUY, 1_000, symbol="USDCAD"))
    assert bought.status is OrderStatus.FILLED
    assert denied.refusal_code == "INSTRUMENT_NOT_TRADABLE"
    assert floor.broken_laws() == {}


def test_every_term_of_an_instrument_may_be_set() -> None:
    result = CliRunner().invoke(cli, ["instruments", "set", "--help"])
    for one in structs.fields(InstrumentTerms):
        assert f"--{one.name.removeprefix('is_').replace('_', '-')}" in result.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("show NOSUCH", "INSTRUMENT_UNKNOWN"),
        ("set NOSUCH --no-tradable WHO", "INSTRUMENT_UNKNOWN"),
        ("set EURUSD WHO", "Give at least one term"),
        ("set EURUSD --leverage-max-retail 31 WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("set EURUSD --asset-class equity WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("set EURUSD --quantity-step 7 WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("set EURUSD --price-tick 0 WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("add EURUSD TERMS WHO", "INSTRUMENT_EXISTS"),
        ("add EURNOK WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("add audcad TERMS WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("add AUDQQQ TERMS WHO", "INPUT_CURRENCY_UNKNOWN"),
        ("add AUDAUD TERMS WHO", "INSTRUMENT_TERMS_MALFORMED"),
        ("add AUDCAD TERMS --actor anna", "Missing option '--reason'"),
    ],
)
def test_what_cannot_be_is_refused_with_why_and_hint(floor: Floor, words: str, code: str) -> None:
    given = {"WHO": WHO, "TERMS": TERMS}
    asked = [word for one in words.split() for word in given.get(one, (one,))]
    before = floor.rows("SELECT * FROM instruments ORDER BY id")
    assert code in run(floor, "instruments", *asked)
    assert floor.rows("SELECT * FROM instruments ORDER BY id") == before
