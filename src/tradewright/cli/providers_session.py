"""Speaking with a provider from the command line, without an engine; part of `providers`.

What is heard is left to the engine: a look at quotes and a list of trades change nothing.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.fix.connections import unknown_provider
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.model import ProviderAnswer, ProviderQuote, ProviderRequest
from tradewright.liquidity.reconciliation.model import TradeLine
from tradewright.wiring import House, connected_providers


@dataclass(slots=True)
class _Looking:
    """Listens without booking: what a provider answers waits for the engine."""

    quotes: dict[str, ProviderQuote] = field(default_factory=dict)

    def take_answer(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Leave it: it has been kept, and is told to the engine at its start."""

    def take_quote(self, quote: ProviderQuote) -> None:
        """Remember what is offered."""
        if quote.bid_size and quote.ask_size:
            self.quotes[quote.symbol] = quote

    def take_time(self, now: datetime) -> None:
        """Do nothing."""


def gateway_of(house: House, code: str, symbols: Sequence[str]) -> FixGateway:
    """Return the gateway to a provider, not yet connected.

    Raises:
        InputError: PROVIDER_UNKNOWN.

    """
    passwords = {code: os.environ.get("TRADEWRIGHT_FIX_PASSWORD", "")}
    gateway = connected_providers(house, symbols, passwords).get(code)
    if gateway is None:
        raise unknown_provider(code)
    return gateway


def fetch_trades(gateway: FixGateway, day: date, seconds: int) -> list[TradeLine]:
    """Log on, ask for the trades of a UTC day, and log out.

    Raises:
        StateError: PROVIDER_NOT_CONNECTED, when they have not come in time.

    """
    gateway.open(_Looking())
    ends = monotonic_seconds() + seconds
    while monotonic_seconds() < ends and not gateway.is_ready:
        pause(0.05)
    asked = gateway.ask_trades(day)
    while monotonic_seconds() < ends and not (asked.is_whole or asked.refusal):
        pause(0.05)
    why = asked.refusal or gateway.why_not
    gateway.close()
    if asked.is_whole:
        return list(asked.lines.values())
    count = "an unknown number" if asked.count is None else asked.count
    raise StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f'provider "{gateway.provider}" has sent {len(asked.lines)} of {count} trades'
        f" in {seconds} seconds",
        why=why or "It has not answered the request (35=AD) in full.",
        hint="Try again, or take its list as a file with tradewright providers reconcile.",
    )


def look_at_quotes(gateway: FixGateway, count: int, seconds: int) -> dict[str, ProviderQuote]:
    """Log on, wait for a quote of so many symbols, and log out.

    Raises:
        StateError: PROVIDER_NOT_CONNECTED, when they have not come in time.

    """
    listening, was_ready = _Looking(), False
    gateway.open(listening)
    ends = monotonic_seconds() + seconds
    while monotonic_seconds() < ends and not (was_ready and len(listening.quotes) >= count):
        was_ready = was_ready or gateway.is_ready
        pause(0.05)
    why = gateway.why_not
    gateway.close()
    if was_ready and len(listening.quotes) >= count:
        return listening.quotes
    if was_ready:
        raise _not_quoted(gateway.provider, listening.quotes, count, why)
    raise StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f'provider "{gateway.provider}" could not be reached in {seconds} seconds',
        why=why or "It took the connection and has not answered.",
        hint=_hint(why.partition(":")[0]),
    )


def _not_quoted(
    provider: str, quotes: Mapping[str, ProviderQuote], count: int, why: str
) -> StateError:
    return StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f'provider "{provider}" quotes {len(quotes)} of {count} symbols',
        why=why or f"The logon was taken; quoted were: {', '.join(sorted(quotes)) or 'none'}.",
        hint="Name symbols that it quotes, wait longer with --seconds, or connect its prices with "
        f"`tradewright providers connect {provider} quotes`.",
    )


def _hint(kind: str) -> str:
    """Return what to do about a connection that ended in an error of a kind."""
    if kind in {"ConnectionRefusedError", "TimeoutError", "gaierror", "OSError"}:
        return (
            "Compare host and port with `tradewright providers list`, correct them with "
            "`tradewright providers connect`, and see that the provider listens there."
        )
    if kind.startswith("SSL"):
        return "Connect it with --plain if the line is without TLS, or have its certificate mended."
    return (
        "Compare CompIDs, username and the password in TRADEWRIGHT_FIX_PASSWORD with what the "
        "provider has given."
    )
