"""`tradewright swaps` as its users meet it: terms, holidays, and a day rolled over once."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.floor import Floor, buy, deal
from tradewright.cli.main import LateGroup, cli
from tradewright.core.errors import TradewrightError
from tradewright.liquidity.model import Quote

assert isinstance(cli, LateGroup)


def run(floor: Floor, *words: str) -> Any:
    result = CliRunner().invoke(cli, ["swaps", *words, "--database", floor.conninfo, "--json"])
    if isinstance(result.exception, TradewrightError):
        return str(result.exception.code)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def quotes(tmp_path: Path) -> Path:
    """Give quotes of a day: the last before 17:00 in New York, and one after it."""
    path = tmp_path / "day.csv"
    path.write_text(
        "timestamp,symbol,bid,ask\n"
        "2026-01-13T21:59:00+00:00,EURUSD,1.10000,1.10010\n"
        "2026-01-13T22:00:00+00:00,EURUSD,1.50000,1.50010\n"
    )
    return path


def test_a_day_without_an_engine_is_rolled_over_once(floor: Floor, quotes: Path) -> None:
    rates = ("--long=-3.6", "--short=1", "--from", "2026-01-01")
    assert run(floor, "set", "EURUSD", "percent", *rates) == {
        "symbol": "EURUSD",
        "effective_on": "2026-01-01",
    }
    account = floor.account("100000")
    with floor.engine(eurusd=None) as engine:
        floor.now = datetime(2026, 1, 13, 12, tzinfo=UTC)
        engine.on_quote(Quote("EURUSD", Decimal("1.09990"), Decimal("1.10000"), floor.now))
        deal(engine, buy(account))
    roll = ("roll", "2026-01-13", "--quotes", str(quotes))
    assert run(floor, *roll) == {"accounts": 1, "booked": 1, "waiting": 0}
    assert run(floor, *roll) == {"accounts": 1, "booked": 0, "waiting": 0}
    # 100,000 at the closing side before 17:00, 1.10000, * -3.6 % / 360.
    assert floor.one("SELECT amount FROM position_rollovers") == Decimal("-11.00")
    assert floor.broken_laws() == {}


def test_a_fee_for_swap_free_accounts_is_set_with_the_terms(floor: Floor) -> None:
    rates = ("set", "EURUSD", "points", "--long=-7.5", "--short=2.5", "--from", "2026-01-01")
    run(floor, *rates, "--swap-free-fee", "1.25", "--grace-nights", "3")
    assert floor.rows("SELECT swap_free_fee, grace_nights FROM swap_terms") == [
        (Decimal("1.25"), 3)
    ]
    assert run(floor, *rates[:-1], "2026-02-01", "--swap-free-fee=-1") == "SWAP_TERMS_MALFORMED"


def test_a_holiday_is_said_and_said_again(floor: Floor) -> None:
    for _ in range(2):
        assert run(floor, "holiday", "EUR", "2026-05-01") == {
            "currency": "EUR",
            "holiday_on": "2026-05-01",
        }
    assert floor.one("SELECT count(*) FROM rollover_holidays") == 1


def test_terms_of_a_day_are_set_once(floor: Floor) -> None:
    words = ("set", "EURUSD", "points", "--long=-7.5", "--short=2.5", "--from", "2026-01-01")
    run(floor, *words)
    assert run(floor, *words) == "SWAP_TERMS_SET"


def test_terms_of_an_unknown_instrument_are_refused(floor: Floor) -> None:
    words = ("set", "NOSUCH", "points", "--long=-7.5", "--short=2.5", "--from", "2026-01-01")
    assert run(floor, *words) == "INSTRUMENT_UNKNOWN"
