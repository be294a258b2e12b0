"""How near each account that holds something is to its stop-out: one valuation for all who look.

It is what margin watchers would find at the newest prices known. Nothing is decided by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tradewright.console.store import Row, read
from tradewright.core.clock import utc_now
from tradewright.postgres.connect import Session
from tradewright.risk.regimes import Regime, levels
from tradewright.trading.stress import AccountWorth, account_worths

ACCOUNTS_MAX = 20_000
"""Accounts with positions that are valued at most; the page says when there are more."""

SECONDS_KEPT = 5
"""So long a valuation is shown to whoever comes: it reads every position of the house."""

STATES = ("stop-out", "margin call", "unpriced", "good")
"""How an account can stand, the most urgent first."""


class Standing(NamedTuple):
    """An account that holds something: what it is worth, and how far it is from a stop-out."""

    account: Row
    worth: AccountWorth | None
    call_level: Decimal
    stop_level: Decimal

    @property
    def level(self) -> Decimal | None:
        """Return the margin level in percent; None when nothing is used or a price is missing."""
        return None if self.worth is None else self.worth.state.level

    @property
    def state(self) -> str:
        """Return in a word how the account stands: one of `STATES`."""
        if self.worth is None:
            return "unpriced"
        if self.level is None:
            return "good"
        if self.level < self.stop_level:
            return "stop-out"
        return "margin call" if self.level <= self.call_level else "good"

    @property
    def distance(self) -> Decimal:
        """Return by what the level is above that of the stop-out, as a share of it."""
        if self.level is None:
            return Decimal("Infinity")
        return self.level / self.stop_level if self.stop_level else self.level


class Valuation(NamedTuple):
    """Every account that holds something, the nearest to its stop-out first, as of an instant."""

    standings: Sequence[Standing]
    counts: Mapping[str, int]
    is_cut: bool
    valued_at: datetime
    priced_at: datetime | None
    """When the oldest of the prices was quoted; None without one."""


def value_accounts(session: Session) -> Valuation:
    """Value the accounts that hold something, at the newest prices that are known."""
    valued_at = utc_now()
    rows = read(session, "accounts_with_positions", count_max=ACCOUNTS_MAX + 1)
    worths = account_worths(session, [row["id"] for row in rows[:ACCOUNTS_MAX]])
    standings = sorted(_standings(rows[:ACCOUNTS_MAX], worths), key=_nearest_first)
    priced = (one.worth.priced_at for one in standings if one.worth is not None)
    return Valuation(
        standings=standings,
        counts={name: sum(one.state == name for one in standings) for name in STATES},
        is_cut=len(rows) > ACCOUNTS_MAX,
        valued_at=valued_at,
        priced_at=min((at for at in priced if at is not None), default=None),
    )


def standing_of(row: Row, worth: AccountWorth | None) -> Standing:
    """Return how an account stands by the levels of its client's regime."""
    called, stopped = row["margin_call_level"], row["stop_out_level"]
    return Standing(row, worth, *levels(Regime(row["regime"]), call=called, stop=stopped))


def _standings(
    rows: Iterable[Row], worths: Mapping[str, AccountWorth | None]
) -> Iterable[Standing]:
    for row in rows:
        if row["id"] in worths:  # else its last position was closed meanwhile
            yield standing_of(row, worths[row["id"]])


def _nearest_first(standing: Standing) -> tuple[bool, Decimal, str]:
    return standing.worth is not None, standing.distance, standing.account["id"]
