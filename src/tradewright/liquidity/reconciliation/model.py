"""Values of the reconciliation with providers: their line, our execution, and a difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from tradewright.liquidity.model import Side


class Bucket(StrEnum):
    """What kind of difference it is; `timing` is expected to vanish by itself."""

    MATCHED = "matched"
    OURS_ONLY = "ours_only"
    THEIRS_ONLY = "theirs_only"
    TERMS_MISMATCH = "terms_mismatch"
    QUANTITY_MISMATCH = "quantity_mismatch"
    PRICE_MISMATCH = "price_mismatch"
    DUPLICATE = "duplicate"
    SET_ASIDE = "set_aside"
    TIMING = "timing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """One trade as the provider lists it."""

    execution_id: str
    request_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution as we have it, booked or set aside; what was taken back is not there.

    `is_undecided` says that a part of it is set aside and nobody has decided about it.
    """

    execution_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    executed_on: date
    is_undecided: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One compared execution: its bucket, and the figures of both sides where they differ."""

    execution_id: str
    bucket: Bucket
    details: Mapping[str, str]
