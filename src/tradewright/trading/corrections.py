"""Busts and corrections of providers: listed beside what they are about, and settled by people.

The gateway keeps each with its message (`liquidity.fix.corrections`). Nothing is reversed by
itself: the client's fill is a contract with the house, which stays until people have decided what
becomes of it (decision 029). What they decide is kept once, with who and why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.trading"


class Settlement(StrEnum):
    """What is decided: our fill stands, the house has dealt anew, or it was undone by hand."""

    KEPT = "kept"
    TRADED_OUT = "traded_out"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class ProviderCorrection:
    """A bust or a correction, what we have booked of what it is about, and what was decided.

    `found_as` says where the execution stands here: a fill of an order, a hedge, set aside, or
    nowhere; `booked_quantity` and `booked_price` are as we have it.
    """

    id: str
    provider: str
    kind: str
    execution_id: str
    refers_to: str | None
    request_id: str | None
    symbol: str | None
    quantity: Decimal | None
    price: Decimal | None
    told_at: datetime | None
    age: timedelta
    found_as: str
    order_id: str | None
    account_id: str | None
    booked_quantity: Decimal | None
    booked_price: Decimal | None
    settlement: str | None
    actor: str | None
    reason: str | None


def list_corrections(
    connection: Session, *, count_max: int, with_settled: bool = False
) -> list[ProviderCorrection]:
    """Return busts and corrections, the oldest first; those still open unless asked."""
    rows = connection.execute(
        load_queries(_QUERIES)["provider_corrections"],
        {"count_max": count_max, "with_settled": with_settled, "correction_id": None},
    )
    return [ProviderCorrection(*row) for row in rows]


def settle_correction(
    connection: Session, correction_id: str, settlement: Settlement, *, actor: str, reason: str
) -> ProviderCorrection:
    """Keep what was decided about a bust or a correction, once.

    Raises:
        InputError: CORRECTION_UNKNOWN, FILL_RESOLUTION_EMPTY.
        StateError: CORRECTION_SETTLED.

    """
    if not (actor.strip() and reason.strip()):
        raise _says_too_little(correction_id)
    if _find(connection, correction_id) is None:
        raise _unknown(correction_id)
    row = connection.execute(
        load_queries(_QUERIES)["settle_provider_correction"],
        {
            "correction_id": correction_id,
            "settlement": settlement,
            "actor": actor,
            "reason": reason,
        },
    ).fetchone()
    settled = _find(connection, correction_id)
    if row is None or settled is None:
        raise _settled(correction_id)
    return settled


def _find(connection: Session, correction_id: str) -> ProviderCorrection | None:
    row = connection.execute(
        load_queries(_QUERIES)["provider_corrections"],
        {"count_max": 1, "with_settled": True, "correction_id": correction_id},
    ).fetchone()
    return None if row is None else ProviderCorrection(*row)


def _says_too_little(correction_id: str) -> InputError:
    return InputError(
        ErrorCode.FILL_RESOLUTION_EMPTY,
        f'the decision about correction "{correction_id}" lacks who or why',
        why="It is kept for those who ask later who decided, and for what reason.",
        hint="Give both an actor and a reason.",
    )


def _unknown(correction_id: str) -> InputError:
    return InputError(
        ErrorCode.CORRECTION_UNKNOWN,
        f'correction "{correction_id}" does not exist',
        why="Busts and corrections are found by the id under which they were kept.",
        hint="List them with tradewright providers corrections.",
    )


def _settled(correction_id: str) -> StateError:
    return StateError(
        ErrorCode.CORRECTION_SETTLED,
        f'correction "{correction_id}" has been decided about before',
        why="A decision is made once, and is never changed.",
        hint="Read it with tradewright providers corrections --all.",
    )
