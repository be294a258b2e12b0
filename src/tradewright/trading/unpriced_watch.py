"""Whose positions cannot be valued, for want of a price or a rate: people are told, and told again.

A price that stops coming sets nothing off by itself, so the prices and rates that accounts need are
looked at once a second of the market's time, each once however many accounts need it. Within a
second of growing stale (RTS 6, article 16, allows five) a check of each account is proposed, whose
batch raises the alert; and another when all of its prices are there again. Where nothing of an
account is in session no price is expected. Belongs to `watch`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market, Prices
from tradewright.trading.model import CheckMargin
from tradewright.trading.state import AccountState

LOOK_EVERY = timedelta(seconds=1)

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)

Need = tuple[str, str]
"""What a position is valued by: its symbol, and the currency of its account."""


def is_priced(market: Prices, instrument: Instrument, currency: str) -> bool:
    """Return whether the market values a position in an instrument in a currency now."""
    return (
        market.top(instrument.symbol) is not None
        and market.rate(instrument.base_currency, currency) is not None
        and market.rate(instrument.quote_currency, currency) is not None
    )


class UnpricedWatch:
    """What each account is valued by, and who is known to lack it; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._changed: dict[str, AccountState] = {}
        self._instruments: dict[str, Instrument] = {}
        self._needs: dict[str, frozenset[Need]] = {}
        self._needed_by: dict[Need, dict[str, None]] = {}
        self._unpriced: set[str] = set()
        self._looks_at = _DAWN

    def take(self, accounts: Mapping[str, AccountState]) -> None:
        """Learn accounts as they stand now."""
        self._changed.update(accounts)

    def recall(self, account_ids: Iterable[str]) -> None:
        """Learn of whom people were told before, when the engine starts."""
        self._unpriced.update(account_ids)

    def proposals(self) -> list[CheckMargin]:
        """Return the accounts that have lost a price or have all of them again."""
        now = self._market.now
        if now < self._looks_at:
            return []
        self._looks_at = now + LOOK_EVERY
        self._take_changed()
        if not self._needed_by and not self._unpriced:
            return []
        lacking, expected = self._lacking(now)
        lost = expected - self._unpriced
        again = self._unpriced - lacking
        self._unpriced = (self._unpriced | lost) - again
        return [
            *(CheckMargin(account_id=one) for one in sorted(lost)),
            *(CheckMargin(account_id=one, is_priced_again=True) for one in sorted(again)),
        ]

    def _take_changed(self) -> None:
        changed, self._changed = self._changed, {}
        for account in changed.values():
            held = {one.instrument.symbol: one.instrument for one in account.open_positions}
            self._instruments.update(held)
            needs = frozenset((symbol, account.profile.currency) for symbol in held)
            before = self._needs.pop(account.id, frozenset())
            for need in before - needs:
                del self._needed_by[need][account.id]
                if not self._needed_by[need]:
                    del self._needed_by[need]
            if needs:
                self._needs[account.id] = needs
            for need in needs - before:
                self._needed_by.setdefault(need, {})[account.id] = None

    def _lacking(self, now: datetime) -> tuple[set[str], set[str]]:
        """Return who lacks something, and of them those who could have it now."""
        lacking: set[str] = set()
        expected: set[str] = set()
        for (symbol, currency), account_ids in self._needed_by.items():
            instrument = self._instruments[symbol]
            if not is_priced(self._market, instrument, currency):
                lacking.update(account_ids)
                if instrument.is_in_session(now):
                    expected.update(account_ids)
        return lacking, expected
