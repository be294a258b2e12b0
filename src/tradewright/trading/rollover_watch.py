"""Who is to be rolled over: proposed with the first quote at or after 17:00 in New York.

An account that holds something then is proposed once, and again after a while until a batch has
done it; so is one whose position was decided before that quote and told of after it. The batch
asks the record what is due, so a proposal too many does nothing.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.liquidity.market import Market
from tradewright.trading.state import Desk
from tradewright.trading.swaps import RollOver

RETRY_AFTER = timedelta(seconds=60)

_DAWN = datetime(1970, 1, 2, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)


class RolloverWatch:
    """The accounts that hold something, and when each is to be proposed; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._holding: dict[str, None] = {}
        self._due: dict[str, datetime] = {}
        self._soonest = _DAWN
        self._day = date.min
        self._ended_at = _DAWN
        self._ends_at = _DAWN

    def proposals(self) -> list[RollOver]:
        """Return whom the market's time makes due; each comes again later if it is not done."""
        now = self._market.now
        if now >= self._ends_at:
            self._day = last_ended_day(now)
            self._ended_at = end_of_day(self._day)
            self._ends_at = end_of_day(self._day + _ONE_DAY)
            self._due = dict.fromkeys(self._holding, now)
        elif now < self._soonest:
            return []
        due = [account_id for account_id, at in self._due.items() if at <= now]
        for account_id in due:
            self._due[account_id] = now + RETRY_AFTER
        self._soonest = min(self._due.values(), default=self._ends_at)
        return [RollOver(account_id=account_id, through=self._day) for account_id in due]

    def take(self, desk: Desk) -> None:
        """Learn what a committed batch holds and has rolled over."""
        is_late = desk.decided_at is not None and desk.decided_at < self._ended_at
        for account_id, account in desk.accounts.items():
            if not account.positions:
                self._holding.pop(account_id, None)
                self._due.pop(account_id, None)
                continue
            self._holding[account_id] = None
            if desk.rolled.get(account_id) == self._day:
                self._due.pop(account_id, None)
            elif is_late:
                self._add(account_id)

    def learn(self, desk: Desk, account_ids: Iterable[str]) -> None:
        """Learn who of some accounts holds something and may owe a swap."""
        for account_id in account_ids:
            if desk.accounts[account_id].positions:
                self._holding[account_id] = None
                self._add(account_id)

    def _add(self, account_id: str) -> None:
        """Propose an account with the next quote, unless it waits already."""
        self._soonest = min(self._soonest, self._due.setdefault(account_id, self._market.now))
