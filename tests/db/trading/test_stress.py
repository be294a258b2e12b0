"""Stress of the live book: what it foretells is what the engine then does."""

import json
import threading
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, row_counts, sell
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError
from tradewright.risk.model import ClientClass
from tradewright.risk.stress import Scenario
from tradewright.trading.stress import run_stress

FALL = Scenario(name="fall", symbols={"EURUSD": Decimal("-0.05")})


def test_a_gap_does_what_stress_has_foretold(floor: Floor, open_session: OpenSession) -> None:
    retail, rich = floor.account("4000"), floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(retail))
        deal(engine, buy(rich))
        counts = row_counts(floor.session)
        report = run_stress(open_session(), FALL)
        assert row_counts(floor.session) == counts
        found = {one.account_id: one for one in report.accounts}
        bid, ask = report.prices["EURUSD"][2:]
        floor.quote(engine, "EURUSD", f"{bid:.5f}", f"{ask:.5f}")
        floor.quote(engine, "EURUSD", f"{bid:.5f}", f"{ask:.5f}")
    # 1.10005 * 0.95 = 1.0450475, less half the spread: 1.04500; 5,510 lost of 4,000.
    assert found[retail].is_stopped_out
    assert found[retail].forgiven.quantize(Decimal(1)) == Decimal(1510)
    forgiven = floor.one("SELECT sum(forgiven) FROM stop_outs")
    assert abs(forgiven - found[retail].forgiven) <= 1  # the engine's quote is rounded to ticks
    assert floor.position(retail) == 0
    assert not found[rich].is_called
    assert floor.position(rich) == 100_000
    assert report.house_pnl is not None
    assert report.house_pnl.quantize(Decimal(1)) == Decimal(11_000)  # it is short 200,000
    assert floor.broken_laws() == {}


def test_without_a_move_the_book_is_as_it_is(floor: Floor, open_session: OpenSession) -> None:
    account = floor.account("10000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(account))
        report = run_stress(open_session(), Scenario(name="none"))
    (found,) = report.accounts
    assert found.before == found.after
    assert report.house_pnl == 0
    assert found.after is not None
    assert found.after.equity == Decimal(9990)


def test_the_book_is_stressed_while_it_is_locked_by_a_batch(
    floor: Floor, open_session: OpenSession
) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
    holder, done = open_session(), threading.Event()

    def stress() -> None:
        run_stress(open_session(), FALL)
        done.set()

    with holder.transaction():
        holder.execute("SELECT FROM accounts FOR UPDATE")
        thread = threading.Thread(target=stress)
        thread.start()
        assert done.wait(10)
    thread.join()


def test_the_command_prints_a_case_as_json_and_for_a_person(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
    base = ["risk", "stress", "--database", floor.conninfo]
    done = CliRunner().invoke(cli, [*base, "--symbol", "EURUSD=-9", "--spread", "2", "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["accounts"][0]["account"] == account
    assert facts["house"]["pnl"] == "9900.45"
    by_class = ["--class", "fx_major=-9", "--spread", "2", "--json"]
    again = CliRunner().invoke(cli, [*base, *by_class])
    assert json.loads(again.stdout)["accounts"] == facts["accounts"]
    unknown = CliRunner().invoke(cli, [*base, "--class", "fx=-9"])
    assert unknown.exit_code == 2
    assert "'fx' is no class of assets: they are fx_major, fx_minor, gold," in unknown.output
    shown = CliRunner().invoke(cli, [*base, "--case", "snb-2015"])
    assert shown.exit_code == 0, shown.output
    assert "1 accounts: 0 called, 0 stopped out, 0 below 0" in shown.stdout
    wrong = CliRunner().invoke(cli, [*base, "--case", "snb-2015", "--spread", "3"])
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--symbol", "EURUDS=-50"], ErrorCode.INSTRUMENT_UNKNOWN),
        (["--against-all", "XYZ=1"], ErrorCode.INPUT_CURRENCY_UNKNOWN),
        (["--in", "XYZ"], ErrorCode.INPUT_CURRENCY_UNKNOWN),
    ],
)
def test_a_name_that_nothing_is_called_by_is_refused(
    floor: Floor, words: list[str], code: ErrorCode
) -> None:
    base = ["risk", "stress", "--database", floor.conninfo]
    done = CliRunner().invoke(cli, [*base, *words])
    assert isinstance(done.exception, InputError)
    assert done.exception.code is code


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--case", "snb-2015", "--case", "btc-2020"], "Give one case"),
        (["--spread", "-1"], "a spread is 0 or wider"),
        (["--symbol", "EURUSD=NaN"], "a finite number"),
        (["--symbol", "EURUSD=-Infinity"], "a finite number"),
        (["--symbol", "EURUSD=1", "--symbol", "EURUSD=2"], "is moved twice"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(floor: Floor, words: list[str], why: str) -> None:
    done = CliRunner().invoke(cli, ["risk", "stress", "--database", floor.conninfo, *words])
    assert (done.exit_code, why in done.output) == (2, True)
