"""`tradewright providers`: listed with what is dealt with, let go and taken again, and checked."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.floor import Floor, buy, deal
from tradewright.cli.main import LateGroup, cli
from tradewright.core.errors import TradewrightError
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Temper
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.routing.model import Book

assert isinstance(cli, LateGroup)

WHO = ("--actor", "anna", "--reason", "outage")
LINE = ("--sender", "HOUSE", "--target", "LP", "--plain", "--actor", "anna")


def run(floor: Floor, *words: str) -> Any:
    place = ("--database", floor.conninfo, "--json")
    result = CliRunner().invoke(cli, ["providers", *words, *place])
    if isinstance(result.exception, TradewrightError):
        return result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_providers_are_listed_with_whether_they_are_dealt_with(floor: Floor) -> None:
    run(floor, "connect", "LP-TWO", "orders", "fix.example", "9443", *LINE)
    run(floor, "disable", "LP-TWO", *WHO)
    listed = [(each["provider"], each["is_enabled"], each["host"]) for each in run(floor, "list")]
    assert listed == [("LP-ONE", True, None), ("LP-TWO", False, "fix.example")]


def test_a_provider_is_dealt_with_no_more_and_then_again(floor: Floor) -> None:
    account = floor.account("100000", book=Book.A)
    taken: list[str] = []
    with floor.engine() as engine:
        for word in ("disable", "enable"):
            run(floor, word, "LP-ONE", *WHO)
            deal(engine, buy(account, 1000))
            taken += floor.rows(
                "SELECT p.code FROM order_fills AS f"
                " JOIN liquidity_providers AS p ON p.id = f.provider_id ORDER BY f.id DESC LIMIT 1"
            )[0]
    assert taken == ["LP-TWO", "LP-ONE"]
    kept = floor.rows(
        "SELECT actor, reason FROM audit_log WHERE table_name = 'liquidity_providers'"
        " AND action = 'update'"
    )
    assert kept == [("anna", "outage")] * 2


def test_a_provider_that_is_not_listed_is_named(floor: Floor) -> None:
    for words in (("disable", "NOSUCH", *WHO), ("enable", "NOSUCH", *WHO), ("check", "NOSUCH")):
        refused = run(floor, *words)
        assert (str(refused.code), '"NOSUCH"' in refused.what) == ("PROVIDER_UNKNOWN", True)
        assert "tradewright providers" in refused.hint


@pytest.fixture
def acceptor(tmp_path: Path) -> Iterator[FixAcceptor]:
    price = {"EURUSD": Price(Decimal("1.1"), Decimal("1.2"))}
    serving = FixAcceptor(tmp_path, price, Temper(), ports=(0, 0))
    serving.start()
    yield serving
    serving.stop()


def test_a_check_that_reaches_nobody_says_where_to_look(
    floor: Floor, acceptor: FixAcceptor
) -> None:
    port = str(acceptor.ports[0])
    acceptor.stop()
    run(floor, "connect", "LP-ONE", "orders", "127.0.0.1", port, *LINE)
    refused = run(floor, "check", "LP-ONE", "--seconds", "1")
    assert "ConnectionRefusedError" in refused.why
    assert "tradewright providers list" in refused.hint
    assert "listens there" in refused.hint


def test_a_check_without_quotes_says_what_was_quoted(floor: Floor, acceptor: FixAcceptor) -> None:
    for purpose, port in zip(("orders", "quotes"), acceptor.ports, strict=True):
        run(floor, "connect", "LP-ONE", purpose, "127.0.0.1", str(port), *LINE)
    refused = run(floor, "check", "LP-ONE", "EURUSD", "GBPUSD", "--seconds", "3")
    assert refused.what == 'provider "LP-ONE" quotes 1 of 2 symbols'
    assert "EURUSD" in refused.why
    assert refused.hint.startswith("Name symbols that it quotes, wait longer with --seconds")
