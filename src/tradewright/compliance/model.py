"""Values of the reports: what one is, what it is asked for, and what it found."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tradewright.postgres.connect import Session

Row = tuple[Any, ...]
"""One row of a report, in the order of its columns."""


class Option(StrEnum):
    """What a report may be narrowed by; also the name of the command's option."""

    BEGIN = "from"
    END = "to"
    ACCOUNT = "account"
    ORDER = "order"
    PROVIDER = "provider"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report is about: from an instant until before another, and of whom; None is all."""

    begin: datetime | None = None
    end: datetime | None = None
    account_id: str | None = None
    order_id: str | None = None
    provider: str | None = None
    symbol: str | None = None

    def given(self) -> Mapping[Option, object]:
        """Return what it was narrowed by."""
        values = (
            self.begin,
            self.end,
            self.account_id,
            self.order_id,
            self.provider,
            self.symbol,
        )
        return {
            option: value for option, value in zip(Option, values, strict=True) if value is not None
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What stands at the head of a report, and its rows as they are read."""

    facts: Mapping[str, object]
    rows: Iterator[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report by its name: what it is for, the rule behind it, and how it is read.

    `read` is called in one read-only snapshot, which stays open until its rows are taken.
    """

    name: str
    purpose: str
    law: str
    options: tuple[Option, ...]
    columns: tuple[str, ...]
    shown: tuple[str, ...]
    read: Callable[[Session, Scope], Findings]
