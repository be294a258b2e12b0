"""The engine: quotes in, commands in, everything booked by the writers.

Ties the market, the watchers, the providers and the writers together. Quotes move the market and
set off proposals; committed batches teach the watchers and are passed on to providers, whose
answers become proposals again, at once or when they come. One lock keeps the market, the watchers
and the dispatcher to one thread at a time; it is never held over a database call.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Self

from tradewright.core.ids import require_ids
from tradewright.liquidity.gateway import Gateway
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderAnswer, ProviderQuote, ProviderRequest, Quote
from tradewright.postgres.connect import Session
from tradewright.risk.breakers import Move
from tradewright.routing.scoring import Scores
from tradewright.trading.batch import Answer, Booked, Trading
from tradewright.trading.blocking import block_after
from tradewright.trading.breaking import BreakerKeeper
from tradewright.trading.counts import EngineCounts, EngineFigures, Tally
from tradewright.trading.dispatch import Dispatcher
from tradewright.trading.failures import Failures
from tradewright.trading.house_commands import HOUSE, LookAgain
from tradewright.trading.house_watch import HouseWatch
from tradewright.trading.kept_prices import recall_prices
from tradewright.trading.model import BookAnswers, Command, Report, ids_of
from tradewright.trading.news import News
from tradewright.trading.presence import Presence
from tradewright.trading.queues import Queues
from tradewright.trading.recalling import Passed, Recalling, passed_of, read_passed
from tradewright.trading.reference import Reference, quote_board, read_reference
from tradewright.trading.store import read_live_desk
from tradewright.trading.unbooked import Unbooked
from tradewright.trading.unsolicited import late_answers
from tradewright.trading.vigil import Vigil
from tradewright.trading.waiting import Proposed, WaitingFutures
from tradewright.trading.watch import Watchers
from tradewright.trading.writer import SessionOpener, Waiting


class Engine:
    """Books commands in batches and watches prices; start it, feed it, stop it.

    With several writers each account belongs to one of them, so that an account's commands stay
    in order.
    """

    def __init__(
        self, open_session: SessionOpener, providers: Mapping[str, Gateway], *, writers: int = 1
    ) -> None:
        self._open_session = open_session
        self._providers = providers
        self._lock = threading.RLock()
        self._failures = Failures()
        self._tally = Tally()
        with open_session() as session, session.transaction():
            reference = read_reference(session)
        scores = Scores(reference.provider_terms, {})
        self.market = Market(quote_board(reference), scores)
        self._watchers = Watchers(self.market)
        self._dispatcher = Dispatcher(self.market, providers)
        self._unbooked = Unbooked(self.market)
        self._trading = trading = Trading(reference, self.market, self._lock)
        self._house = HouseWatch(self.market, trading, scores)
        self._keeper = BreakerKeeper(open_session, trading, providers, self._failures)
        self._recalling = Recalling(trading, self._dispatcher, self._unbooked)
        self._presence = Presence(open_session, trading, providers)
        self._news = News(self._presence, self._watchers, self._house, self._lock, self._propose)
        known = self._presence, self._news, self._recalling, self._keeper
        self._vigil = Vigil(known, self._lock, self._propose, self._failures)
        self._queues = Queues(open_session, trading, self._after, self._failures, writers)

    def start(self) -> None:
        """Take over from engines that are gone, learn what is open, and resolve what is ours.

        One that could not start shows no more that it lives: others take over what it has taken.

        Raises:
            StateError: PROVIDER_SESSION_TAKEN.
            psycopg.Error, DatabaseError: the server is away, or was meanwhile.

        """
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        self._vigil.start()

    def _begin(self) -> None:
        self._presence.hold()
        self._presence.take_over()
        self._presence.may_have_missed = False  # for all that is open is read now
        self._queues.start()
        with self._open_session() as session, session.transaction():
            desk = read_live_desk(session, self.reference, self.market)
            passed = passed_of(session, desk)
            recall_prices(session, self._trading)
        with self._lock:
            self._house.learn(passed[0])
            learnt = self._watchers.learn(desk)
            self._watchers.recall_unpriced(passed[2])
            self._recalling.take_orders(desk, passed[1])
            self._recalling.take_hedges(passed[0])
        self._propose(learnt)
        self._open_providers()

    def _open_providers(self) -> None:
        """Begin to listen to every provider; one that is taken keeps the engine from starting."""
        opened: list[Gateway] = []
        try:
            for provider in self._providers.values():
                provider.open(self)
                opened.append(provider)
        except BaseException:
            for provider in opened:
                provider.close()
            raise

    def stop(self) -> None:
        """Book what is queued and in flight, write down trailing stops, then stop the writers.

        A provider that has not answered yet is asked again at the next start.
        """
        for provider in self._providers.values():
            provider.close()
        with self._lock:
            house = self._house.rest()
        self._propose(house)
        self._queues.wait_until_idle()
        self._vigil.stop()
        if self._queues.is_running:
            with self._lock:
                unwritten = self._watchers.unwritten_stops()
            self._propose(unwritten)
            self._queues.wait_until_idle()
        self._end()

    def _end(self) -> None:
        """Book what is queued, and show no more that the engine lives."""
        self._queues.stop()
        self._presence.let_go()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def reference(self) -> Reference:
        """Return the reference data as the newest batch knows it."""
        return self._trading.reference

    @property
    def counts(self) -> EngineCounts:
        """Return what the writers have done together."""
        return self._queues.counts

    def figures(self, now: datetime) -> EngineFigures:
        """Return how the engine is doing at `now`, an instant of the market's clock."""
        with self._lock:
            board = self.market.board
            lasts = {symbol: self.market.last_top(symbol) for symbol in board.symbols}
            return EngineFigures(
                counts=self.counts,
                answer_ms=self._queues.answer_ms,
                booked=dict(self._tally.booked),
                refused=dict(self._tally.refused),
                queued=self._queues.queued_count,
                in_flight=self.pending_count,
                price_ages={
                    symbol: max((now - top.quoted_at).total_seconds(), 0)
                    for symbol, top in lasts.items()
                    if top is not None
                },
                tradable=frozenset(one for one in lasts if self.market.top(one) is not None),
            )

    def on_quote(self, quote: Quote, *, propose: bool = True) -> int:
        """Move the market by a base quote that the filter has accepted.

        Returns how many commands it set off; they are submitted, unless `propose` is off, as
        when the market is only brought up to where a day was interrupted.
        """
        with self._lock:
            self.market.advance(quote.quoted_at)
            for provider in self._providers.values():
                offered = provider.on_quote(quote)
                if offered is not None:
                    self.market.update(offered)
            if not propose:
                self._house.on_price(quote.symbol)
                return 0
            moves = self._keeper.on_price(quote.symbol)
        return self._propose_at(quote.symbol, moves)

    @property
    def pending_count(self) -> int:
        """Return how many requests wait for a provider's last word, or answers to be booked."""
        with self._lock:
            return self._dispatcher.pending_count + self._unbooked.count

    def take_time(self, now: datetime) -> None:
        """Let quotes grow stale while none arrive, and people be told, in a gateway's thread."""
        with self._lock:
            self.market.advance(now)
            moves = self._keeper.on_time()
            if proposals := self._watchers.on_time():
                self._propose(proposals)
        self._keeper.write(moves)

    def take_quote(self, quote: ProviderQuote) -> None:
        """Take what a connected provider offers now, in its gateway's thread.

        Its session outlives the server's: what a breaker cannot write now is written later.
        """
        with self._lock:
            self.market.advance(quote.quoted_at)
            self.market.update(quote)
            moves = self._keeper.on_price(quote.symbol)
        self._propose_at(quote.symbol, moves)

    def take_answer(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Take what a connected provider answers, in its gateway's thread.

        An execution that no order here waits for goes to its order all the same: under the lock
        of its account it is seen whether it is a repeat. Without an order it is set aside.

        Raises:
            psycopg.Error: the answer could not be kept; its gateway tells it again.

        """
        with self._lock:
            answers = self._dispatcher.take(answer)
            self._unbooked.keep(answers or [])
        if answers is None and answer.price is not None:
            with self._open_session() as session, session.transaction():
                provider_id = self.reference.provider_ids[answer.provider]
                late = late_answers(session, provider_id, request, answer)
            with self._lock:
                self._unbooked.keep(late)
        self._propose([])

    def submit(self, command: Command) -> "Future[Report]":
        """Queue a client's command; the future gives its report or raises its error.

        Raises:
            InputError: INPUT_ID_MALFORMED.
            StateError: ENGINE_STOPPED, ENGINE_QUEUE_FULL.

        """
        require_ids(*ids_of(command))
        future: Future[Report] = Future()
        self._queues.queue([command], WaitingFutures([future]))
        return future

    def submit_for(self, command: Command, waiting: Waiting) -> None:
        """Queue a client's command; `waiting` is told its answer in the writer's thread.

        Raises:
            InputError: INPUT_ID_MALFORMED.
            StateError: ENGINE_STOPPED, ENGINE_QUEUE_FULL.

        """
        require_ids(*ids_of(command))
        self._queues.queue([command], waiting)

    def submit_together(self, commands: Sequence[Command]) -> "list[Future[Report]]":
        """Queue commands in one group for each writer; a group is booked in one batch.

        Raises:
            InputError: INPUT_ID_MALFORMED, and then none of them is queued.
            StateError: ENGINE_STOPPED, ENGINE_QUEUE_FULL.

        """
        for command in commands:
            require_ids(*ids_of(command))
        futures: list[Future[Report]] = [Future() for _ in commands]
        for writer, places in self._queues.by_writer(commands).items():
            waiting = WaitingFutures([futures[place] for place in places])
            self._queues.queue([commands[place] for place in places], waiting, writer)
        return futures

    def wait_until_idle(self) -> None:
        """Block until every command, and all that follows from it, has been answered.

        Raises:
            DatabaseError: what the house's own commands have failed on since the last call; a
                client's command raises from its own future.
            InternalError: the same, for a defect.

        """
        self._queues.wait_until_idle()
        self._failures.tell()

    def tell_failures(self) -> None:
        """Raise what `wait_until_idle` would raise now, without waiting."""
        self._failures.tell()

    def _propose_at(self, symbol: str, moves: Sequence[Move]) -> int:
        """Propose what the present price sets off, when what breakers did is written, or waits."""
        self._keeper.write(moves)
        with self._lock:
            house = self._house.on_price(symbol)
            return self._propose([*house, *self._watchers.on_price(symbol)])

    def _propose(self, proposals: Sequence[Command]) -> int:
        """Queue what the house proposes, behind the answers of providers that can be booked.

        The queue's limit does not hold for it, nor is a common batch needed; returns the count.
        """
        with self._lock:  # an order's answers are handed over in their order
            answers = self._unbooked.take_bookable() if self._queues.is_running else []
            commands = [*answers, *proposals]
            for writer, group in self._queues.groups_of(commands):
                self._queues.hand_over(group, Proposed(group, self._settle), writer)
        return len(commands)

    def _after(self, booked: Booked, session: Session) -> None:
        """Follow up a committed batch; it is answered, and its writer lives on, if that fails."""
        try:
            self._follow_up(booked)
            block_after(session, booked.desk)
        except Exception as error:  # noqa: BLE001 (noted for who waits until all is idle)
            self._failures.note(error)

    def _follow_up(self, booked: Booked) -> None:
        """Teach the watchers what was booked, and pass on what was routed."""
        desk = booked.desk
        self._news.note(booked)
        looks_again = booked.is_recovered or desk.looked_at
        passed = read_passed(self._open_session, desk) if looks_again else None
        with self._lock:
            self._tally.take(desk.changes)
            proposals: list[Command] = [*self._watchers.take(desk)]
            proposals += self._house.take(desk)
            if passed is not None:
                proposals += self._look_again(booked, passed)
            for routed in desk.changes.routed:
                self._unbooked.keep(self._dispatcher.begin(routed))
            for order_id, is_let in desk.changes.going_on.items():
                self._unbooked.keep(self._dispatcher.go_on(order_id, is_let=is_let))
            for order in desk.changes.orders.values():
                if order.status.is_pending_change:
                    self._dispatcher.cancel(order.id)
            moves = self._keeper.take(desk)
        self._propose(proposals)
        self._keeper.write(moves)

    def _look_again(self, booked: Booked, passed: Passed) -> list[Command]:
        """Learn what a batch has read of accounts, or of the house, and take up what is ours."""
        desk = booked.desk
        proposals: list[Command] = [*self._watchers.learn(desk)]
        self._recalling.take_orders(desk, passed[1])
        if HOUSE in desk.looked_at:
            self._house.learn(passed[0])
            self._recalling.take_hedges(passed[0])
            self._watchers.recall_unpriced(passed[2])
        elif booked.is_recovered:
            proposals.append(LookAgain(account_id=HOUSE))  # by whoever books for the house
        return proposals

    def _settle(self, proposed: Sequence[Command], answers: Sequence[Answer]) -> None:
        """Let proposals be made again, let go of booked answers, and note what has failed."""
        with self._lock:
            for command, answer in zip(proposed, answers, strict=True):
                if isinstance(command, BookAnswers):
                    self._unbooked.settle(command, answer)
                else:
                    self._watchers.settle(command, answer)
                if isinstance(answer, Exception):
                    self._failures.note(answer)
