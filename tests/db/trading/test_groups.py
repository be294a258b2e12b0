"""Groups of accounts: opened once, changed with a trace, named by every account."""

import psycopg
import pytest

from tests.floor import Floor, buy, deal
from tradewright.core.errors import ErrorCode
from tradewright.postgres.refusals import translate
from tradewright.trading.groups import STANDARD, AccountGroup, PositionMode, read_groups, set_group
from tradewright.trading.model import OrderStatus


def test_every_account_stands_in_a_group_from_the_beginning(floor: Floor) -> None:
    account = floor.account()
    assert floor.one("SELECT group_code FROM accounts WHERE id = %s", account) == STANDARD
    assert read_groups(floor.session) == {STANDARD: AccountGroup(code=STANDARD)}
    assert floor.broken_laws() == {}


def test_a_group_is_opened_and_changed_with_a_trace(floor: Floor) -> None:
    for mode in (PositionMode.NETTING, PositionMode.HEDGING, PositionMode.HEDGING):
        set_group(floor.session, AccountGroup(code="pro", position_mode=mode))
    assert read_groups(floor.session)["pro"].position_mode is PositionMode.HEDGING
    changes = floor.rows(
        "SELECT action, changes -> 'position_mode' FROM audit_log"
        " WHERE table_name = 'account_groups' AND row_id ="
        " (SELECT id FROM account_groups WHERE code = 'pro') ORDER BY seq"
    )
    assert changes == [("insert", "netting"), ("update", ["netting", "hedging"])]
    assert floor.broken_laws() == {}


def test_an_account_of_another_group_trades(floor: Floor) -> None:
    set_group(floor.session, AccountGroup(code="pro"))
    account = floor.account(group="pro")
    with floor.engine() as engine:
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
    assert floor.broken_laws() == {}


def test_an_account_in_a_group_that_does_not_exist_is_refused_by_its_code(floor: Floor) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
        floor.account(group="nobodys")
    assert translate(caught.value).code is ErrorCode.ACCOUNT_GROUP_UNKNOWN
