"""An engine's line to the venue: it keeps the protocol of `liquidity.gateway`.

Quotes are made here, as the simulator makes them; what is asked goes to the venue, and every
answer comes later. What the engine could not take is told to it again.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from multiprocessing.connection import Client
from queue import SimpleQueue

import psycopg

from tradewright.core.clock import pause
from tradewright.core.errors import TradewrightError
from tradewright.liquidity.gateway import Listener, Recalled
from tradewright.liquidity.model import (
    ProviderAnswer,
    ProviderProfile,
    ProviderQuote,
    ProviderRequest,
    Quote,
)
from tradewright.liquidity.simulator import SimulatedProvider

_TRY_AGAIN_SECONDS = 0.1

_Heard = tuple[ProviderRequest, ProviderAnswer] | None


class VenueGateway:
    """One provider of the venue as one engine reaches it."""

    def __init__(self, profile: ProviderProfile, seed: int, address: str) -> None:
        self._quoting = SimulatedProvider(profile, seed)
        self._line = Client(address, family="AF_UNIX")
        self._sending = threading.Lock()
        self._recalled: SimpleQueue[Sequence[Recalled]] = SimpleQueue()
        self._heard: SimpleQueue[_Heard] = SimpleQueue()
        self._teller: threading.Thread | None = None
        self._is_open = False
        self._send("hello", profile.code)
        threading.Thread(target=self._hear, daemon=True).start()

    def open(self, listener: Listener) -> None:
        """Begin to tell the listener what is heard, and what the engine before did not hear."""
        self._is_open = True
        self._teller = threading.Thread(target=self._tell, args=(listener,), daemon=True)
        self._teller.start()
        self._send("open", None)

    def close(self) -> None:
        """Stop telling; the venue tells the next engine what was told last."""
        self._is_open = False
        self._heard.put(None)
        if self._teller is not None:
            self._teller.join()

    def on_quote(self, quote: Quote) -> ProviderQuote | None:
        """Quote as the simulator does."""
        return self._quoting.on_quote(quote)

    def answer(self, request: ProviderRequest, now: datetime) -> None:  # noqa: ARG002
        """Pass a request on; every answer comes later."""
        self._send("ask", request)

    def cancel(self, request_id: str) -> None:
        """Ask the venue to end a request."""
        self._send("cancel", request_id)

    def recall(self, round_id: str) -> Sequence[Recalled]:
        """Ask what became of the requests of a round."""
        self._send("recall", round_id)
        return self._recalled.get()

    def _send(self, word: str, given: object) -> None:
        with self._sending:
            self._line.send((word, given))

    def _hear(self) -> None:
        """Take what the venue says, in a thread that never waits for the engine."""
        while True:
            try:
                word, *given = self._line.recv()
            except (EOFError, OSError):
                return
            if word == "recalled":
                self._recalled.put(given[0])
            else:
                self._heard.put((given[0], given[1]))

    def _tell(self, listener: Listener) -> None:
        while (heard := self._heard.get()) is not None:
            while self._is_open:
                try:
                    listener.take_answer(*heard)
                except (psycopg.Error, TradewrightError):
                    pause(_TRY_AGAIN_SECONDS)
                else:
                    break
