"""What cannot be valued, for want of a price or a rate: people are told, and told when it is over.

A price that stops coming sets nothing off by itself, so the prices and rates that accounts need are
looked at once a second of the market's time, each once however many accounts need it. Within a
second of growing stale (RTS 6, article 16, allows five) one alert is raised for the symbol whose
price is missing, however many accounts cannot be valued without it; it is over when none of them
lacks it any more. While an instrument is not in session no price of it is expected, as its last one
holds (decision 042), kept from before the start if need be; if none is known, it is as long as
anything of the account is in session. Belongs to `watch`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tradewright.liquidity.last_prices import LatestPrices
from tradewright.liquidity.market import Market, is_priced, pairs_between
from tradewright.trading.batch import Answer
from tradewright.trading.house_commands import TellUnpriced
from tradewright.trading.reference import Reference
from tradewright.trading.state import AccountState

if TYPE_CHECKING:
    from tradewright.liquidity.instrument import Instrument

LOOK_EVERY = timedelta(seconds=1)

TOLD_AGAIN_EVERY = timedelta(seconds=60)
"""What lasts is told again, as another engine whose feed has the price may have ended the alert;
while that waits, or lasts though somebody has seen it, the database raises no second one."""

SYMBOLS_SHOWN = 5
"""Of so many symbols an alert says how much is held."""

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Decimal(0)

Need = tuple[str, str]
"""What a position is valued by: its symbol, and the currency of its account."""

Held = tuple[Decimal, Decimal]
"""How much of a symbol an account holds long, and how much short."""


class UnpricedWatch:
    """What each account is valued by, and what is known to be missing; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._changed: dict[str, AccountState] = {}
        self._instruments: Mapping[str, Instrument] = {}
        self._needs: dict[str, frozenset[Need]] = {}
        self._needed_by: dict[Need, dict[str, Held]] = {}
        self._told: dict[str, datetime] = {}
        self._looks_at = _DAWN

    def take(self, accounts: Mapping[str, AccountState], reference: Reference) -> None:
        """Learn accounts as they stand now."""
        self._instruments = reference.instruments
        self._changed.update(accounts)

    def recall(self, abouts: Iterable[str]) -> None:
        """Learn of what people were told before, when the engine starts."""
        self._told.update(dict.fromkeys(abouts, self._market.now))

    def settle(self, command: TellUnpriced, answer: Answer) -> None:
        """Let what could not be written be told with the next look."""
        if isinstance(answer, Exception):
            for about, _ in command.lost:
                self._told.pop(about, None)
            self.recall(command.again)

    def proposals(self) -> list[TellUnpriced]:
        """Return what is to be told: which prices are missing, and which are not any more."""
        now = self._market.now
        if now < self._looks_at:
            return []
        self._looks_at = now + LOOK_EVERY
        self._take_changed()
        if not self._needed_by and not self._told:
            return []
        lacking, expected = self._lacking(now)
        lost = sorted(one for one in expected if self._is_to_be_told(one, now))
        again = sorted(self._told.keys() - lacking)
        self._told |= dict.fromkeys(lost, now)
        for about in again:
            del self._told[about]
        if not lost and not again:
            return []
        told = tuple((one, self._words(one, expected[one])) for one in lost)
        return [TellUnpriced(lost=told, again=tuple(again))]

    def _is_to_be_told(self, about: str, now: datetime) -> bool:
        told_at = self._told.get(about)
        return told_at is None or now - told_at >= TOLD_AGAIN_EVERY

    def _take_changed(self) -> None:
        changed, self._changed = self._changed, {}
        for account in changed.values():
            currency = account.profile.currency
            needs = {(one, currency): _held(account, one) for one in account.positions}
            for need in self._needs.pop(account.id, frozenset()) - needs.keys():
                del self._needed_by[need][account.id]
                if not self._needed_by[need]:
                    del self._needed_by[need]
            if needs:
                self._needs[account.id] = frozenset(needs)
            for need, held in needs.items():
                self._needed_by.setdefault(need, {})[account.id] = held

    def _lacking(self, now: datetime) -> tuple[set[str], dict[str, list[Need]]]:
        """Return what is missing, and what of it should be there, with what is valued by it."""
        lacking: set[str] = set()
        expected: dict[str, list[Need]] = {}
        for need in self._needed_by:
            missing = self._missing(need)
            lacking |= missing
            if missing and self._is_expected(need, now):
                for one in missing:
                    expected.setdefault(one, []).append(need)
        return lacking, expected

    def _missing(self, need: Need) -> set[str]:
        """Return the symbols for want of whose prices a position has no value now.

        For a rate they are the pairs that have ceased, or else that have not come. Where no pair is
        listed that leads from one currency into another, it is the two of them.
        """
        symbol, target = need
        instrument, market = self._instruments[symbol], self._market
        if market.top(symbol) is None:
            return {symbol}
        missing: set[str] = set()
        for source in (instrument.base_currency, instrument.quote_currency):
            if market.rate(source, target) is None:
                pairs = pairs_between(target, source) & self._instruments.keys()
                silent = {one for one in pairs if market.top(one) is None}
                ceased = {one for one in silent if market.last_top(one) is not None}
                missing |= ceased or silent or {f"{source}/{target}"}
        return missing

    def _is_expected(self, need: Need, now: datetime) -> bool:
        """Return whether a position should have a value now: in session, or if none was known."""
        symbol, currency = need
        instrument = self._instruments[symbol]
        if instrument.is_in_session(now):
            return True
        if is_priced(LatestPrices(self._market), instrument, currency):
            return False
        return any(self._is_traded(one, now) for one in self._needed_by[need])

    def _is_traded(self, account_id: str, now: datetime) -> bool:
        """Return whether anything that an account holds is in session."""
        return any(
            self._instruments[symbol].is_in_session(now) for symbol, _ in self._needs[account_id]
        )

    def _words(self, about: str, needs: Collection[Need]) -> str:
        """Say what is missing, how many accounts that concerns, and what they hold."""
        accounts = {one for need in needs for one in self._needed_by[need]}
        totals: dict[str, Held] = {}
        for need in needs:
            long, short = totals.get(need[0], (_NOTHING, _NOTHING))
            for more_long, more_short in self._needed_by[need].values():
                long, short = long + more_long, short + more_short
            totals[need[0]] = long, short
        shown = [_shown(symbol, *totals[symbol]) for symbol in sorted(totals)]
        rest = len(shown) - SYMBOLS_SHOWN
        held = ", ".join([*shown[:SYMBOLS_SHOWN], *([f"{rest} more"] if rest > 0 else [])])
        what = "price" if about in self._instruments else "rate"
        count = f"{len(accounts)} account{'s'[: len(accounts) != 1]}"
        return f"{about} has no {what}: {count} cannot be valued, holding {held}"


def _held(account: AccountState, symbol: str) -> Held:
    held = [one.quantity for one in account.positions[symbol]]
    long = sum((one for one in held if one > 0), _NOTHING)
    return long, long - sum(held, _NOTHING)


def _shown(symbol: str, long: Decimal, short: Decimal) -> str:
    """Return what is held of a symbol as people read it."""
    sides = [f"{one.normalize():f} {of}" for one, of in ((long, "long"), (short, "short")) if one]
    return f"{' and '.join(sides)} {symbol}"
