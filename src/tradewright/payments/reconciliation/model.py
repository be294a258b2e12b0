"""Values of reconciliation: a statement's line, what we know of it, and a difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Bucket(StrEnum):
    """What kind of difference it is; `timing` is expected to vanish by itself."""

    MATCHED = "matched"
    INTERNAL_ONLY = "internal_only"
    EXTERNAL_ONLY = "external_only"
    AMOUNT_MISMATCH = "amount_mismatch"
    STATUS_MISMATCH = "status_mismatch"
    LEDGER_MISMATCH = "ledger_mismatch"
    DUPLICATE = "duplicate"
    TIMING = "timing"


class MatchKey(NamedTuple):
    """By what the three legs are compared: the kind of movement and the provider's name for it."""

    kind: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One booking as the provider states it."""

    kind: str
    reference: str
    currency: str
    amount: Decimal
    fee: Decimal
    booked_on: date

    @property
    def key(self) -> MatchKey:
        """Return what the line is compared by."""
        return MatchKey(self.kind, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What we know of one movement: the payment's or claim's row, and what the ledger moved.

    `is_done` says that its state is final for the provider too, `is_booked` that the ledger must
    have moved its amount; `ledger_amount` is what passed through the provider's clearing holder
    under its id.
    """

    kind: str
    reference: str
    currency: str
    amount: Decimal
    status: str
    is_done: bool
    is_booked: bool
    ledger_amount: Decimal
    age: timedelta

    @property
    def key(self) -> MatchKey:
        """Return what the movement is compared by."""
        return MatchKey(self.kind, self.reference)


@dataclass(frozen=True, slots=True)
class Match:
    """One compared movement: its bucket, and the figures of both sides where they differ."""

    key: MatchKey
    bucket: Bucket
    details: Mapping[str, str]
