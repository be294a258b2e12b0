"""`tradewright risk` as its users meet it: set, list, clear, and what it refuses."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests.floor import Floor, buy, deal
from tradewright.cli.main import LateGroup, cli
from tradewright.core.errors import TradewrightError

assert isinstance(cli, LateGroup)


def run(floor: Floor, *words: str) -> Any:
    result = CliRunner().invoke(cli, ["risk", *words, "--database", floor.conninfo, "--json"])
    if isinstance(result.exception, TradewrightError):
        return str(result.exception.code)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_limit_is_set_listed_met_and_cleared(floor: Floor) -> None:
    words = ("order_value", "1000.50", "--currency", "USD", "--actor", "anna")
    expected = {
        "kind": "order_value",
        "scope": "all",
        "target": None,
        "value": "1000.5",
        "currency": "USD",
    }
    assert run(floor, "limit", "set", *words) == [expected]
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account, 2000))
    (breach,) = run(floor, "breaches")
    assert (breach["kind"], breach["account_id"]) == ("order_value", account)
    assert run(floor, "limit", "list") == [expected]
    assert run(floor, "limit", "clear", "order_value", "--actor", "anna") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set", "order_value", "1"), "RISK_LIMIT_MALFORMED"),
        (("set", "leverage", "1", "--currency", "USD"), "RISK_LIMIT_MALFORMED"),
        (("set", "leverage", "-1"), "RISK_LIMIT_MALFORMED"),
        (("set", "leverage", "1", "--group", "nobodys"), "ACCOUNT_GROUP_UNKNOWN"),
        (("set", "leverage", "1", "--symbol", "NOPE"), "INSTRUMENT_UNKNOWN"),
        (
            ("set", "leverage", "1", "--account", "00000000-0000-7000-8000-000000000000"),
            "ACCOUNT_UNKNOWN",
        ),
        (("set", "order_value", "1", "--currency", "ZZZ"), "INPUT_CURRENCY_UNKNOWN"),
        (("clear", "leverage"), "RISK_LIMIT_UNKNOWN"),
    ],
)
def test_what_cannot_be_set_is_refused_by_its_code(
    floor: Floor, words: tuple[str, ...], code: str
) -> None:
    separator = ["--"] if "-1" in words else []
    place = words.index("-1") if separator else len(words)
    asked = (*words[:place], "--actor", "anna")
    assert run_refused(floor, [*asked, *separator, *words[place:]]) == code


def run_refused(floor: Floor, words: list[str]) -> str:
    database = ["--database", floor.conninfo]
    result = CliRunner().invoke(cli, ["risk", "limit", *words[:1], *database, *words[1:]])
    assert isinstance(result.exception, TradewrightError), result.output
    return str(result.exception.code)


def test_two_targets_at_once_are_wrong_usage(floor: Floor) -> None:
    words = ["limit", "set", "leverage", "1", "--group", "standard", "--symbol", "EURUSD"]
    result = CliRunner().invoke(
        cli, ["risk", *words, "--actor", "anna", "--database", floor.conninfo]
    )
    assert result.exit_code == 2


def test_trading_is_halted_listed_and_resumed(floor: Floor) -> None:
    account = floor.account()
    words = ("--symbol", "EURUSD", "--actor", "anna", "--reason", "drill")
    with floor.engine() as engine:
        deal(engine, buy(account, 1000, limit_price="1.05000"))
    assert run(floor, "halt", *words) == {"accounts": 1, "orders": 1}
    assert run(floor, "halt", *words) == {"accounts": 0, "orders": 0}
    assert run(floor, "reduce-only", *words) == "TRADING_HALT_EXISTS"
    (halt,) = run(floor, "halts")
    assert (halt["mode"], halt["target"], halt["set_by"]) == ("halted", "EURUSD", "anna")
    assert run(floor, "resume", *words) == []
    assert run(floor, "resume", *words) == "TRADING_HALT_UNKNOWN"
    assert len(run(floor, "reduce-only", *words)) == 1


def test_a_breaker_is_set_up_moved_and_its_alert_acknowledged(floor: Floor) -> None:
    who = ("--actor", "anna", "--reason", "drill")
    measured = ("--symbol", "EURUSD", "--threshold", "3", "--window", "60")
    (breaker,) = run(floor, "breaker", "add", "eur", "price_movement", *measured, *who)
    assert (breaker["state"], breaker["threshold"]) == ("armed", "3")
    for word, state in (("trigger", "triggered"), ("reset", "armed"), ("disable", "disabled")):
        (breaker,) = run(floor, "breaker", word, "eur", *who)
        assert breaker["state"] == state
    assert run(floor, "breaker", "disable", "eur", *who) == "BREAKER_MOVED"
    assert run(floor, "breaker", "add", "eur", "manual", *who) == "BREAKER_MALFORMED"
    money = ("--threshold", "50000", "--currency", "USD", "--window", "3600")
    breakers = run(floor, "breaker", "add", "loss", "loss", *money, *who)
    assert [one["currency"] for one in breakers] == [None, "USD"]
    lacking = run(floor, "breaker", "add", "loss2", "loss", "--threshold", "5", *who)
    assert lacking == "BREAKER_MALFORMED"
    assert len(run(floor, "alerts", "--acknowledge", "anna")) == 3
    assert run(floor, "alerts") == []
    assert len(run(floor, "alerts", "--all")) == 3
