"""What providers answered and is not booked yet: nothing of it is lost, all of it in order.

An answer stays here from when it is known until its booking is answered. What was dealt must be
valued, so it may wait for a rate; what the server or our own code failed on is tried again after a
while. Belongs to whoever holds the engine's lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tradewright.core.errors import DatabaseError, ErrorCode, InternalError, TradewrightError
from tradewright.liquidity.market import Market
from tradewright.trading.batch import Answer
from tradewright.trading.model import BookAnswers
from tradewright.trading.state import Desk, OrderState

RETRY_AFTER = timedelta(seconds=1)
"""Market time before a booking that failed is tried again: it may fail each time."""

Currencies = tuple[tuple[str, str], str]
"""The two currencies of an instrument, and the account's into which they are converted."""


@dataclass(slots=True)
class _Kept:
    """A command with the number under which it came, and what its booking has to wait for."""

    number: int
    command: BookAnswers
    currencies: Currencies | None
    again_at: datetime | None = None
    failed_on: str = "there is no rate to value it by"


class Unbooked:
    """Answers that wait, and those that the writers have and did not answer yet."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._count = 0
        self._waiting: list[_Kept] = []
        self._taken: dict[int, _Kept] = {}
        self._settled: set[str] = set()

    @property
    def count(self) -> int:
        """Return how many answers are not booked yet."""
        return len(self._waiting) + len(self._taken)

    def keep(self, commands: Iterable[BookAnswers], currencies: Currencies | None = None) -> None:
        """Keep answers, with the currencies whose rates they need if those are known."""
        for command in commands:
            self._count += 1
            self._waiting.append(_Kept(self._count, command, currencies))

    def take_bookable(self) -> list[BookAnswers]:
        """Return the answers that can be booked now; whoever takes them settles each.

        An order's later answers wait behind its earlier ones.
        """
        if not self._waiting:
            return []
        waiting, self._waiting = self._waiting, []
        held_up: set[str] = set()
        bookable: list[BookAnswers] = []
        for kept in sorted(waiting, key=lambda one: one.number):
            if kept.command.order_id in held_up or not self._is_bookable(kept):
                held_up.add(kept.command.order_id)
                self._waiting.append(kept)
            else:
                self._taken[id(kept.command)] = kept
                bookable.append(kept.command)
        return bookable

    @property
    def order_ids(self) -> set[str]:
        """Return the orders and hedges about which an answer is not booked yet."""
        return {one.command.order_id for one in [*self._waiting, *self._taken.values()]}

    @property
    def waiting(self) -> dict[str, str]:
        """Return what stands in the way of booking answers, by the order or hedge they are about.

        What the writers are trying just now counts as waiting when it has failed before. Of several
        about one order the earliest tells: the later ones wait behind it.
        """
        tried = [kept for kept in self._taken.values() if kept.again_at is not None]
        latest_first = sorted([*self._waiting, *tried], key=lambda one: -one.number)
        return {one.command.order_id: one.failed_on for one in latest_first}

    def take_settled(self) -> set[str]:
        """Return the orders and hedges of which answers were let go since it was asked last."""
        settled, self._settled = self._settled, set()
        return settled

    def concerns(self, order_id: str) -> bool:
        """Return whether an answer about an order is not booked yet."""
        return order_id in self.order_ids

    def settle(self, command: BookAnswers, answer: Answer) -> None:
        """Let go of answers that are booked or refused; keep what a later attempt may book."""
        kept = self._taken.pop(id(command))
        if isinstance(answer, TradewrightError) and _may_be_booked_later(answer):
            kept.again_at = self._market.now + RETRY_AFTER
            kept.failed_on = f"{answer.what} [{answer.code}]"
            self._waiting.append(kept)
        else:
            self._settled.add(command.order_id)

    def _is_bookable(self, kept: _Kept) -> bool:
        if kept.again_at is not None and self._market.now < kept.again_at:
            return False
        is_dealt = any(answer.accepted for _, answer in kept.command.answers)
        return not is_dealt or kept.currencies is None or self._has_rates(*kept.currencies)

    def _has_rates(self, sources: tuple[str, str], target: str) -> bool:
        return all(self._market.last_rate(one, target) is not None for one in sources)


def _may_be_booked_later(error: TradewrightError) -> bool:
    is_ours = isinstance(error, DatabaseError | InternalError)
    return is_ours or error.code is ErrorCode.ORDER_RATE_MISSING


def currencies_of(order: OrderState, desk: Desk) -> Currencies:
    """Return the currencies that what an order has dealt is valued in."""
    instrument = order.instrument
    target = desk.accounts[order.account_id].profile.currency
    return (instrument.base_currency, instrument.quote_currency), target
