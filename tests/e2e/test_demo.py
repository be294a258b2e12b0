"""`tradewright demo` as its users meet it: the day, its figures, its laws, the same every time."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.trading_day import run, write_quotes
from tools.write_shown_day import PART, WHOLE, WORDS, printed_day, renewed
from tradewright.postgres.embedded import EmbeddedServer

FIGURES = {
    *("quotes_read", "quotes_refused", "orders", "fills", "denied", "rejected"),
    *("positions_open", "margin_calls", "stop_outs", "deposits", "withdrawals"),
    *("routing_decisions", "orders_divided", "hedges", "hedge_results", "happenings"),
    *("resting_filled", "alternatives_canceled", "breakers_triggered", "margin_calls_resolved"),
    *("negative_balances_forgiven", "swaps", "swap_amounts"),
    *("orders_per_second", "latency_ms", "invariants", "seed", "postgres_version"),
}
"""The figures that a reader of --json may rely on."""

TRADED = (
    *("balance_is_replay", "every_change_is_audited", "money_sums_to_zero", "order_is_its_events"),
    *("order_is_its_fills", "payment_is_in_the_ledger", "position_is_its_trades"),
    *("reserved_is_open_holds", "trade_is_in_the_ledger", "trades_are_their_fill"),
    *("transfer_has_its_entries", "versions_are_gapless"),
)
"""Laws that a day cannot but be held against; a law without a case would prove nothing."""

RESTING_TYPES = {"limit", "stop", "stop_limit", "take_profit", "trailing_stop"}

HAPPENED = {
    *("breaker triggered", "breaker cooling down", "breaker armed again"),
    *("margin call", "margin call resolved", "stop-out", "negative balance forgiven"),
    *("limit order filled", "stop triggered", "stop limit triggered"),
    *("trailing stop triggered", "take profit triggered", "one cancels other"),
    *("hedge", "swap paid", "swap earned"),
}
"""What the built-in day lets happen by itself, each told with its figures."""

NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(server: EmbeddedServer) -> Iterator[NewDatabase]:
    """Give a function that makes an empty database and returns how to reach it."""
    made: list[str] = []

    def make() -> str:
        made.append(f"demo_{len(made)}")
        server.create_database(made[-1])
        return server.conninfo(made[-1])

    yield make
    for name in made:
        server.drop_database(name)


@pytest.fixture(scope="module")
def quotes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_quotes(tmp_path_factory.mktemp("quotes") / "day.csv")


@pytest.fixture(scope="module")
def built_in_day() -> Any:
    """Give the summary of the day that README.md shows, on the built-in market."""
    ended = run(*WORDS, "--json")
    assert ended.code == 0, ended.err
    return ended.json


def test_the_built_in_market_runs_end_to_end_on_a_server_of_its_own(built_in_day: Any) -> None:
    summary = built_in_day
    assert summary.keys() >= FIGURES
    assert summary["seed"] == 7
    assert summary["postgres_version"].startswith("18")
    assert summary["quotes_read"] == 40_000
    assert summary["quotes_refused"].keys() >= {"crossed", "repeated", "stale"}
    assert all(summary["quotes_refused"].values())
    assert summary["orders"] >= 300
    assert summary["fills"] > 0
    assert summary["deposits"] >= 200
    assert summary["withdrawals"] > 0
    assert summary["card_payments"].keys() == {"matched"}
    assert summary["card_payments"]["matched"] >= 40
    assert sum(summary["routing_decisions"].values()) >= summary["orders_divided"] > 0
    assert summary["hedges"]["filled"] > 0
    assert summary["invariants"]["hedge_is_in_the_ledger"]["checked"] > 0
    assert summary["latency_ms"].keys() == {"p50", "p99"}
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    assert summary["orders_per_second"] > 0
    assert summary["invariants"]
    for law in summary["invariants"].values():
        assert law.keys() == {"checked", "broken"}
        assert law["broken"] == 0
    for name in TRADED:
        assert summary["invariants"][name]["checked"] > 0, name


def test_all_that_the_engine_does_happens_in_the_built_in_day_and_is_told(
    built_in_day: Any,
) -> None:
    told = built_in_day["happenings"]
    assert {one["what"] for one in told} == HAPPENED
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    assert all(one["about"] and one["figures"] for one in told)
    assert built_in_day["breakers_triggered"] == 1
    assert built_in_day["denied"]["BREAKER_TRIGGERED"] > 0
    assert built_in_day["margin_calls"] >= built_in_day["margin_calls_resolved"] > 0
    assert Decimal(built_in_day["negative_balances_forgiven"]["USD"]) > 0
    assert built_in_day["alternatives_canceled"] > 0
    assert built_in_day["resting_filled"].keys() == RESTING_TYPES
    swaps = built_in_day["invariants"]["rollover_is_in_the_ledger"]["checked"]
    assert built_in_day["swaps"] == swaps > 0


def test_the_pages_show_what_the_day_really_prints(built_in_day: Any) -> None:
    printed = printed_day()
    assert printed[-1].endswith(f"digest {built_in_day['digest'][:16]}")
    for page in (WHOLE, PART):
        shown = page.read_text("utf-8")
        assert renewed(page, printed) == shown, "renew it: python tools/write_shown_day.py"


def test_recorded_quotes_give_the_same_day_in_both_layouts_and_packed(
    new_database: NewDatabase, quotes: Path, tmp_path: Path
) -> None:
    truefx = write_quotes(tmp_path / "truefx.csv", truefx=True)
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(quotes.read_bytes()))
    days = [
        run(
            *("demo", "--quotes", str(file), "--orders", "150", "--traders", "12"),
            *("--json", "--database", new_database()),
        )
        for file in (quotes, truefx, packed)
    ]
    assert [day.code for day in days] == [0, 0, 0], days[0].err
    summaries = [day.json for day in days]
    assert len({summary["digest"] for summary in summaries}) == 1
    first = summaries[0]
    assert first["quotes_read"] == 1_500
    assert first["quotes_refused"]["crossed"] > 0
    assert first["quotes_refused"]["repeated"] > 0
    assert first["quotes_refused"]["stale"] > 0
    assert first["stop_outs"] + first["margin_calls"] > 0
    assert sum(first["routing_decisions"].values()) > 0
    same = FIGURES - {"orders_per_second", "latency_ms", "invariants"}
    for other in summaries[1:]:
        assert {name: other[name] for name in same} == {name: first[name] for name in same}
        assert {law: f["checked"] for law, f in other["invariants"].items()} == {
            law: f["checked"] for law, f in first["invariants"].items()
        }


def test_another_seed_gives_another_day(new_database: NewDatabase, quotes: Path) -> None:
    words = ("demo", "--quotes", str(quotes), "--orders", "60", "--traders", "6", "--json")
    first = run(*words, "--seed", "1", "--database", new_database())
    other = run(*words, "--seed", "2", "--database", new_database())
    assert (first.code, other.code) == (0, 0), other.err
    assert (first.json["seed"], other.json["seed"]) == (1, 2)
    assert first.json["digest"] != other.json["digest"]


def test_two_days_may_be_run_in_one_database(new_database: NewDatabase, quotes: Path) -> None:
    url = new_database()
    words = ("demo", "--quotes", str(quotes), "--orders", "50", "--traders", "5", "--json")
    first, second = run(*words, "--database", url), run(*words, "--database", url)
    assert (first.code, second.code) == (0, 0), second.err
    assert (first.json["deposits"], second.json["deposits"]) == (6, 6)
    assert second.json["replays"] == 0
    checked = second.json["invariants"]["order_is_its_fills"]["checked"]
    assert checked >= first.json["orders"] + second.json["orders"]


def test_the_summary_is_readable_without_json(new_database: NewDatabase, quotes: Path) -> None:
    ended = run(
        *("demo", "--quotes", str(quotes), "--orders", "50", "--traders", "5"),
        *("--database", new_database()),
    )
    assert ended.code == 0, ended.err
    for words in ("quotes read", "refused: crossed", "denied by us", "margin calls", "laws hold"):
        assert words in ended.out


def test_the_embedded_server_and_its_folder_are_gone_after_the_day(
    quotes: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, tempfile; tempfile.tempdir = sys.argv.pop(1);"
        "from tradewright.cli.main import main; main()"
    )
    ended = subprocess.run(
        [
            *(sys.executable, "-c", program, str(tmp_path), "demo"),
            *("--quotes", str(quotes), "--orders", "30", "--traders", "3", "--json"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(ended.stdout)["orders"] >= 30
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_neither_a_driver_nor_a_parser_nor_a_painter(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from tradewright.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    code = end.code\n"
        "heavy = {'psycopg', 'rich', 'postgast', 'google.protobuf'} & set(sys.modules)\n"
        "print(sorted(heavy), code)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[] 0"


def test_help_of_the_demo_gives_an_example() -> None:
    ended = run("demo", "--help")
    assert ended.code == 0
    assert "tradewright demo --quotes USDJPY.csv.gz --orders 20000 --json" in ended.out
