"""What a provider takes back or corrects: ExecutionReports with ExecType (150) H and G.

A bust or a correction is about an execution that was told before, by its ExecID (19 ExecRefID). It
says nothing of a request's end. It is read leniently, as it must never be lost: what is missing or
cannot be read is left empty, and the whole message is kept beside it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from tradewright.liquidity.fix.application import ID_LENGTH_MAX, REPORT, request_id_of
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import read_time

_AMOUNT_MAX = Decimal(10) ** 12
_PLACES = 8


class CorrectionKind(StrEnum):
    """FIX ExecType (150): trade cancel H, trade correct G."""

    BUST = "bust"
    CORRECTION = "correction"


_KINDS = {"H": CorrectionKind.BUST, "G": CorrectionKind.CORRECTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A bust or a correction; quantity and price are what the provider holds to be right now."""

    kind: CorrectionKind
    execution_id: str
    refers_to: str | None
    request_id: str | None
    symbol: str | None
    quantity: Decimal | None
    price: Decimal | None
    told_at: datetime | None


def read_correction(message: Message) -> Correction | None:
    """Return what a message takes back or corrects; None when it does neither.

    Without an ExecID of its own it is known by what it refers to, so that it is kept once. A name
    that is longer than any is cut off.
    """
    kind = _KINDS.get(message.text(150)) if message.kind == REPORT else None
    if kind is None:
        return None
    refers_to = message.get(19)
    told = message.text(17)
    named = told if told not in ("", "0") else f"{kind}-{refers_to or message.text(37)}"
    return Correction(
        kind=kind,
        execution_id=named[:ID_LENGTH_MAX],
        refers_to=None if refers_to is None else refers_to[:ID_LENGTH_MAX],
        request_id=request_id_of(message)[:ID_LENGTH_MAX] or None,
        symbol=message.get(55),
        quantity=_amount(message, 32),
        price=_amount(message, 31),
        told_at=_told_at(message),
    )


def _amount(message: Message, tag: int) -> Decimal | None:
    try:
        amount = Decimal(message.text(tag))
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= _AMOUNT_MAX:
        return None
    kept = round(amount, _PLACES)
    return kept if kept > 0 else None


def _told_at(message: Message) -> datetime | None:
    try:
        return read_time(message.get(60) or message.text(52))
    except ValueError:
        return None
