"""Regimes: what the rules of ESMA and of the United States let an account bind, hold and close."""

from decimal import Decimal

import psycopg
import pytest
from msgspec import structs

from tests.db.trading.test_several_engines import until
from tests.floor import Floor, ask, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode
from tradewright.postgres.refusals import translate
from tradewright.risk.model import ClientClass, MarginPrice
from tradewright.risk.regimes import Regime
from tradewright.risk.stress import Scenario
from tradewright.trading.engine import Engine
from tradewright.trading.groups import (
    AccountGroup,
    PositionMode,
    assign_group,
    read_groups,
    set_group,
)
from tradewright.trading.model import CheckMargin, ClosePosition, MarginReport, OrderStatus
from tradewright.trading.stress import run_stress

US = AccountGroup(code="us", regime=Regime.US, position_mode=PositionMode.FIFO)


def american(floor: Floor, deposit: str, **changes: object) -> str:
    """Open an account with the largest leverage in a group under the rules of the United States."""
    set_group(floor.session, US)
    client_class = changes.pop("client_class", ClientClass.RETAIL)
    assert isinstance(client_class, ClientClass)
    return floor.account(deposit, leverage=500, group="us", client_class=client_class)


def used(floor: Floor, account: str) -> Decimal:
    report = run_stress(floor.session, Scenario(name="none"))
    (found,) = [one for one in report.accounts if one.account_id == account]
    assert found.after is not None
    return found.after.used


@pytest.mark.parametrize("client_class", list(ClientClass))
def test_under_the_us_regime_fifty_to_one_is_the_most_in_a_major_pair(
    floor: Floor, client_class: ClientClass
) -> None:
    """100,000 EURUSD at a middle of 1.10005 bind 2,200.10 USD; the spread costs 10."""
    account = american(floor, "2211", client_class=client_class)
    poor = american(floor, "2210", client_class=client_class)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
        lacking = deal(engine, buy(poor)).refusal_code
        assert lacking is ErrorCode.ORDER_MARGIN_INSUFFICIENT
    assert used(floor, account) == Decimal("2200.10")
    assert read_groups(floor.session)["us"] == US
    assert floor.broken_laws() == {}


def test_under_esma_a_retail_client_has_thirty_to_one_in_the_same_pair(floor: Floor) -> None:
    account = floor.account("3000", leverage=500)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        lacking = deal(engine, buy(account)).refusal_code
        assert lacking is ErrorCode.ORDER_MARGIN_INSUFFICIENT


def test_in_the_us_margin_at_the_opening_price_is_never_less_than_the_minimum_of_now(
    floor: Floor,
) -> None:
    """A lot bought at 1.10010 binds 2,200.20; at a middle of 1.20005 the minimum is 2,400.10."""
    account = american(floor, "2500")
    set_group(floor.session, structs.replace(US, margin_price=MarginPrice.OPEN))
    with floor.engine() as engine:
        deal(engine, buy(account))
        assert used(floor, account) == Decimal("2200.20")
        floor.session.execute("UPDATE accounts SET margin_call_level = 99999")
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        assert isinstance(ask(engine, CheckMargin(account_id=account)), MarginReport)
        assert floor.one("SELECT used_margin FROM margin_calls") == Decimal("2400.10")
        floor.quote(engine, "EURUSD", "1.09000", "1.09010")
        assert floor.position(account) == 0, "below 100 percent of what it bound at the opening"


def test_below_what_is_required_an_account_of_the_us_is_closed(floor: Floor) -> None:
    """The account's own stop-out level is 50 percent, at which ESMA's regime would leave it."""
    account = american(floor, "2300")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09920", "1.09930")  # 2,210 of 2,198.50
        assert floor.position(account) == 100_000
        report = run_stress(
            floor.session, Scenario(name="x", symbols={"EURUSD": Decimal("-0.001")})
        )
        assert report.accounts[0].is_stopped_out
        floor.quote(engine, "EURUSD", "1.09900", "1.09910")  # 2,190 of 2,198.10
        assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_who_comes_under_the_us_regime_with_a_position_is_watched_by_its_rules(
    floor: Floor,
) -> None:
    """100,000 at 1:500 bind 216.81 at 1.08405, and in the US 2,168.10: equity is 2,090.

    By the account's own levels nothing is due at 964 percent. No batch comes beside the quotes.
    """
    set_group(floor.session, US)
    set_group(floor.session, structs.replace(US, code="fifo", regime=Regime.ESMA))
    moved, changed = (
        floor.account("3700", leverage=500, group="fifo", client_class=ClientClass.PROFESSIONAL)
        for _ in range(2)
    )

    def is_closed(account: str) -> bool:
        floor.quote(engine, "EURUSD", "1.08400", "1.08410")
        return floor.position(account) == 0

    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        for account in (moved, changed):
            deal(engine, buy(account))
            assert not is_closed(account)
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        assign_group(floor.session, moved, "us")
        until(lambda: is_closed(moved))
        assert floor.position(changed) == 100_000
        set_group(floor.session, structs.replace(US, code="fifo"))
        until(lambda: is_closed(changed))
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET client_class = 'retail'",
        "UPDATE accounts SET leverage = 30",
        "UPDATE accounts SET margin_call_level = 9999",
    ],
)
def test_who_binds_more_by_a_change_in_plain_sql_is_called(floor: Floor, change: str) -> None:
    """At 1:500 a lot binds 220 USD, at 1:30 3,667; no batch comes beside the quotes."""
    account = floor.account("3700", leverage=500, client_class=ClientClass.PROFESSIONAL)

    def is_called() -> bool:
        floor.quote(engine, "EURUSD", "1.09900", "1.09910")
        return floor.rows("SELECT account_id::text FROM margin_calls") == [(account,)]

    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        assert not is_called()
        floor.session.execute(change.encode())
        until(is_called)


@pytest.mark.parametrize("mode", [PositionMode.NETTING, PositionMode.HEDGING])
def test_the_database_lets_no_group_of_the_us_hedge_or_net(
    floor: Floor, mode: PositionMode
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        set_group(floor.session, structs.replace(US, position_mode=mode))
    assert translate(caught.value).code is ErrorCode.ACCOUNT_GROUP_MALFORMED
    set_group(floor.session, US)
    with pytest.raises(psycopg.errors.CheckViolation):
        floor.session.execute(
            "UPDATE account_groups SET position_mode = %s WHERE code = 'us'", (mode,)
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        floor.session.execute("UPDATE account_groups SET regime = 'us' WHERE code = 'standard'")


def test_an_account_that_hedges_does_not_come_under_the_us_regime(floor: Floor) -> None:
    set_group(floor.session, AccountGroup(code="both", position_mode=PositionMode.HEDGING))
    account = floor.account("100000", group="both")
    set_group(floor.session, US)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        deal(engine, sell(account, 1000))
    with pytest.raises(psycopg.Error) as caught:
        assign_group(floor.session, account, "us")
    assert caught.value.sqlstate == "TW051"


def open_ids(floor: Floor) -> list[str]:
    rows = floor.rows("SELECT id::text FROM positions WHERE is_open ORDER BY id")
    return [row[0] for row in rows]


def close(engine: Engine, account: str, position_id: str) -> None:
    ask(engine, ClosePosition(account_id=account, symbol="EURUSD", position_id=position_id))


def test_in_the_us_the_oldest_is_closed_first_and_nothing_is_hedged(floor: Floor) -> None:
    account = american(floor, "100000")
    with floor.engine() as engine:
        for quantity in (1000, 1000):
            deal(engine, buy(account, quantity))
        oldest, youngest = open_ids(floor)
        early = refusal(lambda: close(engine, account, youngest))
        assert early.code is ErrorCode.POSITION_NOT_IN_TURN
        deal(engine, sell(account, 1000))
        assert open_ids(floor) == [youngest], "an order of the other side closes, and hedges not"
        close(engine, account, youngest)
        assert isinstance(ask(engine, CheckMargin(account_id=account)), MarginReport)
    assert oldest not in open_ids(floor)
    assert floor.broken_laws() == {}
