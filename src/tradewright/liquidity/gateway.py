"""The one way to a liquidity provider: what the engine asks, and how answers come back.

Two gateways keep this protocol: `simulator` in this process, which knows its answer at once, and
`fix` over a socket, whose answers come when they come. A request may be answered by several
executions and ends with one final answer; until then its outcome is unknown, and nobody guesses.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tradewright.liquidity.model import ProviderAnswer, ProviderQuote, ProviderRequest, Quote

Recalled = tuple[ProviderRequest, Sequence[ProviderAnswer]]
"""A request that was passed on before, and what is known of it; pending when no answer is final."""


class Listener(Protocol):
    """Whoever a gateway tells what it hears, in the gateway's own thread."""

    def take_answer(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Take an execution or a final answer; one that was told before changes nothing.

        `request` is what the answer is about as its provider tells it.
        """
        ...

    def take_time(self, now: datetime) -> None:
        """Take note of the time, by which quotes grow stale while none arrive."""
        ...

    def take_quote(self, quote: ProviderQuote) -> None:
        """Take what the provider offers now."""
        ...


class Gateway(Protocol):
    """One provider as the engine reaches it."""

    def open(self, listener: Listener) -> None:
        """Begin to listen; what was heard and never booked is told to the listener again.

        Raises:
            StateError: PROVIDER_SESSION_TAKEN, when another process speaks with the provider.

        """
        ...

    def close(self) -> None:
        """End the connection; requests without an answer are recalled at the next start."""
        ...

    def on_quote(self, quote: Quote) -> ProviderQuote | None:
        """Quote from the base market, as a simulator does; others quote by themselves."""
        ...

    def answer(self, request: ProviderRequest, now: datetime) -> ProviderAnswer | None:
        """Pass a request on; return its final answer, or None when that comes to the listener.

        What it returns is certain: a request that could not be sent is answered as rejected.
        The same request id again is never dealt on twice.
        """
        ...

    def cancel(self, request_id: str) -> None:
        """Ask for a request to end with what it has dealt; the last word comes as its answer."""
        ...

    def recall(self, round_id: str) -> Sequence[Recalled]:
        """Return the requests that begin with `round_id`, and ask what became of the open ones.

        A provider that knows nothing of a request has not dealt on it (FIX OrderStatusRequest).
        """
        ...


def round_id(order_id: str, version: int) -> str:
    """Return what the ids of all requests for one routing of an order begin with."""
    return f"{order_id}-{version}-"


def request_id(order_id: str, version: int, provider: str) -> str:
    """Return the id of a request, FIX ClOrdID: the same asking has the same id for ever."""
    return round_id(order_id, version) + provider
