"""Stress of the live book: what it foretells is what the engine then does."""

import json
import threading
from decimal import Decimal

import pytest
from click.testing import CliRunner
from msgspec import structs

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, row_counts, sell
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError
from tradewright.risk.model import ClientClass, HedgedMargin
from tradewright.risk.stress import Scenario, Together
from tradewright.routing.model import Book
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.stress import Capital, run_stress

NOTHING = Decimal(0)
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
    assert report.house.pnl is not None
    assert report.house.pnl.quantize(Decimal(1)) == Decimal(11_000)  # it is short 200,000
    assert floor.broken_laws() == {}


def test_without_a_move_the_book_is_as_it_is(floor: Floor, open_session: OpenSession) -> None:
    account = floor.account("10000", client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, sell(account))
        report = run_stress(open_session(), Scenario(name="none"))
    (found,) = report.accounts
    assert found.before == found.after
    assert report.house.pnl == 0
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


@pytest.mark.parametrize("spread", ["0", "1"])
@pytest.mark.parametrize("percent", ["-100", "-306", "-99.99999999"])
def test_a_price_at_or_below_zero_leaves_figures_or_none_and_breaks_nothing(
    floor: Floor, open_session: OpenSession, percent: str, spread: str
) -> None:
    account = floor.account(currency="EUR")
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
    share = Decimal(percent) / 100
    scenario = Scenario(name="x", symbols={"EURUSD": share}, spread_factor=Decimal(spread))
    report = run_stress(open_session(), scenario)
    assert (report.accounts[0].after is None) == (report.prices["EURUSD"][2] <= 0)


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
        (["--lose", "LP-ONE", "--lose", "LP-ONE=1"], "a provider is lost once"),
        (["--lose", "LP-ONE=much"], "is not PROVIDER or PROVIDER=OWED"),
        (["--required", "5"], "stands beside --own-funds"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(floor: Floor, words: list[str], why: str) -> None:
    done = CliRunner().invoke(cli, ["risk", "stress", "--database", floor.conninfo, *words])
    assert (done.exit_code, why in done.output) == (2, True)


def test_a_lost_provider_leaves_what_was_passed_on_to_it_to_the_house(
    floor: Floor, open_session: OpenSession
) -> None:
    """100,000 EUR bought of LP-ONE for a client: lost by a rise of 10 percent, which it owes."""
    account = floor.account("100000", book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
    rise = Scenario(name="rise", symbols={"EURUSD": Decimal("0.1")})
    session, funds = open_session(), Capital(own_funds=Decimal(20_000), required=Decimal(10_000))
    kept = run_stress(session, rise, capital=funds).house
    assert (kept.pnl, kept.unhedged, kept.capital) == (NOTHING, NOTHING, Decimal(20_000))
    idle = structs.replace(rise, lost={"LP-TWO": Decimal(0)})
    assert run_stress(session, idle, capital=funds).house == kept
    gone = structs.replace(rise, lost={"LP-ONE": Decimal(0)})
    lost = run_stress(session, gone, capital=funds).house
    assert lost.provider_loss == Decimal("11000.50")
    assert (lost.unhedged_before, lost.unhedged) == (NOTHING, Decimal("121005.50"))
    assert (lost.capital, lost.shortfall) == (Decimal("8999.50"), Decimal("1000.50"))


def test_what_the_house_deals_itself_is_not_lost_with_the_provider_whose_quote_it_was(
    floor: Floor, open_session: OpenSession
) -> None:
    """Short 100,000 EUR to a client, at LP-ONE's price: 11,000.50 lost by a rise of 10 percent."""
    account = floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
    rise = Scenario(name="rise", symbols={"EURUSD": Decimal("0.1")})
    kept = run_stress(open_session(), rise).house
    assert (kept.pnl, kept.unhedged) == (Decimal("-11000.50"), Decimal("121005.50"))
    fall = structs.replace(rise, symbols={"EURUSD": Decimal("-0.1")})
    for scenario in (rise, fall):
        gone = structs.replace(scenario, lost={"LP-ONE": Decimal(0)})
        assert run_stress(open_session(), gone).house == run_stress(open_session(), scenario).house


def test_who_hedges_all_and_owes_is_stopped_out_without_a_level(
    floor: Floor, open_session: OpenSession
) -> None:
    """Long and short 100,000 bind nothing net; 10 are lost at once, and 10 with each pip."""
    net = AccountGroup(
        code="net", position_mode=PositionMode.HEDGING, hedged_margin=HedgedMargin.NET
    )
    set_group(floor.session, net)
    account = floor.account("4000", client_class=ClientClass.PROFESSIONAL, group="net")
    wide = Scenario(name="wide", spread_factor=Decimal(399))
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        deal(engine, sell(account))
        (found,) = run_stress(open_session(), wide).accounts
        assert found.after is not None
        assert (found.after.used, found.after.equity) == (NOTHING, Decimal(0))
        assert not found.is_stopped_out
        wider = structs.replace(wide, spread_factor=Decimal(400))
        (found,) = run_stress(open_session(), wider).accounts
        assert found.after is not None
        assert (found.after.level, found.negative) == (None, Decimal(10))
        assert (found.is_called, found.is_stopped_out) == (False, True)
        floor.quote(engine, "EURUSD", "1.08000", "1.12010")
        assert floor.position(account) == 0
        assert floor.rows("SELECT margin_level FROM stop_outs") == [(None,)]
    assert floor.broken_laws() == {}


def test_prices_together_go_against_what_the_house_has_open(
    floor: Floor, open_session: OpenSession
) -> None:
    account = floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account, 1000, symbol="GBPUSD"))
    scenario = Scenario(name="x", symbols={"GBPUSD": Decimal("-0.1")}, together=Together.CLASS)
    report = run_stress(open_session(), scenario)
    assert report.scenario.symbols == {"EURUSD": Decimal("0.1"), "GBPUSD": Decimal("0.1")}
    assert report.house.pnl is not None
    assert report.house.pnl < 0


def test_the_command_tells_of_lost_providers_and_of_capital(floor: Floor) -> None:
    account = floor.account("100000", book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
    base = ["risk", "stress", "--database", floor.conninfo, "--symbol", "EURUSD=10"]
    funds = ["--lose", "LP-ONE=500", "--own-funds", "20000", "--required", "10000"]
    done = CliRunner().invoke(cli, [*base, *funds, "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)["house"]
    assert (facts["provider_loss"], facts["unhedged"]) == ("11500.50", "121005.50")
    assert (facts["capital"], facts["capital_ratio"]) == ("8499.50", "85.00")
    shown = CliRunner().invoke(cli, [*base, *funds])
    assert "lost with providers: 11500.50 USD" in shown.stdout
    assert "unhedged: 0.00 USD before, 121005.50 USD after" in shown.stdout
    told = "capital: 8499.50 USD, 85.00 % of what is required, 1500.50 USD missing"
    assert told in shown.stdout
    unknown = CliRunner().invoke(cli, [*base, "--lose", "LP-NONE"])
    assert isinstance(unknown.exception, InputError)
    assert unknown.exception.code is ErrorCode.PROVIDER_UNKNOWN
