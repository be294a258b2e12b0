"""Simulated liquidity providers: own prices, own depth, outages, last look and rejects.

Owns how a provider behaves when no real one is connected, as its `ProviderProfile` says. The
same profile and seed given the same calls in the same order answer the same, on every platform:
chance comes from two generators (one for quotes, one for requests) that only draw whole bits.
Whether to trade with a provider is decided by board.py and `routing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from random import Random

from tradewright.liquidity.gateway import Listener, Recalled
from tradewright.liquidity.model import (
    ProviderAnswer,
    ProviderProfile,
    ProviderQuote,
    ProviderRequest,
    Quote,
    RejectReason,
    Side,
)

DEFAULT_PROFILES = (
    ProviderProfile(
        code="LP-ALPHA",
        priority=1,
        spread_markup_bps=Decimal("0.05"),
        size=Decimal(1_000_000),
        latency_ms=8,
        last_look_ms=120,
        tolerance_bps=Decimal("0.6"),
        reject_probability=Decimal("0.04"),
        outage_probability=Decimal("0.0005"),
        outage_quotes_max=60,
        quote_age_ms_max=60_000,
    ),
    ProviderProfile(
        code="LP-BETA",
        priority=2,
        spread_markup_bps=Decimal("0.3"),
        size=Decimal(20_000_000),
        latency_ms=25,
        last_look_ms=40,
        tolerance_bps=Decimal("2.5"),
        reject_probability=Decimal("0.005"),
        outage_probability=Decimal("0.0001"),
        outage_quotes_max=40,
        quote_age_ms_max=60_000,
    ),
)
"""Two to choose between: one tight, shallow and quick to reject; one wider, deep and steady."""

ANSWERS_KEPT_MAX = 100_000
"""How many answers a provider remembers; the oldest is forgotten first."""

_BPS = Decimal(10_000)
_CHANCE_BITS = 32


@dataclass(slots=True)
class _Market:
    """What a provider knows of one symbol: the market it sees and the quote it gave last."""

    mid: Decimal
    latest_move: Decimal
    quoted_mid: Decimal
    quote: ProviderQuote | None = None

    def see(self, mid: Decimal) -> None:
        """Take the market's new middle."""
        self.latest_move = abs(mid - self.mid)
        self.mid = mid


class SimulatedProvider:
    """One provider: it quotes from the base market, and answers requests after a last look.

    It belongs to one thread. It expects base quotes that quote_filter.py has accepted.
    """

    def __init__(self, profile: ProviderProfile, seed: int) -> None:
        self.profile = profile
        self._quote_chance = Random(f"{seed}/{profile.code}/quotes")  # noqa: S311 (a simulation)
        self._deal_chance = Random(f"{seed}/{profile.code}/deals")  # noqa: S311 (a simulation)
        self._markets: dict[str, _Market] = {}
        self._answers: dict[str, tuple[ProviderRequest, ProviderAnswer]] = {}
        self._sequence = 0
        self._silent_quote_count = 0

    def open(self, listener: Listener) -> None:
        """Do nothing: every answer is known at once, so there is nobody to tell later."""

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def on_quote(self, quote: Quote) -> ProviderQuote | None:
        """Return the provider's own quote for a base quote, or None while it is silent.

        Both prices are the base quote's moved outwards by the markup and rounded outwards to
        its tick; `quoted_at` is the base quote's time plus the provider's latency.
        """
        mid = (quote.bid + quote.ask) / 2
        market = self._markets.setdefault(quote.symbol, _Market(mid, Decimal(0), mid))
        market.see(mid)
        if self._is_silent():
            return None
        markup = mid * self.profile.spread_markup_bps / _BPS
        tick = quote.ask - quote.bid
        self._sequence += 1
        market.quoted_mid = mid
        market.quote = ProviderQuote(
            provider=self.profile.code,
            symbol=quote.symbol,
            bid=(quote.bid - markup).quantize(tick, ROUND_FLOOR),
            ask=(quote.ask + markup).quantize(tick, ROUND_CEILING),
            bid_size=self.profile.size,
            ask_size=self.profile.size,
            quoted_at=quote.quoted_at + timedelta(milliseconds=self.profile.latency_ms),
            sequence=self._sequence,
        )
        return market.quote

    def answer(self, request: ProviderRequest, now: datetime) -> ProviderAnswer:
        """Answer a request finally; the same request id again gets the same answer.

        The provider deals at its last quote, up to its size. It rejects what it cannot price
        (`unknown_symbol`, `stale_price`), a quantity that is not above zero (`quantity`) and a
        limit its price does not meet (`limit_not_met`) at once; after holding the request, one
        against which the market has moved beyond its tolerance (`last_look`), and some for no
        reason it gives (`declined`). How far the market moves during the hold is drawn from the
        size of its latest move, on top of what it moved since the provider quoted.
        """
        known = self._answers.get(request.request_id)
        if known is not None:
            return known[1]
        market = self._markets.get(request.symbol)
        quote = market.quote if market is not None else None
        if market is None or quote is None:
            return self._remember(
                request, self._rejected(request, now, 0, RejectReason.UNKNOWN_SYMBOL)
            )
        refusal = self._refused_at_once(request, quote, now)
        if refusal is not None:
            return self._remember(request, self._rejected(request, now, 0, refusal))
        hold_ms = self._hold_ms()
        refusal = self._refused_after_look(request, quote, market)
        if refusal is not None:
            return self._remember(request, self._rejected(request, now, hold_ms, refusal))
        return self._remember(request, self._accepted(request, now, hold_ms, quote))

    def status(self, request_id: str) -> ProviderAnswer | None:
        """Return the answer given to a request, or None when none is remembered."""
        known = self._answers.get(request_id)
        return None if known is None else known[1]

    def cancel(self, request_id: str) -> None:
        """Do nothing: there is no request without its last word."""

    def recall(self, round_id: str) -> Sequence[Recalled]:
        """Return the requests of one routing with their answers, as far as they are remembered."""
        return [
            (request, [answer])
            for request, answer in self._answers.values()
            if request.request_id.startswith(round_id)
        ]

    def _is_silent(self) -> bool:
        if self._silent_quote_count:
            self._silent_quote_count -= 1
            return True
        if not _happens(self._quote_chance, self.profile.outage_probability):
            return False
        self._silent_quote_count = _below(self._quote_chance, self.profile.outage_quotes_max)
        return True

    def _refused_at_once(
        self, request: ProviderRequest, quote: ProviderQuote, now: datetime
    ) -> RejectReason | None:
        if not (request.quantity.is_finite() and request.quantity > 0):
            return RejectReason.QUANTITY
        if now - quote.quoted_at > timedelta(milliseconds=self.profile.quote_age_ms_max):
            return RejectReason.STALE_PRICE
        price = _price(quote, request.side)
        limit = price if request.limit_price is None else request.limit_price
        if (price - limit) * request.side.sign > 0:
            return RejectReason.LIMIT_NOT_MET
        return None

    def _refused_after_look(
        self, request: ProviderRequest, quote: ProviderQuote, market: _Market
    ) -> RejectReason | None:
        bell = self._deal_chance.getrandbits(64).bit_count() - 32
        move = market.mid - market.quoted_mid + market.latest_move * bell / 8
        tolerance = _price(quote, request.side) * self.profile.tolerance_bps / _BPS
        if move * request.side.sign > tolerance:
            return RejectReason.LAST_LOOK
        if _happens(self._deal_chance, self.profile.reject_probability):
            return RejectReason.DECLINED
        return None

    def _hold_ms(self) -> int:
        shortest = self.profile.last_look_ms // 2
        return shortest + _below(self._deal_chance, self.profile.last_look_ms - shortest + 1)

    def _accepted(
        self, request: ProviderRequest, now: datetime, hold_ms: int, quote: ProviderQuote
    ) -> ProviderAnswer:
        size = quote.ask_size if request.side is Side.BUY else quote.bid_size
        return ProviderAnswer(
            request_id=request.request_id,
            provider=self.profile.code,
            accepted=True,
            price=_price(quote, request.side),
            quantity=min(request.quantity, size),
            hold_ms=hold_ms,
            decided_at=self._decided_at(now, hold_ms),
            reason=None,
            execution_id=self._execution_id(request),
        )

    def _rejected(
        self, request: ProviderRequest, now: datetime, hold_ms: int, reason: RejectReason
    ) -> ProviderAnswer:
        return ProviderAnswer(
            request_id=request.request_id,
            provider=self.profile.code,
            accepted=False,
            price=None,
            quantity=Decimal(0),
            hold_ms=hold_ms,
            decided_at=self._decided_at(now, hold_ms),
            reason=reason,
            execution_id=self._execution_id(request),
        )

    def _decided_at(self, now: datetime, hold_ms: int) -> datetime:
        return now + timedelta(milliseconds=self.profile.latency_ms + hold_ms)

    def _execution_id(self, request: ProviderRequest) -> str:
        """Name the one execution of a request, so that a restarted provider cannot reuse it."""
        return f"{self.profile.code}-{request.request_id}"

    def _remember(self, request: ProviderRequest, answer: ProviderAnswer) -> ProviderAnswer:
        self._answers[request.request_id] = (request, answer)
        if len(self._answers) > ANSWERS_KEPT_MAX:
            del self._answers[next(iter(self._answers))]
        return answer


def _price(quote: ProviderQuote, side: Side) -> Decimal:
    return quote.ask if side is Side.BUY else quote.bid


def _happens(random: Random, probability: Decimal) -> bool:
    return random.getrandbits(_CHANCE_BITS) < probability * (1 << _CHANCE_BITS)


def _below(random: Random, bound: int) -> int:
    return random.getrandbits(_CHANCE_BITS) * bound >> _CHANCE_BITS
