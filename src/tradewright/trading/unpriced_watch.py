"""Whose positions cannot be valued, for want of a price or a rate: people are told, and told again.

A price that stops coming sets nothing off by itself, so the prices and rates that accounts need are
looked at once a second of the market's time, each once however many accounts need it. Within a
second of growing stale (RTS 6, article 16, allows five) a check of each account is proposed, whose
batch raises the alert; and another when all of its prices are there again. While an instrument is
not in session no price of it is expected, as its last one holds (decision 042), kept from before
the start if need be; if none is known, it is as long as anything of the account is in session.
Belongs to `watch`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.last_prices import LatestPrices
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


def all_are_priced(market: Prices, account: AccountState) -> bool:
    """Return whether all that is open in an account has a price and rates."""
    currency = account.profile.currency
    return all(is_priced(market, one.instrument, currency) for one in account.open_positions)


def expected_symbols(market: Market, account: AccountState) -> set[str]:
    """Return what of an account has no price or rate now and should have one."""
    currency, known = account.profile.currency, LatestPrices(market)
    held = {one.instrument.symbol: one.instrument for one in account.open_positions}
    is_traded = any(one.is_in_session(market.now) for one in held.values())
    return {
        symbol
        for symbol, one in held.items()
        if not is_priced(market, one, currency)
        and (one.is_in_session(market.now) or (is_traded and not is_priced(known, one, currency)))
    }


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
            *(CheckMargin(account_id=one, is_unpriced=True) for one in sorted(lost)),
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
        unknown: set[str] = set()
        known = LatestPrices(self._market)
        for (symbol, currency), account_ids in self._needed_by.items():
            instrument = self._instruments[symbol]
            if not is_priced(self._market, instrument, currency):
                lacking.update(account_ids)
                if instrument.is_in_session(now):
                    expected.update(account_ids)
                elif not is_priced(known, instrument, currency):
                    unknown.update(account_ids)
        expected.update(one for one in unknown - expected if self._is_traded(one, now))
        return lacking, expected

    def _is_traded(self, account_id: str, now: datetime) -> bool:
        """Return whether anything that an account holds is in session."""
        return any(
            self._instruments[symbol].is_in_session(now) for symbol, _ in self._needs[account_id]
        )
