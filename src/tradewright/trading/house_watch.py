"""What the engine keeps in memory for the house: its exposure, its hedges, and its measurements.

Everything here can be read again or be lost: the exposure is the database's, hedges are decided
under lock, and what was not measured to its end is not measured. Belongs to one thread at a time.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tradewright.liquidity.market import Market
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.routing.scoring import Record, Scores, records_of
from tradewright.trading.batch import Trading
from tradewright.trading.hedging import HedgeWatcher
from tradewright.trading.house_store import read_exposures, read_open_hedges
from tradewright.trading.measures import Measuring
from tradewright.trading.model import HouseCommand
from tradewright.trading.state import Desk, Hedge

HouseRows = tuple[Mapping[str, Decimal], Sequence[Hedge], Mapping[str, Record]]
"""The house's exposures, open hedges and providers' records as the database has them."""


def read_house(connection: Session) -> HouseRows:
    """Read what the house has open, and what its providers have answered."""
    rows = connection.execute(load_queries("tradewright.trading")["provider_records"]).fetchall()
    return read_exposures(connection), read_open_hedges(connection), records_of(rows)


class HouseWatch:
    """The house's own watchers behind one door.

    `dealt_count` counts the batches that have changed the exposure here.
    """

    def __init__(self, market: Market, trading: Trading, scores: Scores) -> None:
        self._market = market
        self._scores = scores
        self._exposures = exposures = trading.exposures
        self._measuring = Measuring(market)
        self._hedges = HedgeWatcher(market, exposures, lambda: trading.reference)
        self.dealt_count = 0

    def learn(self, rows: HouseRows) -> None:
        """Take the database's word for what is open."""
        nets, hedges, records = rows
        self._exposures.learn(nets)
        self._scores.learn(records)
        self._hedges.learn(hedges)

    def hear(self, nets: Mapping[str, Decimal], hedges: Sequence[Hedge]) -> None:
        """Learn what is open where others change it, too.

        A batch of ours that commits just then may count twice, or not yet, until the next time.
        """
        self._exposures.learn(nets)
        self._hedges.learn(hedges)

    def take(self, desk: Desk) -> list[HouseCommand]:
        """Learn what a committed batch has left behind; return what it sets off."""
        changes = desk.changes.exposures
        self._exposures.add(changes.items())
        self.dealt_count += bool(changes)
        self._measuring.take(desk)
        self._count_answers(desk)
        return [*self._hedges.take(desk, changes)]

    def _count_answers(self, desk: Desk) -> None:
        """Let what providers answered weigh in the next ranking."""
        answers = desk.changes.answers + desk.changes.hedge_answers
        for _, request, answer in answers:
            self._scores.note(request, answer)
        if answers:
            self._market.rank_again()

    def on_price(self, symbol: str) -> list[HouseCommand]:
        """Return what the symbol's present price sets off."""
        return [*self._measuring.on_price(symbol), *self._hedges.on_price(symbol)]

    def rest(self) -> list[HouseCommand]:
        """Return what is measured and not booked, before the engine stops."""
        return [*self._measuring.rest()]
