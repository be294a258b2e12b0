"""What the house's accounts hold: rolled up from transfers, never a row that anybody waits for."""

from dataclasses import dataclass
from decimal import Decimal

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class HousePosition:
    """A house account now; `balance` is what it has received less what it has given."""

    code: str
    currency: str
    received: Decimal
    given: Decimal
    balance: Decimal


def roll_up_house_balances(connection: Session, *, from_zero: bool = False) -> int:
    """Count what was committed since the last time into the house's balances; return how much.

    Run it every minute or so: reading a position costs what came since. `from_zero` counts all
    transfers anew.
    """
    row = connection.execute(
        load_queries("tradewright.ledger")["roll_up_house_balances"], {"from_zero": from_zero}
    ).fetchone()
    return 0 if row is None else int(row[0])


def house_positions(connection: Session) -> list[HousePosition]:
    """Read what every house account holds now, by currency and code."""
    rows = connection.execute(load_queries("tradewright.ledger")["house_positions"]).fetchall()
    return [HousePosition(*row) for row in rows]
