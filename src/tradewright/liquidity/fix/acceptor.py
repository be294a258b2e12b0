"""A simulated provider that speaks FIX 4.4 over TCP: it quotes, deals, and fails on purpose.

The other side of the gateway, for tests, demos and whoever connects for the first time. What it
deals is written to a file before anybody is told, as at a real provider, so it may be killed at
any point and comes back knowing its trades. How it fails with a request is drawn from its seed
and the request's id: the same seed fails in the same way.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

from tradewright.core.clock import utc_now
from tradewright.liquidity.fix import application, trades
from tradewright.liquidity.fix.acceptor_doors import Door
from tradewright.liquidity.fix.acceptor_faults import MARK, Fault, Temper
from tradewright.liquidity.fix.acceptor_files import Deals, FileStore
from tradewright.liquidity.fix.acceptor_quotes import Price, Quoting
from tradewright.liquidity.fix.application import asked_request
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.fix.store import MemoryStore
from tradewright.liquidity.model import ProviderRequest, Side
from tradewright.liquidity.reconciliation.model import TradeLine

LATE_SECONDS = 1
_NEEDED = {
    application.NEW_ORDER: (11, 55, 54, 38, 60),
    application.STATUS: (11, 55, 54),
    application.CANCEL: (11, 41),
    trades.REQUEST: (568, 75),
}
"""What is understood, with the fields that it cannot be answered without."""


class FixAcceptor:
    """Listens on two ports, for orders and for quotes; one client at a time on each."""

    def __init__(
        self,
        folder: Path,
        prices: Mapping[str, Price],
        temper: Temper,
        *,
        ports: tuple[int, int] = (0, 0),
        host: str = "127.0.0.1",
    ) -> None:
        self._quoting = Quoting(dict(prices), temper.rejects_whole)
        store = FileStore(folder / "session.jsonl")
        deals = Deals(folder / "deals.jsonl")
        self._dealing = _Dealing(deals, self._quoting, temper, store)
        self._doors = (
            Door((host, ports[0]), store, self._dealing),
            Door((host, ports[1]), MemoryStore(), self._quoting),
        )

    @property
    def ports(self) -> tuple[int, int]:
        """Return the ports for orders and for quotes."""
        return self._doors[0].port, self._doors[1].port

    @property
    def trades(self) -> list[TradeLine]:
        """Return everything that has been dealt, told or not."""
        return self._dealing.deals.trades()

    @property
    def asked_count(self) -> int:
        """Return how many different requests have arrived."""
        return len(self._dealing.deals.reports)

    def start(self) -> None:
        """Begin to listen."""
        for door in self._doors:
            door.start()

    def stop(self) -> None:
        """Hang up on everybody and stop."""
        for door in self._doors:
            door.stop()

    def set_price(self, symbol: str, price: Price) -> None:
        """Quote a symbol anew."""
        self._quoting.set_price(symbol, price)
        self._doors[1].waker.wake()

    def deal_unasked(self, request: ProviderRequest, price: Decimal) -> None:
        """Report a trade that nobody has asked for."""
        self._dealing.deal_unasked(request, price)
        self._doors[0].waker.wake()

    def correct(self, execution_id: str, price: Decimal | None = None) -> None:
        """Take an execution back, or correct its price; told each time that it is asked for."""
        self._dealing.correct(execution_id, price)
        self._doors[0].waker.wake()


@dataclass(slots=True)
class _Dealing:
    """What is dealt, and what is told of it when."""

    deals: Deals
    quoting: Quoting
    temper: Temper
    store: FileStore
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _queue: deque[tuple[datetime, Message]] = field(default_factory=deque)

    def ready(self) -> None:
        """Do nothing: what was missed is asked for."""

    def waiting(self) -> Sequence[Message]:
        """Return what is due."""
        now = utc_now()
        with self._lock:
            due = [message for at, message in self._queue if at <= now]
            self._queue = deque(each for each in self._queue if each[0] > now)
        return due

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:
        """Take orders, cancels and questions about them; refuse what cannot be answered."""
        for message in messages:
            refusal = application.refusal(message, _NEEDED)
            if refusal is not None:
                self._say(refusal)
                continue
            try:
                self._take(message, now)
            except ValueError as error:
                self._say(application.business_reject(message, "5", str(error)))

    def tick(self, now: datetime) -> None:
        """Do nothing: what is late is sent when it is due."""

    def gone(self) -> None:
        """Forget what was not sent; whoever wants it asks about it."""
        with self._lock:
            self._queue.clear()

    def deal_unasked(self, request: ProviderRequest, price: Decimal) -> None:
        """Report a trade that nobody has asked for."""
        report = _trade(request, (request.quantity, price), request.quantity, 1)
        self.deals.keep(request.request_id, [report])
        self._say(report)

    def correct(self, execution_id: str, price: Decimal | None) -> None:
        """Say that an execution is busted, or has another price; keep it so."""
        corrected = self.deals.correct(execution_id, price)
        if corrected is not None:
            self._say(corrected)

    def _take(self, message: Message, now: datetime) -> None:
        if message.kind == application.NEW_ORDER:
            self._take_order(message, now)
        elif message.kind == application.STATUS:
            self._take_question(message, now)
        elif message.kind == trades.REQUEST:
            day = [t for t in self.deals.trades() if f"{t.executed_at:%Y%m%d}" == message.get(75)]
            for told in trades.trade_reports(message.text(568), day):
                self._say(told)
        elif message.kind == application.CANCEL:
            fields = ((37, "0"), (11, message.text(11)), (41, message.text(41)))
            rest = ((39, "8"), (434, "1"), (102, "0"), (58, "too late"))
            self._say(Message(application.CANCEL_REJECT, (*fields, *rest)))

    def _take_order(self, message: Message, now: datetime) -> None:
        request = asked_request(message)
        if request.request_id in self.deals.reports:
            self._say(_report(request, "8", "8", (103, "6"), (58, "duplicate ClOrdID")))
            return
        fault = self.temper.fault(request.request_id)
        reports = self._outcome(request, fault)
        self.deals.keep(request.request_id, reports)
        if fault is Fault.SILENT:
            return
        self._say(_report(request, "0", "0"))
        due = now + timedelta(seconds=LATE_SECONDS if fault is Fault.LATE else 0)
        for report in reports:
            self._say(report, due, fault)
        if fault is Fault.DUPLICATE:
            self._say(replace(reports[-1], fields=(*reports[-1].fields, (97, "Y"))))

    def _outcome(self, request: ProviderRequest, fault: Fault) -> list[Message]:
        """Return the reports of what is dealt: all of it, a part, pieces, or nothing."""
        price = self.quoting.prices.get(request.symbol)
        if price is None:
            return [_report(request, "8", "8", (103, "1"), (58, "unknown symbol"))]
        if request.quantity <= 0:
            return [_report(request, "8", "8", (103, "13"), (58, "no quantity"))]
        if fault is Fault.REJECT:
            return [_report(request, "8", "8", (103, "99"), (58, "last look"))]
        dealt = price.ask if request.side is Side.BUY else price.bid
        limit = request.limit_price
        if limit is not None and (dealt - limit) * request.side.sign > 0:
            return [_report(request, "4", "4")]
        parts = _parts(request, fault)
        reports, total = [], Decimal(0)
        for number, part in enumerate(parts, 1):
            total += part
            reports.append(_trade(request, (part, dealt), total, number))
        if total < request.quantity:
            reports.append(_report(request, "4", "4", total=total))
        return reports

    def _take_question(self, message: Message, now: datetime) -> None:
        """Tell what has not been told, then how the order stands."""
        request_id = message.text(11)
        reports = self.deals.reports.get(request_id)
        if reports is None:
            fields = ((37, "0"), (11, request_id), (17, "0"), (150, "I"), (39, "8"), (103, "5"))
            rest = ((55, message.text(55)), (54, message.text(54)), (14, "0"), (151, "0"))
            self._say(Message(application.REPORT, (*fields, *rest, (60, as_time(now)))))
            return
        is_late = any(m.text(11) == request_id and at > now for at, m in self._queue)
        for report in reports:
            if report.text(17) not in self.store.executions and not is_late:
                self._say(report)
        last = dict(reports[-1].fields)
        state = {150: "I", 17: "0"} | ({39: "0", 14: "0"} if is_late else {})
        self._say(Message(application.REPORT, tuple((last | state).items())))

    def _say(
        self, message: Message, due: datetime | None = None, fault: Fault = Fault.NONE
    ) -> None:
        marked = (*message.fields, *([(MARK, fault)] if fault in _ON_THE_LINE else []))
        with self._lock:
            self._queue.append((due or utc_now(), replace(message, fields=marked)))


_ON_THE_LINE = (Fault.GAP, Fault.DISCONNECT)


def _parts(request: ProviderRequest, fault: Fault) -> list[Decimal]:
    """Return what is dealt: whole units but for the last part, and no part of nothing."""
    parts = [request.quantity]
    if fault is Fault.PARTIAL and not request.is_all_or_nothing:
        parts = [(request.quantity * 2 / 5).quantize(Decimal(1), ROUND_FLOOR)]
    elif fault is Fault.PIECES:
        third = (request.quantity / 3).quantize(Decimal(1), ROUND_FLOOR)
        parts = [third, third, request.quantity - 2 * third]
    return [part for part in parts if part > 0]


def _trade(
    request: ProviderRequest, dealt: tuple[Decimal, Decimal], total: Decimal, number: int
) -> Message:
    quantity, price = dealt
    state = "2" if total >= request.quantity else "1"
    fields = ((32, f"{quantity}"), (31, f"{price}"), (6, f"{price}"))
    return _report(request, "F", state, *fields, total=total, number=number)


def _report(
    request: ProviderRequest,
    kind: str,
    state: str,
    *fields: tuple[int, str],
    total: Decimal = Decimal(0),
    number: int = 0,
) -> Message:
    leaves = Decimal(0) if state in ("2", "4", "8") else request.quantity - total
    return Message(
        application.REPORT,
        (
            *((37, f"O-{request.request_id}"), (11, request.request_id)),
            *((17, f"E-{request.request_id}-{kind}{number}"), (150, kind), (39, state)),
            *((55, request.symbol), (54, "1" if request.side is Side.BUY else "2")),
            *((38, f"{request.quantity}"), (14, f"{total}"), (151, f"{leaves}")),
            *((60, as_time(utc_now())), *fields),
        ),
    )
