"""`tradewright margin` as its users meet it: rates are set and listed, and what is refused."""

import json
from typing import Any

from click.testing import CliRunner

from tests.floor import Floor, buy, deal
from tradewright.cli.main import LateGroup, cli
from tradewright.core.errors import ErrorCode, TradewrightError

assert isinstance(cli, LateGroup)


def run(floor: Floor, *words: str) -> Any:
    result = CliRunner().invoke(cli, ["margin", *words, "--database", floor.conninfo, "--json"])
    if isinstance(result.exception, TradewrightError):
        return str(result.exception.code)
    if result.exit_code == 2:
        return result.stderr
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def of(rows: list[dict[str, Any]], symbol: str) -> dict[str, Any]:
    return next(row for row in rows if row["symbol"] == symbol)


def test_rates_are_set_in_percent_and_what_is_not_given_stays(floor: Floor) -> None:
    before = of(run(floor, "list"), "EURUSD")
    assert (before["rate"], before["rate_min_retail"]) == ("0", "0")
    run(floor, "set", "EURUSD", "--retail-min", "3.33", "--actor", "anna")
    rows = run(floor, "set", "EURUSD", "--rate", "2", "--actor", "anna")
    assert rows == run(floor, "list")
    assert of(rows, "EURUSD") == before | {"rate": "2", "rate_min_retail": "3.33"}
    assert of(rows, "GBPUSD")["rate"] == "0"


def test_what_cannot_be_set_is_refused(floor: Floor) -> None:
    anna = ("--actor", "anna")
    assert run(floor, "set", "EURUSD", "--rate", "101", *anna) == "MARGIN_TERMS_MALFORMED"
    assert run(floor, "set", "NOSUCH", "--rate", "1", *anna) == "INSTRUMENT_UNKNOWN"
    assert "Give --rate" in run(floor, "set", "EURUSD", *anna)


def test_tiers_are_set_listed_and_cleared(floor: Floor) -> None:
    anna = ("--actor", "anna")
    rows = run(floor, "tiers", "EURUSD", "1000000=2", "5000000=5.5", *anna)
    assert of(rows, "EURUSD")["tiers"] == {"1000000": "2", "5000000": "5.5"}
    result = CliRunner().invoke(cli, ["margin", "list", "--database", floor.conninfo])
    assert "5000000=5.5" in result.output.replace("\n", "")
    assert of(run(floor, "tiers", "EURUSD", "--clear", *anna), "EURUSD")["tiers"] == {}
    assert run(floor, "tiers", "EURUSD", "2=5", "3=4", *anna) == "MARGIN_TERMS_MALFORMED"
    assert "NOTIONAL=PERCENT" in run(floor, "tiers", "EURUSD", "1000000", *anna)
    assert "Give tiers" in run(floor, "tiers", "EURUSD", *anna)


def test_the_price_stays_while_the_group_has_something_open(floor: Floor) -> None:
    words = ["groups", "set", "standard", "--margin-price", "open", "--actor", "a", "--reason", "b"]
    asked = [*words, "--database", floor.conninfo, "--json"]
    with floor.engine() as engine:
        deal(engine, buy(floor.account()))
    refused = CliRunner().invoke(cli, asked).exception
    assert isinstance(refused, TradewrightError)
    assert refused.code is ErrorCode.MARGIN_PRICE_IN_USE
