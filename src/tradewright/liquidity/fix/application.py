"""What our messages and the provider's mean: requests to FIX 4.4, FIX 4.4 to answers and quotes.

Pure: values in, values out. The fields are those of FIX 4.4, volumes 3 and 4; which of them a
provider must send stands in docs/reference/fix.md. `gateway` decides when what is sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import count

from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import as_time, read_time
from tradewright.liquidity.model import (
    ProviderAnswer,
    ProviderQuote,
    ProviderRequest,
    RejectReason,
    Side,
)

ID_LENGTH_MAX = 200
"""No name that two sides agree on is longer, and none that is could be found by."""

NEW_ORDER, CANCEL, STATUS, REPORT, CANCEL_REJECT = "D", "F", "H", "8", "9"
MARKET_DATA_REQUEST, SNAPSHOT, INCREMENTAL, MARKET_DATA_REJECT = "V", "W", "X", "Y"
SESSION_REJECT, BUSINESS_REJECT = "3", "j"

_SIDES = {Side.BUY: "1", Side.SELL: "2"}
_SIDES_BACK = {"1": Side.BUY, "2": Side.SELL, "3": Side.BUY} | dict.fromkeys("456", Side.SELL)
"""Side (54): buy, sell, buy minus, sell plus, and the two ways to sell short."""
_NUMBER = re.compile(r"-?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})", re.ASCII)
_NUMBER_MAX = Decimal(10) ** 12
_UNIT = Decimal("1E-8")
TRADES = frozenset({"F", "1", "2"})
"""ExecType (150) of an execution; 1 and 2 are those of FIX 4.2, which some still send."""
CORRECTIONS = frozenset({"G", "H"})
"""ExecType (150) of what corrects or takes back an execution: no word about a request's end."""
_FINAL = frozenset({"2", "3", "4", "8", "C"})
"""OrdStatus (39) after which nothing follows: filled, done, canceled, rejected, expired."""
_REASONS = {
    "1": RejectReason.UNKNOWN_SYMBOL,
    "5": RejectReason.UNKNOWN_REQUEST,
    "13": RejectReason.QUANTITY,
}


def new_order(request: ProviderRequest, account: str | None, now: datetime) -> Message:
    """Return NewOrderSingle: immediate or cancel (59=3), or fill or kill (59=4)."""
    fields = [(11, request.request_id), *([(1, account)] if account else []), (21, "1")]
    fields += [(55, request.symbol), (54, _SIDES[request.side]), (60, as_time(now))]
    fields += [(38, f"{request.quantity.normalize():f}")]
    if request.limit_price is None:
        fields.append((40, "1"))
    else:
        fields += [(40, "2"), (44, f"{request.limit_price.normalize():f}")]
    return Message(NEW_ORDER, (*fields, (59, "4" if request.is_all_or_nothing else "3")))


def cancel(request: ProviderRequest, now: datetime) -> Message:
    """Return OrderCancelRequest of a request."""
    return Message(
        CANCEL,
        (
            (41, request.request_id),
            (11, f"C-{request.request_id}"),
            (55, request.symbol),
            (54, _SIDES[request.side]),
            (60, as_time(now)),
            (38, f"{request.quantity.normalize():f}"),
        ),
    )


def status(request: ProviderRequest) -> Message:
    """Return OrderStatusRequest, which asks what became of a request."""
    return Message(
        STATUS, ((11, request.request_id), (55, request.symbol), (54, _SIDES[request.side]))
    )


def market_data_request(number: int, symbols: list[str]) -> Message:
    """Return MarketDataRequest for best bids and offers, with what follows (263=1)."""
    fields = [(262, f"MD-{number}"), (263, "1"), (264, "1"), (265, "1")]
    fields += [(267, "2"), (269, "0"), (269, "1"), (146, str(len(symbols)))]
    return Message(MARKET_DATA_REQUEST, (*fields, *((55, symbol) for symbol in symbols)))


def business_reject(message: Message, reason: str, why: str) -> Message:
    """Return BusinessMessageReject of a message, for a BusinessRejectReason (380)."""
    fields = ((45, message.text(34) or "0"), (372, message.kind), (380, reason))
    return Message(BUSINESS_REJECT, (*fields, (58, why[:100])))


def refusal(message: Message, needed: Mapping[str, Sequence[int]]) -> Message | None:
    """Return the reject of a message that is not understood, or lacks what is needed; or None."""
    if message.kind in (SESSION_REJECT, BUSINESS_REJECT):
        return None
    if message.kind not in needed:
        return business_reject(message, "3", "unsupported message type")
    missing = [tag for tag in needed[message.kind] if message.get(tag) is None]
    return business_reject(message, "5", f"field {missing[0]} is missing") if missing else None


def asked_request(message: Message) -> ProviderRequest:
    """Return the request that a NewOrderSingle of ours asks for.

    Raises:
        ValueError: it is no order of ours.

    """
    return ProviderRequest(
        request_id=message.text(11),
        symbol=message.text(55),
        side=_side(message),
        quantity=read_decimal(message, 38),
        limit_price=None if message.get(44) is None else read_decimal(message, 44),
        requested_at=read_time(message.text(60)),
        is_all_or_nothing=message.get(59) == "4",
    )


def reported_request(message: Message, now: datetime) -> ProviderRequest:
    """Return what an ExecutionReport says that it is about, as if asked for when it was dealt.

    That may be long ago: what was received and never booked is told again at the next start.

    Raises:
        ValueError: a field is missing or cannot be read.

    """
    price = message.get(44)
    return ProviderRequest(
        request_id=request_id_of(message) or message.text(37),
        symbol=message.text(55),
        side=_side(message),
        quantity=read_decimal(message, 38) if message.get(38) else read_decimal(message, 14),
        limit_price=None if price is None else read_decimal(message, 44),
        requested_at=_told_at(message, now),
    )


def request_id_of(message: Message) -> str:
    """Return the request that a message is about; a cancel has an id of its own beside it (41)."""
    return message.get(41) or message.text(11)


def read_report(
    message: Message, provider: str, request: ProviderRequest, now: datetime
) -> ProviderAnswer | None:
    """Return what an ExecutionReport tells of a request; None when it tells no more than that.

    A status (150=I) is a last word only; what it says was dealt is told by executions. `now` is
    when it is read: nothing was decided later.

    Raises:
        ValueError: a field is missing or cannot be read.

    """
    kind, is_trade = message.text(150), message.get(150) in TRADES
    is_final = message.text(39) in _FINAL or (is_trade and message.get(151) == "0")
    if kind in CORRECTIONS or not (is_trade or is_final):
        return None
    total = read_decimal(message, 14) if message.get(14) else Decimal(0)
    quantity = read_decimal(message, 32) if is_trade else Decimal(0)
    if is_trade and not quantity > 0:
        raise ValueError("LastQty")
    answer = ProviderAnswer(
        request_id=request.request_id,
        provider=provider,
        accepted=bool(total) or is_trade,
        price=read_decimal(message, 31) if is_trade else None,
        quantity=quantity,
        hold_ms=0,
        decided_at=max(_told_at(message, now), request.requested_at),
        reason=None if total or is_trade else _reason(message),
        execution_id=_execution_id(message),
        total_quantity=max(total, quantity),
        is_final=is_final,
    )
    return _as_dealt(answer, message) if is_trade else answer


def _as_dealt(answer: ProviderAnswer, message: Message) -> ProviderAnswer:
    """Return an answer with what its provider says that it has dealt."""
    side = _SIDES_BACK.get(message.text(54))
    return replace(answer, symbol=message.get(55), side=side, currency=message.get(15))


def rejection(
    request: ProviderRequest, provider: str, reason: RejectReason, now: datetime
) -> ProviderAnswer:
    """Return the last word that nothing was dealt."""
    return ProviderAnswer(
        request_id=request.request_id,
        provider=provider,
        accepted=False,
        price=None,
        quantity=Decimal(0),
        hold_ms=0,
        decided_at=max(now, request.requested_at),
        reason=reason,
        execution_id=f"{provider}-{request.request_id}-{reason}",
        total_quantity=Decimal(0),
    )


def settled(
    answer: ProviderAnswer, dealt_quantity: Decimal, hold_ms: int, *, is_final: bool
) -> ProviderAnswer:
    """Return an answer with what is known on our side: all that was dealt, and how long it took."""
    return replace(
        answer,
        accepted=dealt_quantity > 0,
        reason=None if dealt_quantity else answer.reason,
        total_quantity=dealt_quantity,
        hold_ms=hold_ms,
        is_final=is_final,
    )


@dataclass(slots=True)
class Book:
    """The best bid and offer of one symbol, as snapshots and increments leave it.

    `quoted_at` is the provider's time, and never after ours.
    """

    symbol: str
    quoted_at: datetime
    prices: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def take(self, entries: list[Message]) -> None:
        """Take entries; each replaces its side, or with 279=2 or no size takes it away."""
        for entry in entries:
            side = entry.text(269)
            size = read_decimal(entry, 271, ROUND_FLOOR) if entry.get(271) else Decimal(0)
            if entry.get(279) == "2" or not size:
                self.prices.pop(side, None)
            elif side in ("0", "1"):
                worse = ROUND_FLOOR if side == "0" else ROUND_CEILING
                self.prices[side] = (read_decimal(entry, 270, worse), size)


@dataclass(slots=True)
class Books:
    """What a provider offers, symbol by symbol; its quotes are numbered as they come."""

    provider: str
    _books: dict[str, Book] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def take(self, message: Message, now: datetime) -> list[ProviderQuote]:
        """Take a snapshot (35=W) or an increment (35=X); return what is offered then.

        Raises:
            ValueError: a field is missing or cannot be read.

        """
        quoted_at = min(now, read_time(message.text(52)))
        if message.kind == SNAPSHOT:
            book = self._books[message.text(55)] = Book(message.text(55), quoted_at)
            book.take(message.groups(269))
            return [self._offer(book)]
        changed: dict[str, Book] = {}
        for entry in message.groups(279):
            symbol = entry.text(55)
            changed[symbol] = self._books.setdefault(symbol, Book(symbol, quoted_at))
            changed[symbol].take([entry])
            changed[symbol].quoted_at = quoted_at
        return [self._offer(book) for book in changed.values()]

    def standing(self) -> list[ProviderQuote]:
        """Return everything that is offered, as old as it is."""
        return [self._offer(book) for book in self._books.values()]

    def withdrawn(self, now: datetime) -> list[ProviderQuote]:
        """Return quotes without size, which take the prices off the board."""
        return [self._offer(Book(symbol, now)) for symbol in self._books]

    def forget(self) -> None:
        """Forget everything: the subscription has ended."""
        self._books.clear()

    def _offer(self, book: Book) -> ProviderQuote:
        bid, bid_size = book.prices.get("0", (Decimal(0), Decimal(0)))
        ask, ask_size = book.prices.get("1", (bid + 1, Decimal(0)))
        return ProviderQuote(
            provider=self.provider,
            symbol=book.symbol,
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            quoted_at=book.quoted_at,
            sequence=next(self._numbers),
        )


def read_decimal(message: Message, tag: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Return a number below 1e12, rounded to the decimals that our books keep.

    Some write numbers as their machine holds them: 1.2000000000000002 is 1.2, and no worse price.

    Raises:
        ValueError: it is none as FIX writes them: digits, and a point at most.

    """
    text = message.text(tag)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"field {tag} is {text[:80]!r}")
    value = Decimal(text)
    kept = value.quantize(_UNIT, rounding) if abs(value) < _NUMBER_MAX else _NUMBER_MAX
    if abs(kept) >= _NUMBER_MAX:
        raise ValueError(f"field {tag} is {text[:80]!r}")
    return value if kept == value else kept


def _told_at(message: Message, now: datetime) -> datetime:
    """Return when the provider says that it decided; its clock may be ahead, its word is not."""
    return min(read_time(message.get(60) or message.text(52)), now)


def _execution_id(message: Message) -> str:
    """Return ExecID; a status has 0 there, which names nothing.

    An execution without one is named by how much had been dealt with it, which only rises: two
    parts of one order are never taken for the same.
    """
    told = message.text(17)
    if len(told) > ID_LENGTH_MAX:
        raise ValueError(f"ExecID (17) has {len(told)} characters")
    if told not in ("", "0"):
        return told
    dealt = f"-{message.text(14)}" if message.get(150) in TRADES and message.get(14) else ""
    return f"{request_id_of(message)}-{message.text(39)}{dealt}"


def _reason(message: Message) -> RejectReason:
    if message.text(39) != "8":
        return RejectReason.UNFILLED
    return _REASONS.get(message.text(103), RejectReason.DECLINED)


def _side(message: Message) -> Side:
    side = _SIDES_BACK.get(message.text(54))
    if side is None:
        raise ValueError(f"Side (54) is {message.text(54)!r}")
    return side
