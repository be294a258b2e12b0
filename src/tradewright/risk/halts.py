"""Halts: for whom or in what nothing may be opened now, by whose word and why.

Reducing is always let through. A kill (`halted`) also cancels every order that rests, as Delegated
Regulation (EU) 2017/589 (RTS 6), article 12, wants it possible for all orders of a firm.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from tradewright.risk.limits import Target, targets_of


class HaltMode(StrEnum):
    """How far a halt goes: orders that open are denied; a kill cancels what rests besides."""

    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"


class Halt(Struct, frozen=True, kw_only=True):
    """A halt in force."""

    mode: HaltMode
    target: Target
    set_by: str
    reason: str
    set_at: datetime


class HaltBook:
    """All halts in force, found by what an order is about."""

    def __init__(self, halts: Iterable[Halt] = ()) -> None:
        self._by_target = {halt.target: halt for halt in halts}

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def of(self, account_id: str, group_code: str, symbol: str) -> Halt | None:
        """Return the halt under which an order falls, a kill before a reduce-only; None if none."""
        if not self._by_target:
            return None
        found = [
            halt
            for target in targets_of(account_id, group_code, symbol)
            if (halt := self._by_target.get(target)) is not None
        ]
        return min(found, key=lambda halt: halt.mode is not HaltMode.HALTED, default=None)
