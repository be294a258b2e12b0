"""Busts and corrections of providers: listed beside what they are about, and settled by people.

The gateway keeps each with its message (`liquidity.fix.corrections`). Nothing is reversed by
itself: the client's fill is a contract with the house, which stays until people have decided what
becomes of it (decision 029). What they decide is kept once, with who and why. `adjustments` books
a corrected price, `reversing` a bust.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.adjustments import adjust_trades
from tradewright.trading.reversing import Bust, not_reversible, open_quantity, reverse_fill

_QUERIES = "tradewright.trading"


class Settlement(StrEnum):
    """What is decided: our fill stands, the house has dealt anew, or it was undone by hand.

    `ADJUSTED` books the difference that a corrected price makes to the client, `REVERSED` takes
    back what is still open of a busted fill.
    """

    KEPT = "kept"
    TRADED_OUT = "traded_out"
    UNDONE = "undone"
    ADJUSTED = "adjusted"
    REVERSED = "reversed"


_MOVES_MONEY = frozenset({Settlement.ADJUSTED, Settlement.REVERSED})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a bust or a correction, by whom and why, and who else has agreed."""

    settlement: Settlement
    actor: str
    reason: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCorrection:
    """A bust or a correction, what we have booked of what it is about, and what was decided.

    `found_as` says where the execution stands here: a fill of an order, a hedge, set aside, or
    nowhere; `booked_quantity` and `booked_price` are as we have it. `given_back` is the money that
    went with `reversed_quantity`; `dealt_quantity` is all of an execution that was booked in part
    and set aside in part; `open_quantity` is what of a bust that waits could be reversed.
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
    fill_id: str | None
    booked_quantity: Decimal | None
    booked_price: Decimal | None
    settlement: str | None
    actor: str | None
    reason: str | None
    approved_by: str | None
    adjusted_by: Decimal | None
    reversed_quantity: Decimal | None
    given_back: Decimal | None
    dealt_quantity: Decimal | None = None
    open_quantity: Decimal | None = None


def list_corrections(
    connection: Session, *, count_max: int, with_settled: bool = False
) -> list[ProviderCorrection]:
    """Return busts and corrections, the oldest first; those still open unless asked."""
    rows = connection.execute(
        load_queries(_QUERIES)["provider_corrections"],
        {"count_max": count_max, "with_settled": with_settled, "correction_id": None},
    )
    return [_with_open_quantity(connection, ProviderCorrection(*row)) for row in rows.fetchall()]


def settle_correction(
    connection: Session, correction_id: str, decision: Decision
) -> ProviderCorrection:
    """Keep what was decided about a bust or a correction, once, and book what it moves.

    In the caller's transaction. An adjustment gives or charges the client what the corrected price
    makes of each trade of the execution, at the trade's own rate, whatever became of the position:
    a trade's price counts in full in what its position has brought. Trades and their fill stay.
    A reversal takes back what the fill has opened and is open still.

    Raises:
        InputError: CORRECTION_UNKNOWN, FILL_RESOLUTION_EMPTY.
        StateError: CORRECTION_SETTLED, CORRECTION_NOT_ADJUSTABLE, CORRECTION_NOT_REVERSIBLE,
            CORRECTION_NOT_APPROVED.

    """
    if not (decision.actor.strip() and decision.reason.strip()):
        raise _says_too_little(correction_id)
    correction = _find(connection, correction_id)
    if correction is None:
        raise _unknown(correction_id)
    _require_allowed(correction, decision)
    row = connection.execute(
        load_queries(_QUERIES)["settle_provider_correction"],
        {"correction_id": correction_id, **asdict(decision)},
    ).fetchone()
    if row is None:
        raise _settled(correction_id)
    _book(connection, correction, decision)
    settled = _find(connection, correction_id)
    return correction if settled is None else settled


def _book(connection: Session, correction: ProviderCorrection, decision: Decision) -> None:
    """Book what a decision moves; it has been found to fit."""
    fill_id, price = correction.fill_id, correction.price
    if fill_id is None:
        return
    if decision.settlement is Settlement.ADJUSTED and price is not None:
        adjust_trades(connection, correction.id, fill_id, price)
    elif decision.settlement is Settlement.REVERSED:
        reverse_fill(connection, Bust(correction.id, fill_id, decision.actor))


def _with_open_quantity(connection: Session, correction: ProviderCorrection) -> ProviderCorrection:
    """Tell of a bust that waits how much of its fill could be reversed."""
    fill_id = correction.fill_id
    if correction.kind != "bust" or correction.settlement is not None or fill_id is None:
        return correction
    return replace(correction, open_quantity=open_quantity(connection, fill_id))


def _require_allowed(correction: ProviderCorrection, decision: Decision) -> None:
    """Refuse a decision that does not fit what was told, or lacks somebody's word."""
    if decision.settlement is Settlement.ADJUSTED:
        _require_adjustable(correction)
    elif decision.settlement is Settlement.REVERSED:
        _require_reversible(correction)
    _require_approval(correction, decision)


def _require_adjustable(correction: ProviderCorrection) -> None:
    """Refuse to adjust what is no corrected price of a client's fill.

    A part that was set aside is no client's: the price of the whole execution is that of the fill.
    """
    if (
        correction.kind == "correction"
        and correction.fill_id is not None
        and correction.price is not None
        and correction.quantity in (None, correction.booked_quantity, correction.dealt_quantity)
    ):
        return
    raise StateError(
        ErrorCode.CORRECTION_NOT_ADJUSTABLE,
        f'{correction.kind} "{correction.id}" cannot be booked as a difference of prices',
        why=f"It is about {correction.found_as}, of {correction.quantity} at {correction.price}; "
        f"booked are {correction.booked_quantity}. Only another price for the whole of a client's "
        "fill is a difference in money; another quantity, or none, changes what is open.",
        hint="Settle the bust of a fill as reversed. Trade anything else out or undo it by hand, "
        "then settle it as kept, traded_out or undone.",
        facts={"found_as": correction.found_as},
    )


def _require_reversible(correction: ProviderCorrection) -> None:
    """Refuse to reverse what is no bust of the whole of a client's fill."""
    quantity, booked = correction.quantity, correction.booked_quantity
    is_whole = quantity is None or (booked is not None and quantity >= booked)
    if correction.kind == "bust" and correction.fill_id is not None and is_whole:
        return
    raise not_reversible(
        correction.id,
        why=f"It is a {correction.kind} of {quantity}, about {correction.found_as}; booked are "
        f"{booked}. Only the bust of the whole of a client's fill can be booked.",
        hint="Settle a corrected price as adjusted. Trade anything else out or undo it by hand, "
        "then settle it as kept, traded_out or undone.",
    )


def _require_approval(correction: ProviderCorrection, decision: Decision) -> None:
    """Refuse to move a client's money on one person's word, and an approval of anything else."""
    approver = (decision.approved_by or "").strip()
    moves = decision.settlement in _MOVES_MONEY
    if moves == bool(approver) and approver != decision.actor.strip():
        return
    raise StateError(
        ErrorCode.CORRECTION_NOT_APPROVED,
        f'correction "{correction.id}" cannot be settled as {decision.settlement} by '
        f'"{decision.actor}" and "{approver}"',
        why="Four eyes: an adjustment or a reversal moves a client's money, so another than who "
        "decides agrees; other decisions move none, and take nobody's approval.",
        hint="Name another with --approved-by for adjusted and reversed, and nobody otherwise.",
    )


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
