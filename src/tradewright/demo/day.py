"""One trading day, turn by turn: quotes, then the traders whose turn it is, then what follows.

The day waits after each turn until everything has been booked, so that the same seed and quotes
give the same orders, fills and balances. Every command carries a key made of the trader and its
turn: a day that was interrupted is resumed by asking for the turn again, and what had been booked
answers with its first report.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.demo.accounts import Member, money_in, money_out, open_members
from tradewright.demo.cards import CardDesk
from tradewright.demo.listing import account_currency, instruments_for
from tradewright.demo.model import DayOptions, DaySummary, Measured
from tradewright.demo.opening import open_doors, require_no_clients
from tradewright.demo.progress import Progress
from tradewright.demo.summary import summarise
from tradewright.demo.traders import Seen, make_traders, wish_of
from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Quote
from tradewright.liquidity.quote_file import read_quotes
from tradewright.liquidity.quote_filter import QuoteFilter
from tradewright.liquidity.seeded_market import DAY_STARTS_AT, seeded_day
from tradewright.postgres.queries import load_queries
from tradewright.trading.engine import Engine
from tradewright.trading.model import Command, OrderReport, Report, SubmitOrder
from tradewright.trading.presence import GRACE
from tradewright.wiring import House, review_migrations, simulated_providers

if TYPE_CHECKING:
    from concurrent.futures import Future

ORDERS_PER_TURN = 25
_LOOK_AGAIN_SECONDS = 0.1

OnTurn = Callable[[int, int], None]
"""Is told how many turns are done, of how many."""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day that can be run: its migrations are reviewed, its quotes read, its instruments known.

    `reviewed` counts the migration files, and the review's findings by severity.
    """

    options: DayOptions
    quotes: Sequence[Quote]
    instruments: Sequence[Instrument]
    currency: str
    reviewed: Mapping[str, int]

    @property
    def begins_on(self) -> date:
        """Return the calendar day of the first quote."""
        return self.quotes[0].quoted_at.date() if self.quotes else DAY_STARTS_AT.date()


def plan_day(options: DayOptions) -> DayPlan:
    """Review the migrations and read the quotes to their end, before anything is changed.

    Raises:
        InputError: what reading the quotes raises, INSTRUMENT_UNKNOWN.
        MigrationError: MIGRATION_REVIEW_FAILED.

    """
    source = seeded_day(options.seed) if options.quotes is None else read_quotes(options.quotes)
    quotes = list(source)
    symbols = sorted({quote.symbol for quote in quotes})
    instruments, currency = instruments_for(symbols), account_currency(symbols)
    return DayPlan(options, quotes, instruments, currency, review_migrations())


def run_day(
    house: House, plan: DayPlan, progress: Progress, *, tag: str, on_turn: OnTurn
) -> DaySummary:
    """Run a day, or the rest of one, and return what it came to.

    `tag` tells this day's users from those of other days in the same database.

    Raises:
        StateError: DEMO_DATABASE_IN_USE.
        DatabaseError: the server went away for good; the day can be resumed.

    """
    options = plan.options
    with house.session() as session, session.transaction():
        require_no_clients(session)
        open_doors(session, plan.instruments, plan.begins_on, resumes=options.resume)
        providers = simulated_providers(session, options.seed)
    members = open_members(house, make_traders(options.traders), tag, plan.currency)
    engine = house.engine(providers)
    started = monotonic_seconds()
    with engine, CardDesk.opened(house, options.seed) as desk:
        day = _Day(engine, options, progress, members, plan.instruments, desk)
        day.measured.seed = options.seed
        day.run(plan.quotes, on_turn)
        if options.resume:
            _wait_for_the_interrupted(house, engine)
        day.close()
        day.measured.seconds = monotonic_seconds() - started
    progress.finish()
    return summarise(house, plan.reviewed, progress, members, day.measured)


def _wait_for_the_interrupted(house: House, engine: Engine) -> None:
    """Wait until what the interrupted engine had with providers is taken over and booked.

    Where the server was interrupted too, the engine might still come back for a moment (`GRACE`).
    """
    deadline = monotonic_seconds() + 2 * GRACE.total_seconds()
    query = load_queries("tradewright.demo")["orders_wait_for_providers"]
    with house.session(autocommit=True) as session:
        while monotonic_seconds() < deadline:
            engine.wait_until_idle()
            row = session.execute(query).fetchone()
            if row == (False,):
                return
            pause(_LOOK_AGAIN_SECONDS)


@dataclass(slots=True)
class _Day:
    """A day under way."""

    engine: Engine
    options: DayOptions
    progress: Progress
    members: list[Member]
    instruments: Sequence[Instrument]
    desk: CardDesk
    filter: QuoteFilter = field(default_factory=QuoteFilter)
    measured: Measured = field(default_factory=Measured)
    tops: dict[str, Top] = field(default_factory=dict)

    def run(self, quotes: Sequence[Quote], on_turn: OnTurn) -> None:
        turns = max(1, min(self.options.orders // ORDERS_PER_TURN, len(quotes) // 2))
        first = self.progress.turns_done
        money_in(self.engine, self.members, "opening", self.desk)
        for turn in range(turns):
            chunk = quotes[_share(len(quotes), turn, turns) : _share(len(quotes), turn + 1, turns)]
            self._feed(chunk, follows=turn >= first)
            if turn >= first:
                self._trade(turn, turns)
                if turn == turns // 2:
                    money_in(self.engine, self.members[::10], "midday", self.desk)
                self.progress.end_turn(turn)
            on_turn(turn + 1, turns)

    def close(self) -> None:
        """Let the members take money out, and count what the day came to."""
        money_out(self.engine, self.members, self.measured, self.desk)
        self.measured.quotes_read = self.filter.read
        self.measured.quotes_refused = {
            str(refusal): count for refusal, count in self.filter.refused.items()
        }

    def _feed(self, quotes: Sequence[Quote], *, follows: bool) -> None:
        """Move the market; with `follows`, wait for whatever each quote sets off."""
        for quote in quotes:
            if self.filter.accept(quote) is not None:
                continue
            if self.engine.on_quote(quote, propose=follows):
                self.engine.wait_until_idle()

    def _trade(self, turn: int, turns: int) -> None:
        """Let the traders whose turn it is send their wishes, and wait for all that follows."""
        for instrument in self.instruments:
            top = self.engine.market.top(instrument.symbol)
            if top is not None:
                self.tops[instrument.symbol] = top
        if not self.tops:
            return
        orders = self.options.orders
        commands: list[Command] = []
        for number in range(_share(orders, turn, turns), _share(orders, turn + 1, turns)):
            commands.extend(self._wish(number))
        sent = monotonic_seconds()
        futures = self.engine.submit_together(commands)
        for future in futures:
            future.add_done_callback(lambda _: self.measured.answered(sent))
        self._collect(commands, futures)
        self.engine.wait_until_idle()

    def _wish(self, number: int) -> list[Command]:
        member = self.members[number % len(self.members)]
        turn = number // len(self.members)
        quoted = [one for one in self.instruments if one.symbol in self.tops]
        instrument = quoted[(number * 7 + turn) % len(quoted)]
        seen = Seen(instrument, self.tops[instrument.symbol])
        return wish_of(member.trader, member.account_id, turn, self.options.seed, seen).commands

    def _collect(self, commands: Sequence[Command], futures: "Sequence[Future[Report]]") -> None:
        """Wait for the reports, note the orders that were answered, count what was refused."""
        keys: list[str] = []
        refused: Counter[ErrorCode] = Counter()
        for command, future in zip(commands, futures, strict=True):
            try:
                report = future.result()
            except InputError as error:
                refused[error.code] += 1
                continue
            except TradewrightError as error:
                if error.code not in _EXPECTED:
                    raise
                refused[error.code] += 1
                continue
            if isinstance(command, SubmitOrder) and isinstance(report, OrderReport):
                keys.append(f"{command.account_id}/{command.client_order_id}")
                self.measured.replays += report.is_replay
        self.measured.refused.update(refused)
        self.progress.acknowledge(keys)


_EXPECTED = frozenset(
    {ErrorCode.ORDER_ENDED, ErrorCode.ORDER_IN_FLIGHT, ErrorCode.ORDER_PRICE_STALE}
)
"""A trader may be too late to cancel, and a trailing stop follows no price that is not there."""


def _share(total: int, part: int, parts: int) -> int:
    """Return how much of `total` lies before part number `part` of `parts`."""
    return total * part // parts
