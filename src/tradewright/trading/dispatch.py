"""Book A after the commit: ask the providers, best price first, and bring back their answers.

The order's intent is committed before anything is asked, so a crash in between leaves a routed
order that `recover` finds. A request's id is made of the order's id and version: asking again
gets the provider's first answer, never a second execution.
"""

from collections.abc import Mapping

from tradewright.liquidity.market import Market
from tradewright.liquidity.model import Level, ProviderAnswer, ProviderRequest
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.trading.model import BookAnswers
from tradewright.trading.state import OrderState, RoutedOrder


def ask_providers(
    order: RoutedOrder, market: Market, providers: Mapping[str, SimulatedProvider]
) -> BookAnswers:
    """Ask one provider after the other until the order is filled or nobody is left to ask."""
    answers: list[tuple[ProviderRequest, ProviderAnswer]] = []
    leaves = order.quantity
    for level in market.levels(order.symbol, order.side):
        if not leaves:
            break
        if not _may_ask(order, level):
            continue
        request = ProviderRequest(
            request_id=_request_id(order.order_id, order.version, level.provider),
            symbol=order.symbol,
            side=order.side,
            quantity=min(leaves, level.size),
            limit_price=level.price,
            requested_at=market.now,
        )
        answer = providers[level.provider].answer(request, market.now)
        answers.append((request, answer))
        leaves -= answer.quantity
    return BookAnswers(account_id=order.account_id, order_id=order.order_id, answers=tuple(answers))


def recall_answers(
    order: OrderState, version: int, market: Market, providers: Mapping[str, SimulatedProvider]
) -> BookAnswers:
    """Ask the providers what they have answered to an order that was routed before a restart.

    `version` is the one at which it was passed on. A provider that knows nothing of the request
    has not dealt on it (FIX OrderStatusRequest).
    """
    answers: list[tuple[ProviderRequest, ProviderAnswer]] = []
    for code, provider in providers.items():
        answer = provider.status(_request_id(order.id, version, code))
        if answer is not None:
            request = ProviderRequest(
                request_id=answer.request_id,
                symbol=order.instrument.symbol,
                side=order.side,
                quantity=max(answer.quantity, order.instrument.quantity_min),
                limit_price=answer.price,
                requested_at=market.now,
            )
            answers.append((request, answer))
    return BookAnswers(account_id=order.account_id, order_id=order.id, answers=tuple(answers))


def _may_ask(order: RoutedOrder, level: Level) -> bool:
    """Return whether a level is within the order's limit and, where it must be, whole."""
    if order.is_all_or_nothing and level.size < order.quantity:
        return False
    return order.limit_price is None or (level.price - order.limit_price) * order.side.sign <= 0


def _request_id(order_id: str, version: int, provider: str) -> str:
    return f"{order_id}-{version}-{provider}"
