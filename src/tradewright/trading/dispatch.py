"""Book A after the commit: ask the providers, best price first, and bring back their answers.

The order's intent is committed before anything is asked, so a crash in between leaves a routed
order that `recall` finds, in the engine that takes over. A request's id is made of the order's id
and version: asking again gets the provider's first answer, never a second execution. A provider may
answer at once or later, and in several executions; each is booked when it is known, and the next
provider is asked when the one before has said its last word. After a wait it is asked only when the
batch that books that word lets the order go on: another process may have canceled it, or halted
trading, and its time may be over. Whoever is asked then is asked at a price of then.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from tradewright.liquidity.gateway import Gateway, request_id, round_id
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import Level, ProviderAnswer, ProviderRequest
from tradewright.routing.scoring import ANSWER_MS_MAX, is_tolerable
from tradewright.trading.house_commands import HOUSE
from tradewright.trading.model import BookAnswers
from tradewright.trading.state import Hedge, OrderState, RoutedOrder

ANSWER_TIME_MAX = timedelta(milliseconds=ANSWER_MS_MAX)

Asking = Generator[tuple[str, ProviderRequest], ProviderAnswer | None, None]
"""Whom an order asks next: yields a provider's code and request, is sent its final answer.

It is sent None when nobody was asked yet, and looks again.
"""


@dataclass(slots=True)
class _Round:
    """One routing of an order: who is asked, what has been answered and not been booked yet."""

    account_id: str
    order_id: str
    asking: Asking | None
    is_canceled: bool = False
    next: tuple[str, ProviderRequest] | None = None
    pending: dict[str, tuple[str, ProviderRequest]] = field(default_factory=dict)
    unbooked: list[tuple[ProviderRequest, ProviderAnswer]] = field(default_factory=list)

    def take_unbooked(self, *, is_final: bool) -> BookAnswers:
        """Return the command that books what has been answered, and asks whether to go on."""
        answers, self.unbooked = tuple(self.unbooked), []
        return BookAnswers(
            account_id=self.account_id,
            order_id=self.order_id,
            answers=answers,
            is_final=is_final,
            may_go_on=self.next is not None,
        )


class Dispatcher:
    """The orders that are with providers now; belongs to whoever holds the engine's lock."""

    def __init__(self, market: Market, gateways: Mapping[str, Gateway]) -> None:
        self._market = market
        self._gateways = gateways
        self._rounds: dict[str, _Round] = {}
        self._held: dict[str, _Round] = {}

    @property
    def pending_count(self) -> int:
        """Return how many requests wait for a provider's last word."""
        return len(self._rounds)

    @property
    def pending_requests(self) -> dict[str, str]:
        """Return the orders and hedges whose provider's last word is waited for, by request."""
        return {request_id: waiting.order_id for request_id, waiting in self._rounds.items()}

    @property
    def awaited(self) -> dict[str, tuple[str, str]]:
        """Return the order or hedge, and the provider, that each pending request waits for."""
        return {
            key: (waiting.order_id, waiting.pending[key][0])
            for key, waiting in self._rounds.items()
            if key in waiting.pending
        }

    @property
    def order_ids(self) -> set[str]:
        """Return the orders and hedges that a provider or a batch has the next word about."""
        return {*self._held, *(waiting.order_id for waiting in self._rounds.values())}

    def drop(self, request_id: str) -> None:
        """Wait no more for a request of an order that another engine has taken over."""
        self._rounds.pop(request_id, None)

    def waits_for(self, order_id: str) -> bool:
        """Return whether a provider's answer about an order is waited for."""
        if order_id in self._held:
            return True
        return any(waiting.order_id == order_id for waiting in self._rounds.values())

    def begin(self, order: RoutedOrder) -> list[BookAnswers]:
        """Pass an order on; return what can be booked of the answers so far."""
        asking = ask_in_turn(order, self._market)
        begun = _Round(order.account_id, order.order_id, asking, next=next(asking, None))
        return self._ask(begun, asking)

    def go_on(self, order_id: str, *, is_let: bool) -> list[BookAnswers]:
        """Ask the next provider for an order that a batch has let go on, or forget about it."""
        held = self._held.pop(order_id, None)
        if held is None or held.asking is None or not is_let:
            return []
        held.next = _next_of(held.asking, None)
        return self._ask(held, held.asking)

    def recall(self, order: OrderState | Hedge, version: int) -> list[BookAnswers]:
        """Take up an order or hedge that was routed at `version` before a restart.

        Nobody else is asked: the quotes of that time are gone.
        """
        account_id = order.account_id if isinstance(order, OrderState) else HOUSE
        recalled = _Round(account_id, order.id, None)
        for code, gateway in self._gateways.items():
            for request, answers in gateway.recall(round_id(order.id, version)):
                recalled.unbooked += [(request, answer) for answer in answers]
                if not any(answer.is_final for answer in answers):
                    recalled.pending[request.request_id] = (code, request)
                    self._rounds[request.request_id] = recalled
        if isinstance(order, OrderState) and order.status.is_pending_change:
            self.cancel(order.id)
        if recalled.pending:
            return [recalled.take_unbooked(is_final=False)] if recalled.unbooked else []
        return [recalled.take_unbooked(is_final=True)]

    def cancel(self, order_id: str) -> None:
        """Ask nobody else for an order that is to be canceled, and its provider to end it."""
        for key, waiting in self._rounds.items():
            if waiting.order_id == order_id and not waiting.is_canceled:
                waiting.asking, waiting.is_canceled = None, True
                code, _ = waiting.pending[key]
                self._gateways[code].cancel(key)

    def take(self, answer: ProviderAnswer) -> list[BookAnswers] | None:
        """Take an answer that came later; None when no order here waits for it."""
        waiting = self._rounds.get(answer.request_id)
        if waiting is None:
            return None
        _, request = waiting.pending[answer.request_id]
        waiting.unbooked.append((request, answer))
        if not answer.is_final:
            return [waiting.take_unbooked(is_final=False)]
        del self._rounds[answer.request_id], waiting.pending[answer.request_id]
        if waiting.pending:
            return [waiting.take_unbooked(is_final=False)]
        if waiting.asking is not None:
            waiting.next = _next_of(waiting.asking, answer)
        if waiting.next is not None:
            self._held[waiting.order_id] = waiting
        return [waiting.take_unbooked(is_final=waiting.next is None)]

    def _ask(self, order: _Round, asking: Asking) -> list[BookAnswers]:
        """Ask until an answer has to be waited for, or until nobody is left to ask."""
        while order.next is not None:
            (code, request), order.next = order.next, None
            answer = self._gateways[code].answer(request, self._market.now)
            if answer is None:
                order.pending[request.request_id] = (code, request)
                self._rounds[request.request_id] = order
                return [order.take_unbooked(is_final=False)] if order.unbooked else []
            order.unbooked.append((request, answer))
            order.next = _next_of(asking, answer)
        return [order.take_unbooked(is_final=True)]


def _next_of(asking: Asking, answer: ProviderAnswer | None) -> tuple[str, ProviderRequest] | None:
    """Return whom to ask after an answer; None when nobody is left."""
    try:
        return asking.send(answer)
    except StopIteration:
        return None


def ask_in_turn(order: RoutedOrder, market: Market) -> Asking:
    """Ask one provider after the other until the order is filled or nobody is left to ask.

    Each is asked once, at the price that it offers then. Nobody is asked at a price beyond the
    tolerance of the one aimed at, nor once the time for answers is over: by their own word, or by
    the market's time.
    """
    asked: set[str] = set()
    begun_at, leaves, waited = market.now, order.quantity, timedelta()
    while leaves and max(waited, market.now - begun_at) <= ANSWER_TIME_MAX:
        level = _next_level(order, market, leaves, asked)
        if level is None:
            break
        request = ProviderRequest(
            request_id=request_id(order.order_id, order.version, level.provider),
            symbol=order.symbol,
            side=order.side,
            quantity=min(leaves, level.size),
            limit_price=level.price,
            requested_at=market.now,
            is_all_or_nothing=order.is_all_or_nothing,
        )
        answer = yield level.provider, request
        if answer is not None:
            asked.add(level.provider)
            leaves -= min(request.quantity, answer.dealt_quantity)
            waited += answer.decided_at - request.requested_at


def _next_level(
    order: RoutedOrder, market: Market, leaves: Decimal, asked: Collection[str]
) -> Level | None:
    """Return the best level now of those who were not asked yet."""
    levels = market.levels(order.symbol, order.side)
    if order.asked_last:
        levels = sorted(levels, key=lambda level: level.provider in order.asked_last)
    for level in levels:
        if level.provider not in asked and _may_ask(order, level, min(leaves, level.size)):
            return level
    return None


def _may_ask(order: RoutedOrder, level: Level, quantity: Decimal) -> bool:
    """Return whether a level is near enough, within the limit, and takes as much as it must."""
    if order.is_all_or_nothing and level.size < order.quantity:
        return False
    if quantity < level.quantity_min:
        return False
    aimed_at = order.aimed_at
    if aimed_at is not None and not is_tolerable(level.price, aimed_at, order.side):
        return False
    return order.limit_price is None or (level.price - order.limit_price) * order.side.sign <= 0
