"""A provider over FIX 4.4: requests out, answers and quotes in, and nothing guessed in between.

Two connections, each with a thread of its own: one for orders, whose messages are kept in
PostgreSQL, and one for prices, which begins anew each time. A request is kept before it leaves.
From then on its outcome is unknown until the provider has said its last word; when that is late,
or the connection was lost, the provider is asked (OrderStatusRequest) as often as it takes. The
order of a session's messages makes its answer certain: a status request is read after the order
it asks about, or after the gap fill that says that the order will not come.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import psycopg

from tradewright.core.clock import utc_now
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.fix import application, trades
from tradewright.liquidity.fix.caller import Caller, Endpoint
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.prices import Prices
from tradewright.liquidity.fix.refusals import RefusedSymbols
from tradewright.liquidity.fix.requests import recalled, untold_reports
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.liquidity.fix.trades import TradeList, trades_request
from tradewright.liquidity.fix.unreadable import Unreadable
from tradewright.liquidity.gateway import Listener, Recalled
from tradewright.liquidity.model import (
    ProviderAnswer,
    ProviderRequest,
    Quote,
    RejectReason,
)

ANSWER_MS_MAX = 5_000
"""A request without its last word for so long is asked about, and again as long as it has none."""

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pending:
    """A request without its last word."""

    request: ProviderRequest
    asked_at: datetime
    sent_at: datetime
    executions: dict[str, Decimal] = field(default_factory=dict)
    is_queued: bool = False
    is_canceled: bool = False

    @property
    def dealt_quantity(self) -> Decimal:
        """Return what has been told of it in executions."""
        return sum(self.executions.values(), Decimal(0))


class FixGateway:
    """One provider over FIX; keeps `liquidity.gateway.Gateway`."""

    def __init__(
        self,
        provider: str,
        store: PostgresStore,
        orders: Endpoint,
        quotes: tuple[Endpoint, Sequence[str]] | None = None,
        *,
        answer_ms_max: int = ANSWER_MS_MAX,
    ) -> None:
        self.provider = provider
        self._orders = orders
        self._store = store
        self._answer_age_max = timedelta(milliseconds=answer_ms_max)
        self._lock = threading.RLock()
        self._pending: dict[str, _Pending] = {}
        self._queue: deque[Message] = deque()
        self._untold: deque[tuple[ProviderRequest, ProviderAnswer]] = deque()
        self._is_ready = False
        self._trades: TradeList | None = None
        self._caller = Caller(orders, store, self)
        self._prices = None if quotes is None else Prices(provider, *quotes)
        self._refused = RefusedSymbols(store.open_session, provider)
        self._unreadable = Unreadable(store.open_session, provider)

    @property
    def why_not(self) -> str:
        """Return why the last connection ended, or an empty text."""
        return self._caller.why

    @property
    def is_ready(self) -> bool:
        """Return whether requests can be sent now."""
        return self._is_ready

    def open(self, listener: Listener) -> None:
        """Begin to connect; tell again what was received and never booked.

        Raises:
            StateError: PROVIDER_SESSION_TAKEN.

        """
        self._store.connected()
        self._listener = listener
        for report in untold_reports(self._store.open_session, self._store.provider_id):
            self._take_report(report, utc_now())
        self._caller.start()
        if self._prices is not None:
            self._prices.start(listener, lambda: self._is_ready)

    def close(self) -> None:
        """Log out and stop; requests without a last word are recalled at the next start."""
        if self._prices is not None:
            self._prices.stop()
        self._caller.stop()
        self._store.close()

    def follow(self, symbols: Sequence[str]) -> None:
        """Ask for the prices of these too, from now on, and again for what was refused of them.

        Any thread may do so.
        """
        if self._prices is not None:
            self._prices.follow(symbols)

    def on_quote(self, quote: Quote) -> None:
        """Do nothing: the provider quotes by itself."""

    def answer(self, request: ProviderRequest, now: datetime) -> ProviderAnswer | None:
        """Put a request in the queue; while there is no session it is refused at once."""
        with self._lock:
            if not self._is_ready:
                reason = RejectReason.NOT_CONNECTED
                return application.rejection(request, self.provider, reason, now)
            wall = utc_now()
            if request.request_id not in self._pending:
                pending = _Pending(request, wall, wall, is_queued=True)
                self._pending[request.request_id] = pending
                order = application.new_order(request, self._orders.account, wall)
                self._queue.append(order)
        self._caller.waker.wake()
        return None

    def cancel(self, request_id: str) -> None:
        """Send OrderCancelRequest, now and at each logon until the last word has come."""
        with self._lock:
            pending = self._pending.get(request_id)
            if pending is not None:
                pending.is_canceled = True
                if self._is_ready:
                    self._queue.append(application.cancel(pending.request, utc_now()))
        self._caller.waker.wake()

    def ask_trades(self, day: date) -> TradeList:
        """Ask for the provider's list of a UTC day's trades; it fills as reports arrive.

        Asked for while there is no session, or lost with one, it never becomes whole: ask again.
        """
        with self._lock:
            self._trades = TradeList(new_id_text())
            self._queue.append(trades_request(self._trades.name, day))
        self._caller.waker.wake()
        return self._trades

    def recall(self, round_id: str) -> Sequence[Recalled]:
        """Read what was sent and received under these ids; ask about what has no last word."""
        found: list[Recalled] = []
        for request, reports in recalled(
            self._store.open_session, self._store.provider_id, round_id
        ):
            now = utc_now()
            with self._lock:
                pending = self._pending[request.request_id] = _Pending(request, now, now)
                answers = [self._read(report, pending) for report in reports]
                told = [answer for answer in answers if answer is not None]
                if any(answer.is_final for answer in told):
                    del self._pending[request.request_id]
            found.append((request, told))
        return found

    def ready(self) -> None:
        """Take note of the logon: ask about every request whose outcome is unknown.

        Before that, what is to be canceled is asked to end: the line may have taken that with it.
        """
        with self._lock:
            self._is_ready = True
            for pending in self._pending.values():
                if pending.is_canceled and not pending.is_queued:
                    self._queue.append(application.cancel(pending.request, utc_now()))
                self._ask_status(pending, utc_now())

    def waiting(self) -> Sequence[Message]:
        """Return what is to be sent now; from here on it may have reached the provider."""
        with self._lock:
            messages = list(self._queue)
            self._queue.clear()
            for message in messages:
                pending = self._pending.get(message.text(11))
                if pending is not None and message.kind == application.NEW_ORDER:
                    pending.is_queued = False
        return messages

    def gone(self) -> None:
        """Take note that there is no session; what was never sent is refused, for certain."""
        with self._lock:
            self._is_ready = False
            self._queue.clear()
            unsent = [each.request for each in self._pending.values() if each.is_queued]
            for request in unsent:
                del self._pending[request.request_id]
        for request in unsent:
            reason = RejectReason.NOT_CONNECTED
            self._tell(request, application.rejection(request, self.provider, reason, utc_now()))

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:
        """Take what the provider says; it has been kept."""
        for message in messages:
            if message.kind == application.REPORT:
                self._take_report(message, now)
            elif message.kind in (trades.REPORT, trades.ACKNOWLEDGEMENT):
                self._take_trade(message)
            elif message.kind in (application.SESSION_REJECT, application.BUSINESS_REJECT):
                self._take_refusal(message, now)

    def tick(self, now: datetime) -> None:
        """Ask about requests that wait for too long; tell again what could not be told.

        And tell people which prices the provider keeps refusing.
        """
        with self._lock:
            for pending in self._pending.values():
                if self._is_ready and now - pending.asked_at > self._answer_age_max:
                    self._ask_status(pending, now)
            untold, self._untold = self._untold, deque()
        for request, answer in untold:
            self._tell(request, answer)
        if self._prices is not None:
            self._refused.tell(self._prices.kept_refused, self._prices.priced)
        self._unreadable.tell()
        self._listener.take_time(now)

    def _take_report(self, message: Message, now: datetime) -> None:
        if message.get(150) in application.CORRECTIONS:
            told = "takes back" if message.get(150) == "H" else "corrects"
            _LOG.error("%s %s execution %s", self.provider, told, message.get(19))
            return
        pending = self._pending.get(application.request_id_of(message))
        try:
            if pending is None:
                request = application.reported_request(message, now)
                answer = application.read_report(message, self.provider, request, now)
            else:
                request, answer = pending.request, self._read(message, pending, now)
        except (ValueError, ArithmeticError) as error:
            _LOG.error("%s sent a report that cannot be read: %s", self.provider, error)
            self._unreadable.note(message, str(error))
            with self._lock:
                self._queue.append(application.business_reject(message, "5", str(error)))
            return
        if answer is not None:
            if answer.is_final:
                self._pending.pop(request.request_id, None)
            self._tell(request, answer)

    def _read(
        self, message: Message, pending: _Pending, now: datetime | None = None
    ) -> ProviderAnswer | None:
        """Read a report on a request; a last word that claims untold executions is none yet."""
        answer = application.read_report(message, self.provider, pending.request, now or utc_now())
        if answer is None:
            return None
        if answer.price is not None:
            pending.executions[answer.execution_id] = answer.quantity
        is_final = answer.is_final and answer.dealt_quantity <= pending.dealt_quantity
        if not is_final and answer.price is None:
            return None
        waited = timedelta(0) if now is None else now - pending.sent_at
        hold_ms = max(0, round(waited / timedelta(milliseconds=1)))
        return application.settled(answer, pending.dealt_quantity, hold_ms, is_final=is_final)

    def _take_trade(self, message: Message) -> None:
        try:
            if self._trades is not None:
                self._trades.take(message)
        except ValueError as error:
            _LOG.error("%s: %s", self.provider, error)

    def _take_refusal(self, message: Message, now: datetime) -> None:
        """Take a session's or the application's reject of a message of ours."""
        request_id = message.get(379)
        seq = message.number(45)
        if request_id is None and seq is not None:
            refused = self._store.sent(seq, seq).get(seq)
            request_id = None if refused is None else refused.get(11)
        _LOG.warning("%s rejected a message: %s", self.provider, message.text(58))
        pending = self._pending.get(request_id or "")
        if pending is None or message.text(372) != application.NEW_ORDER or pending.executions:
            return
        del self._pending[pending.request.request_id]
        reason = RejectReason.DECLINED
        self._tell(
            pending.request,
            application.rejection(pending.request, self.provider, reason, now),
        )

    def _ask_status(self, pending: _Pending, now: datetime) -> None:
        if not pending.is_queued:
            pending.asked_at = now
            self._queue.append(application.status(pending.request))

    def _tell(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Tell an answer; one that cannot be kept now is told again later."""
        try:
            self._listener.take_answer(request, answer)
        except (psycopg.Error, TradewrightError) as error:
            _LOG.warning("an answer of %s could not be booked yet: %s", self.provider, error)
            self._untold.append((request, answer))
