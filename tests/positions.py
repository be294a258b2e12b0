"""What tests of position modes share: accounts of a mode, what they hold, and ways to close it."""

from decimal import Decimal
from typing import Any

from tests.floor import Floor
from tradewright.core.ids import new_id_text
from tradewright.risk.model import ClientClass
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import ClosePosition
from tradewright.trading.pairings import CloseBy


def account_of(floor: Floor, mode: PositionMode, **fields: Any) -> str:
    """Open a rich professional's account in a group of the mode."""
    set_group(floor.session, AccountGroup(code=mode, position_mode=mode))
    rich: dict[str, Any] = {"leverage": 500, "client_class": ClientClass.PROFESSIONAL}
    return floor.account("1000000", group=mode, **rich | fields)


def held(floor: Floor, account: str) -> list[tuple[Any, ...]]:
    """Return (quantity, average price) of what is open, the oldest first."""
    return floor.rows(
        "SELECT quantity, average_price FROM positions WHERE account_id = %s AND is_open"
        " ORDER BY id",
        account,
    )


def ids(floor: Floor, account: str) -> list[str]:
    rows = floor.rows(
        "SELECT id::text FROM positions WHERE account_id = %s AND is_open ORDER BY id", account
    )
    return [row[0] for row in rows]


def close(account: str, position_id: str, quantity: int | None = None) -> ClosePosition:
    return ClosePosition(
        account_id=account,
        position_id=position_id,
        symbol="EURUSD",
        quantity=None if quantity is None else Decimal(quantity),
        client_order_id=None if quantity is None else new_id_text(),
    )


def pair_up(account: str, position_id: str, by_position_id: str) -> CloseBy:
    return CloseBy(
        account_id=account,
        close_by_id=new_id_text(),
        position_id=position_id,
        by_position_id=by_position_id,
        symbol="EURUSD",
    )


def fills_of(floor: Floor, account: str) -> Decimal:
    """Return the signed sum of all fills of an account."""
    total: Decimal = floor.one(
        "SELECT coalesce(sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END), 0)"
        " FROM order_fills AS f JOIN orders AS o ON o.id = f.order_id WHERE o.account_id = %s",
        account,
    )
    return total
