"""One batch from lock to commit: the only way in which orders, positions and balances change.

Lock what the commands touch, decide them in order, write everything set-based, commit, then
report. The database is the only truth: nothing is remembered between batches, so any number of
writers may run. A batch waits for the server twice, for what it has locked and for its commit,
however many statements it has.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date

from tradewright.core.errors import ErrorCode, RetryableError, TradewrightError
from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.ledger.store import houses_of
from tradewright.liquidity.market import Market
from tradewright.postgres.pipeline import Pipeline
from tradewright.risk.breakers import Move
from tradewright.routing.exposures import Exposures
from tradewright.trading.decide import decide
from tradewright.trading.history import read_histories
from tradewright.trading.model import Command, Report
from tradewright.trading.reference import Reference
from tradewright.trading.rows import write_desk
from tradewright.trading.state import Desk
from tradewright.trading.store import lock_desk
from tradewright.trading.swap_store import end_days

Answer = Report | TradewrightError


@dataclass(frozen=True, slots=True)
class Booked:
    """A committed batch: an answer for each command, and the desk as it was written.

    `is_recovered` says that it was booked again after its first answer was lost: what the first
    booking changed stands on the desk as read, and not among the changes.
    """

    answers: list[Answer]
    desk: Desk
    is_recovered: bool = False


@dataclass(slots=True)
class Trading:
    """What a batch needs beside its session: the reference data and the market with its lock.

    A batch that has read newer reference data leaves it here for the next. The lock guards the
    exposures too. `rolled` is the last day up to which each account is known to owe no swap: who
    is not known is asked once a day. `engine_id` is the engine whose orders its batches pass on.
    `unwritten` are moves of breakers, by their ids, that the market has brought about and that are
    not in the database yet; it belongs to the lock too.
    """

    reference: Reference
    market: Market
    market_lock: AbstractContextManager[object]
    exposures: Exposures = field(default_factory=Exposures)
    rolled: dict[str, date] = field(default_factory=dict)
    engine_id: str | None = None
    unwritten: dict[str, Move] = field(default_factory=dict)
    _taught: int = field(init=False)

    def __post_init__(self) -> None:
        """Take the market to know the reference data that it begins with."""
        self._taught = self.reference.version

    def stopped(self, reference: Reference) -> Reference:
        """Return reference data in which breakers stop that were triggered and not written yet."""
        if not self.unwritten:
            return reference
        return replace(reference, breakers=reference.breakers.stopped_by(self.unwritten))

    def teach_market(self) -> None:
        """Tell the market whose quotes of which age may be dealt on now, once for each version."""
        if self.reference.version > self._taught:
            with self.market_lock:
                self.market.learn(self.reference.quote_ages, self.reference.disabled_providers)
                self._taught = self.reference.version


class _DayHasEndedError(Exception):
    """The market has passed 17:00 in New York since the batch was locked: it is begun again."""


class _CurrencyIsNewError(Exception):
    """Accounts are in currencies of which the engine does not know the house's holders."""

    def __init__(self, currencies: set[str]) -> None:
        super().__init__()
        self.currencies = currencies


def book_batch(pipeline: Pipeline, trading: Trading, commands: Sequence[Command]) -> Booked:
    """Book commands in one transaction and commit it.

    A day's end is written down before anything is booked by a market that is past it, while no
    batch of any engine is under way, and holds for all that come later: what is open at 17:00 is
    what was booked by then. A batch that the end comes upon is rolled back and begun again; so is
    one with the first account of a currency, when the house's holders of it have been opened.

    Raises:
        RetryableError: ENGINE_TAKEN_OVER, until the engine has written itself down anew.
        psycopg.Error: the transaction failed and nothing was written; see `writer` for what
            happens then.

    """
    while True:
        if _passed(trading.market, trading.reference):
            with pipeline.transaction():
                end_days(pipeline, last_ended_day(trading.market.now))
        try:
            return _book(pipeline, trading, commands)
        except _DayHasEndedError:
            continue
        except _CurrencyIsNewError as error:
            with pipeline.transaction():
                opened = houses_of(pipeline, error.currencies)
            trading.reference = replace(
                trading.reference, house={**trading.reference.house, **opened}
            )


def _book(pipeline: Pipeline, trading: Trading, commands: Sequence[Command]) -> Booked:
    engine_id = trading.engine_id
    with pipeline.transaction():
        desk = lock_desk(pipeline, trading.reference, trading.market, commands, trading.rolled)
        trading.reference = desk.reference
        _know_the_house(desk)
        desk.engine_id = _require_own(desk.reference, engine_id)
        if desk.reference.limits:
            read_histories(pipeline, desk, [*commands, *desk.replacements_waiting.values()])
        trading.teach_market()
        with trading.market_lock:
            _be_in_the_day(desk)
            desk.reference = trading.stopped(desk.reference)
            answers = decide(desk, list(commands))
        write_desk(pipeline, desk)
    trading.rolled.update(desk.rolled)
    return Booked(answers, desk)


def _know_the_house(desk: Desk) -> None:
    """Require the house's holders of every currency in which an account of the batch is kept.

    Raises:
        _CurrencyIsNewError: an account was opened in a currency in which there was none.

    """
    currencies = {account.profile.currency for account in desk.accounts.values()}
    if not currencies <= desk.house.keys():
        raise _CurrencyIsNewError(currencies - desk.house.keys())


def _be_in_the_day(desk: Desk) -> None:
    """Bring the market to the last day's end, if another engine's has been there; not past one.

    Raises:
        _DayHasEndedError: the market has passed an end that is not written down.

    """
    if _passed(desk.market, desk.reference):
        raise _DayHasEndedError
    if desk.market.has_begun:
        desk.market.advance(end_of_day(desk.reference.ended_on))


def _passed(market: Market, reference: Reference) -> bool:
    """Return whether a day has ended by the market, and not yet by what is known of all."""
    return market.has_begun and last_ended_day(market.now) > reference.ended_on


def _require_own(reference: Reference, engine_id: str | None) -> str | None:
    """Return the engine that books, unless another has taken over from it; that cannot change now.

    Raises:
        RetryableError: ENGINE_TAKEN_OVER.

    """
    if engine_id is None or engine_id in reference.engines:
        return engine_id
    raise RetryableError(
        ErrorCode.ENGINE_TAKEN_OVER,
        f'engine "{engine_id}" could not book, since another engine has taken over from it',
        why="Its proof of life, the lock of a session of its own, was lost; its orders with "
        "providers are the other's.",
        hint="Submit again with the same keys: the engine writes itself down anew when it reaches "
        "the server.",
        facts={"engine_id": engine_id},
    )
