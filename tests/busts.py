"""What tests of busts share: a provider's bust of an execution, and the word of two about it."""

from decimal import Decimal

from tests.floor import Floor
from tradewright.soak.trading.replay.record import Difference
from tradewright.soak.trading.service import REPLAYS, read_record
from tradewright.trading.corrections import (
    Decision,
    ProviderCorrection,
    Settlement,
    settle_correction,
)

REVERSED = Decision(Settlement.REVERSED, "user:anna", "their error", "user:ben")


def executions(floor: Floor, account: str) -> list[str]:
    """Return the executions of an account's fills, in their order."""
    rows = floor.rows(
        "SELECT f.provider_execution_id FROM order_fills AS f JOIN orders AS o ON o.id = f.order_id"
        " WHERE o.account_id = %s ORDER BY f.id",
        account,
    )
    return [row[0] for row in rows]


def bust(floor: Floor, execution_id: str, quantity: int | None = None) -> str:
    """Let the provider of an execution take it back; return the bust's id."""
    correction_id: str = floor.one(
        "INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to, quantity)"
        " SELECT provider_id, 'bust', 'B-' || uuidv7(), provider_execution_id, %s FROM order_fills"
        " WHERE provider_execution_id = %s RETURNING id::text",
        quantity,
        execution_id,
    )
    return correction_id


def correct(floor: Floor, execution_id: str, price: str) -> str:
    """Let the provider of an execution correct its price; return the correction's id."""
    correction_id: str = floor.one(
        "INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to, price)"
        " SELECT provider_id, 'correction', 'G-' || uuidv7(), provider_execution_id, %s"
        " FROM order_fills WHERE provider_execution_id = %s RETURNING id::text",
        Decimal(price),
        execution_id,
    )
    return correction_id


def settle(floor: Floor, correction_id: str, decision: Decision = REVERSED) -> ProviderCorrection:
    """Decide about a bust or a correction in a transaction of its own."""
    with floor.session.transaction():
        return settle_correction(floor.session, correction_id, decision)


def reverse(floor: Floor, execution_id: str) -> ProviderCorrection:
    """Let an execution be busted, and two people decide to reverse it."""
    return settle(floor, bust(floor, execution_id))


def differences(floor: Floor) -> list[Difference]:
    """Return what the soak's replay of everything would find."""
    record = read_record(floor.session)
    return [found for replay in REPLAYS for found in replay(record)]
