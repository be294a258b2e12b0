"""What providers answered and could not be booked yet: nothing of it is lost, all of it in order.

What was dealt must be valued, so it may wait for a rate; a server that is away, or a queue that is
full, is waited for too. Belongs to whoever holds the engine's lock; the next quote tries again.
"""

from collections.abc import Iterable

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.market import Market
from tradewright.trading.model import BookAnswers
from tradewright.trading.state import Desk, OrderState

MAY_BE_BOOKED_LATER = frozenset(
    {
        ErrorCode.ORDER_RATE_MISSING,
        ErrorCode.DATABASE_CONNECTION_LOST,
        ErrorCode.DATABASE_UNREACHABLE,
    }
)

Currencies = tuple[tuple[str, str], str]
"""The two currencies of an instrument, and the account's into which they are converted."""


class Unbooked:
    """Answers that wait, each with the currencies whose rates it needs, if those are known."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._waiting: list[tuple[BookAnswers, Currencies | None]] = []

    def keep(self, answers: Iterable[BookAnswers], currencies: Currencies | None = None) -> None:
        """Keep answers until they are taken."""
        self._waiting += [(each, currencies) for each in answers]

    def take_bookable(self) -> list[BookAnswers]:
        """Take the answers that can be booked: what was dealt must be valued at a rate."""
        waiting, self._waiting = self._waiting, []
        bookable: list[BookAnswers] = []
        for answers, currencies in waiting:
            is_dealt = any(answer.accepted for _, answer in answers.answers)
            if is_dealt and currencies is not None and not self._has_rates(*currencies):
                self._waiting.append((answers, currencies))
            else:
                bookable.append(answers)
        return bookable

    def _has_rates(self, sources: tuple[str, str], target: str) -> bool:
        return all(self._market.last_rate(one, target) is not None for one in sources)


def currencies_of(order: OrderState, desk: Desk) -> Currencies:
    """Return the currencies that what an order has dealt is valued in."""
    instrument = order.instrument
    target = desk.accounts[order.account_id].profile.currency
    return (instrument.base_currency, instrument.quote_currency), target
