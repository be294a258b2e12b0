"""Whose margin level may have crossed one of its levels: two prices per position, and rates.

As long as every symbol stays between its own two prices, the account's level cannot have crossed
any of its thresholds; when one is passed, the account is valued again and gets new ones. An account
that is valued through a third currency is valued again with each quote of the pairs in between, and
one without a price or rate, which is valued by the last ones known, with each quote of those that
are missing. When terms of margin change, the accounts that they concern are valued again. While a
check of an account is proposed and not answered, the account is not looked at. One that
its last check has found below the stop-out level, or has failed on, is checked once more when it is
above: what people were told of it is over then. Belongs to `watch`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from tradewright.core.errors import RetryableError, TradewrightError
from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.last_prices import LatestPrices
from tradewright.liquidity.market import Market, Prices, pairs_between
from tradewright.risk.margin import (
    MarginState,
    closing_price,
    margin_rate,
    margin_state,
    steepest_rate,
    tiers_of,
)
from tradewright.risk.regimes import levels
from tradewright.trading.batch import Answer
from tradewright.trading.liquidation import owes_what_is_forgiven
from tradewright.trading.model import CheckMargin, MarginReport
from tradewright.trading.outstanding import Outstanding, is_put_off
from tradewright.trading.price_index import PriceIndex, Wanted
from tradewright.trading.price_lists import Level
from tradewright.trading.reference import Reference
from tradewright.trading.state import AccountState, PositionState

HEADROOM_SHARE = Decimal("0.8")
"""Share of an account's headroom that its symbols may use up before it is valued again."""

MOVE_SHARE_MAX = Decimal("0.05")
"""Share of a price that it may move before the account is valued again: so far a rate that moves
with the price is as good as straight."""

TOLD_AFTER = timedelta(seconds=3)
"""How long a stop-out may wait for a provider until people are told (RTS 6, article 16: five)."""

_ENDLESS = Decimal("Infinity")
_NOTHING = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)


class MarginWatch:
    """The accounts that hold something, and what each is valued again for; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._index = PriceIndex()
        self._outstanding = Outstanding(market)
        self._accounts: dict[str, AccountState] = {}
        self._pairs_of: dict[str, frozenset[str]] = {}
        self._by_pair: dict[str, dict[str, None]] = {}
        self._changed: dict[str, AccountState] = {}
        self._reference: Reference | None = None
        self._unsettled: set[str] = set()
        self._stuck_since: dict[str, datetime] = {}
        self._failures: dict[str, tuple[datetime, str]] = {}

    def take(self, accounts: dict[str, AccountState], reference: Reference) -> None:
        """Learn accounts as they stand now, and the terms of margin as of their batch.

        They are valued with the next quote, once however often they trade in between.
        """
        if reference is not self._reference:
            self._take_terms(reference)
        self._changed.update(accounts)
        for account_id in accounts:
            self._outstanding.changed(account_id)

    def settle(self, check: CheckMargin, answer: Answer) -> None:
        """Look at an account again whose check was answered: with the next quote, or later."""
        account = self._accounts.get(check.account_id)
        if account is None:
            return
        if isinstance(answer, MarginReport):
            (self._unsettled.add if answer.is_below else self._unsettled.discard)(account.id)
        is_stuck = isinstance(answer, MarginReport) and answer.is_stuck
        put_off = is_put_off(answer) or is_stuck
        if is_stuck:
            self._stuck_since.setdefault(account.id, self._market.now)
        elif isinstance(answer, TradewrightError) and not isinstance(answer, RetryableError):
            self._failures.setdefault(account.id, (self._market.now, str(answer.code)))
            self._unsettled.add(account.id)
        else:
            self._stuck_since.pop(account.id, None)
            self._failures.pop(account.id, None)
        if self._outstanding.answered(account.id, put_off=put_off):
            self._changed.setdefault(account.id, account)

    def recall(self, account_ids: Iterable[str]) -> None:
        """Learn who was below the stop-out level when people were told of it."""
        self._unsettled.update(account_ids)

    def _take_terms(self, reference: Reference) -> None:
        """Let the accounts be valued again whose instruments or group are not what they were."""
        known = self._reference
        if known is not None and known.version > reference.version:
            return
        self._reference = reference
        if known is None or known.terms == reference.terms:
            return
        for account in self._accounts.values():
            if _is_under_new_terms(account, reference):
                self._changed[account.id] = account

    def on_price(self, symbol: str, top: Top | None) -> list[CheckMargin]:
        """Return the accounts that have crossed a level; what was passed without cause is moved."""
        for account_id in self._outstanding.due():
            self._changed.setdefault(account_id, self._accounts[account_id])
        fired = self._index.fired(symbol, top)
        paired = self._by_pair.get(symbol)
        if not fired and not paired and not self._changed:
            return []
        changed, self._changed = self._changed, {}
        again = {key: self._accounts[key] for key in (*(paired or ()), *fired)}
        return [
            self._check(account)
            for account in (again | changed).values()
            if self._is_to_be_checked(account)
        ]

    def _check(self, account: AccountState) -> CheckMargin:
        """Return the check of an account, or what lets people know that it fails each time."""
        now = self._market.now
        since, code = self._failures.get(account.id, (now, None))
        failure = code if now - since >= TOLD_AFTER else None
        is_overdue = now - self._stuck_since.get(account.id, now) >= TOLD_AFTER
        return CheckMargin(account_id=account.id, is_overdue=is_overdue, failure=failure)

    def _is_to_be_checked(self, account: AccountState) -> bool:
        """Look at an account, and propose its check unless that is on its way."""
        self._unwatch(account.id)
        self._accounts[account.id] = account
        if self._outstanding.holds(account.id):
            return False
        if account.positions:
            is_crossed = self._has_crossed(account, account.open_positions)
        else:
            is_crossed = owes_what_is_forgiven(account) or account.margin_call_id is not None
            is_crossed |= account.id in self._unsettled
            if not is_crossed:
                del self._accounts[account.id]
        if not is_crossed:
            self._stuck_since.pop(account.id, None)
            self._failures.pop(account.id, None)
        return is_crossed and self._outstanding.begin(account.id)

    def _has_crossed(self, account: AccountState, positions: list[PositionState]) -> bool:
        """Value an account, and set what it is valued again for unless it has crossed a level."""
        exposures = [position.exposure() for position in positions]
        terms = account.profile, account.holder.available, exposures
        prices: Prices = self._market
        pairs = _converting(account, positions)
        state = margin_state(*terms, prices)
        if state is None:
            prices = LatestPrices(self._market)
            pairs |= self._missing(account, positions)
            state = margin_state(*terms, prices)
        if state is not None:
            if _is_crossed(account, state, is_unsettled=account.id in self._unsettled):
                return True
            self._index.watch(account.id, _bounds(account, positions, state, prices))
        self._await(account, pairs)
        return False

    def _unwatch(self, account_id: str) -> None:
        self._index.forget(account_id)
        for pair in self._pairs_of.pop(account_id, ()):
            del self._by_pair[pair][account_id]

    def _await(self, account: AccountState, pairs: frozenset[str]) -> None:
        """Value the account again with each quote of some pairs."""
        if pairs:
            self._pairs_of[account.id] = pairs
            for pair in pairs:
                self._by_pair.setdefault(pair, {})[account.id] = None

    def _missing(self, account: AccountState, positions: list[PositionState]) -> frozenset[str]:
        """Return the symbols without a price, of those that an account is valued by."""
        target = account.profile.currency
        asked = {position.instrument.symbol for position in positions}
        for one in positions:
            instrument = one.instrument
            asked |= pairs_between(target, instrument.base_currency, instrument.quote_currency)
        return frozenset(one for one in asked if self._market.top(one) is None)


def _bounds(
    account: AccountState, positions: list[PositionState], state: MarginState, prices: Prices
) -> list[Wanted]:
    """Return two prices around each position between which no threshold can be crossed."""
    falls, rises = _headroom(account, state)
    bounds: list[Wanted] = []
    for position in positions:
        symbol = position.instrument.symbol
        top = prices.top(symbol)
        rate = prices.rate(position.instrument.quote_currency, account.profile.currency)
        if top is None or rate is None:
            continue
        price = closing_price(top, position.quantity)
        value = _sensitivity(account, position, price) * rate.ask
        value *= len(positions) / HEADROOM_SHARE
        is_long = position.quantity > 0
        most = price * MOVE_SHARE_MAX
        down = price - min(most, (falls if is_long else rises) / value)
        up = price + min(most, (rises if is_long else falls) / value)
        bounds.append((symbol, Level.BID_DOWN if is_long else Level.ASK_DOWN, down))
        bounds.append((symbol, Level.BID_UP if is_long else Level.ASK_UP, up))
    return bounds


def _is_under_new_terms(account: AccountState, reference: Reference) -> bool:
    """Give an account the terms of newer reference data; return whether they differ.

    Its leverage and levels are the account's own, and come with its next batch. Where a regime has
    raised the levels and holds no more, they stay raised until then: that only proposes a check.
    """
    group = reference.groups[account.group.code]
    differs = group != account.group
    if differs:
        account.group, profile = group, account.profile
        call, stop = levels(
            group.regime, call=profile.margin_call_level, stop=profile.stop_out_level
        )
        account.profile = replace(
            profile,
            hedged_margin=group.hedged_margin,
            regime=group.regime,
            margin_call_level=call,
            stop_out_level=stop,
        )
    for position in account.open_positions:
        instrument = reference.instruments[position.instrument.symbol]
        if instrument != position.instrument:
            position.instrument = instrument
            differs = True
    return differs


def _is_crossed(account: AccountState, state: MarginState, *, is_unsettled: bool) -> bool:
    """Return whether the level calls for something that has not been done yet."""
    if is_unsettled:
        return True
    is_above = state.is_above(account.profile.margin_call_level)
    if account.margin_call_id is None:
        return not is_above
    return is_above or state.is_below(account.profile.stop_out_level)


def _headroom(account: AccountState, state: MarginState) -> tuple[Decimal, Decimal]:
    """Return how much may be lost, and how much won, before the next threshold is crossed."""
    call = state.used * account.profile.margin_call_level / _HUNDRED
    stop = state.used * account.profile.stop_out_level / _HUNDRED
    if account.margin_call_id is None:
        return max(_NOTHING, state.equity - call), _ENDLESS
    return max(_NOTHING, state.equity - stop), max(_NOTHING, call - state.equity)


def _sensitivity(account: AccountState, position: PositionState, price: Decimal) -> Decimal:
    """Return by how much headroom shrinks for one unit of price, in quote currency, at the most.

    A loss is not all of it: the margin of a short position grows with the price, and a loss in a
    currency that falls with the price is worth more of the account's.
    """
    share = _steepest(account, position.instrument)
    grown = 1 + share * account.profile.margin_call_level / _HUNDRED
    return abs(position.quantity) * max(_ONE, position.average_price / price) * grown


def _steepest(account: AccountState, instrument: Instrument) -> Decimal:
    """Return the largest share that any unit of what is open in a symbol binds."""
    if not tiers_of(instrument):
        return margin_rate(account.profile, instrument)
    held = sum((abs(one.quantity) for one in account.positions[instrument.symbol]), _NOTHING)
    return steepest_rate(account.profile, instrument, held)


def _converting(account: AccountState, positions: Iterable[PositionState]) -> frozenset[str]:
    """Return the symbols that may convert the account's positions beside their own."""
    target = account.profile.currency
    pairs: frozenset[str] = frozenset()
    for position in positions:
        sources = position.instrument.base_currency, position.instrument.quote_currency
        if target not in sources:
            pairs |= pairs_between(target, *sources)
    return pairs
