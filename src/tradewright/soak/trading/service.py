"""A soak of trading: random commands of all kinds to two engines, under kill -9 of everything.

Clients in processes of their own send commands to two engines on one database, whose providers
err in every way, and a back office settles what providers take back or correct; the server and the
engines are killed at instants drawn from the seed, and started again. In the end everything is
replayed (`replay`) and held against what clients, office and providers were told (`promises`). Read
`commands` for what is asked.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from psycopg.conninfo import make_conninfo

from tradewright.audit import analyze_record, check_laws, seal_records
from tradewright.core.clock import monotonic_seconds
from tradewright.core.processes import WorkProcess
from tradewright.ledger import roll_up_house_balances, sealing
from tradewright.postgres.connect import Session
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.queries import load_queries
from tradewright.soak.plan import SoakPlan, kill_instants, wait_for_each
from tradewright.soak.trading.commands import CommandStream
from tradewright.soak.trading.engines import EngineEnd, EngineSetting, serve_engine
from tradewright.soak.trading.office import OfficeRecord, serve_office
from tradewright.soak.trading.performing import ClientRecord, Performer, serve_client
from tradewright.soak.trading.promises import (
    Findings,
    Keeper,
    hold_executions,
    hold_rulings,
)
from tradewright.soak.trading.replay import record as rows
from tradewright.soak.trading.replay import (
    replay_balances,
    replay_hedges,
    replay_levels,
    replay_orders,
    replay_positions,
    replay_rollovers,
)
from tradewright.soak.trading.report import Checked, Part, TradingSoak, Work, told
from tradewright.soak.trading.stage import ENGINE_LOGIN, Stage, open_stage
from tradewright.soak.trading.venue import Dealt, serve_venue
from tradewright.wiring import House

ENGINES = 2
START_SECONDS = 2.0
"""How long after the first process the market opens: engines take a moment to stand."""

Row = TypeVar("Row")

REPLAYS = (
    *(replay_orders, replay_positions, replay_levels),
    *(replay_hedges, replay_rollovers, replay_balances),
)


@dataclass(slots=True)
class _Floor:
    """The processes of a soak: the venue, and the engines, of which a killed one is replaced."""

    running: ExitStack
    settings: Sequence[EngineSetting]
    venue: WorkProcess[Any]
    engines: list[WorkProcess[EngineEnd]] = field(default_factory=list)

    def begin(self) -> None:
        """Start the engines, once the venue is there, and wait until they stand."""
        self._ask_venue("dealt")
        self.engines = [self._engine(setting) for setting in self.settings]
        for engine in self.engines:
            engine.begin("stand")
        for engine in self.engines:
            engine.finish()

    def kill_engine(self, place: int) -> None:
        """Kill an engine, and start another in its place."""
        self.engines[place].kill()
        self.engines[place] = self._engine(self.settings[place])

    def end(self) -> tuple[list[EngineEnd], list[Dealt]]:
        """Let the providers say their last words, and the engines book them; then stop."""
        self._ask_venue("end")
        for engine in self.engines:
            engine.begin("end")
        ends = [engine.finish() for engine in self.engines]
        return ends, self._ask_venue("dealt")

    def _ask_venue(self, word: str) -> Any:
        self.venue.begin(word)
        return self.venue.finish()

    def _engine(self, setting: EngineSetting) -> WorkProcess[EngineEnd]:
        return self.running.enter_context(WorkProcess[EngineEnd](serve_engine, setting))


def soak_trading(server: EmbeddedServer, house: House, plan: SoakPlan) -> TradingSoak:
    """Run a soak on a server that nobody else uses, and check what it left."""
    with house.session() as session, session.transaction():
        stage = open_stage(session)
    with _floor(house, plan) as floor:
        work = _work(server, house, floor, plan, stage)
        ends, dealt = floor.end()
    with house.patient_session() as session, session.transaction():
        analyze_record(session)
        sealing.seal(session)
        seal_records(session)
        roll_up_house_balances(session)
        checked = Checked(
            findings=check(read_record(session), stage, work, dealt),
            laws=check_laws(session),
            met=_met(session),
            failures=[failure for end in ends for failure in end.failures],
        )
    kills = {"server": plan.kills, "engines": plan.kills}
    return told(plan, kills, work, checked)


def _work(
    server: EmbeddedServer, house: House, floor: _Floor, plan: SoakPlan, stage: Stage
) -> Work:
    """Let clients and office work while the server and the engines are killed."""
    clients = list(_clients(floor, house, plan, stage))
    office = floor.running.enter_context(
        WorkProcess[OfficeRecord](serve_office, house.conninfo, plan.seed)
    )
    for client in clients:
        client.begin(plan.seconds)
    office.begin(plan.seconds)
    _kill_now_and_then(server, house, floor, plan)
    records = [client.finish() for client in clients]
    parts = [_part(plan, stage, number, one) for number, one in enumerate(records)]
    return Work(parts, office.finish())


def read_record(session: Session) -> rows.Record:
    """Read everything that is replayed."""
    queries = load_queries("tradewright.soak.trading")

    def read(query: str, row: Callable[..., Row]) -> list[Row]:
        return [row(*values) for values in session.execute(queries[query]).fetchall()]

    return rows.Record(
        accounts=read("recorded_accounts", rows.Account),
        orders=read("recorded_orders", rows.Order),
        events=read("recorded_events", rows.Event),
        replacements=read("recorded_replacements", rows.Replacement),
        fills=read("recorded_fills", rows.Fill),
        trades=read("recorded_trades", rows.Trade),
        positions=read("recorded_positions", rows.Position),
        close_bys=read("recorded_close_bys", rows.CloseBy),
        amendments=read("recorded_amendments", rows.Amendment),
        reversals=read("recorded_reversals", rows.Reversal),
        adjustments=read("recorded_adjustments", rows.Adjustment),
        settlements=read("recorded_settlements", rows.Settlement),
        entries=read("recorded_entries", rows.Entry),
        transfers=read("recorded_transfers", rows.Transfer),
        balances=read("recorded_balances", rows.Balance),
        set_aside=read("recorded_set_aside", rows.SetAside),
        rollovers=read("recorded_rollovers", rows.Rollover),
        hedges=read("recorded_hedges", rows.Hedge),
        hedge_fills=read("recorded_hedge_fills", rows.HedgeFill),
    )


def check(record: rows.Record, stage: Stage, work: Work, dealt: Sequence[Dealt]) -> Findings:
    """Replay the record, and hold it against what clients, office and providers were told."""
    findings = Findings()
    for replay in REPLAYS:
        findings.differ(replay(record))
    keeper = Keeper(record, findings, stage.openings)
    for part in work.parts:
        for outcome in part.outcomes:
            keeper.hold(outcome)
    keeper.finish()
    hold_executions(record, dealt, findings)
    hold_rulings(record, work.office.rulings, findings)
    waiting = [order.id for order in record.orders if order.is_routed]
    waiting += [hedge.id for hedge in record.hedges if hedge.status == "open"]
    for key in waiting:
        findings.in_flight += 1
        findings.note(f"order or hedge {key} waits for providers that have all answered")
    return findings


@contextmanager
def _floor(house: House, plan: SoakPlan) -> Iterator[_Floor]:
    """Start the venue and the engines; end them all on leaving."""
    with TemporaryDirectory(prefix="soak-") as folder, ExitStack() as running:
        venue = str(Path(folder) / "venue")
        process = running.enter_context(WorkProcess[Any](serve_venue, venue, plan.seed))
        begun = monotonic_seconds() + START_SECONDS
        settings = [
            EngineSetting(
                conninfo=make_conninfo(house.conninfo, **ENGINE_LOGIN),
                address=str(Path(folder) / f"engine-{number}"),
                venue=venue,
                seed=plan.seed,
                begun=begun,
            )
            for number in range(ENGINES)
        ]
        floor = _Floor(running, settings, process)
        floor.begin()
        yield floor


def _clients(
    floor: _Floor, house: House, plan: SoakPlan, stage: Stage
) -> Iterator[WorkProcess[ClientRecord]]:
    addresses = [setting.address for setting in floor.settings]
    for number in range(plan.sessions):
        performer = Performer(house.conninfo, addresses, stage.account_ids)
        process = WorkProcess[ClientRecord](serve_client, performer, plan.seed, number)
        yield floor.running.enter_context(process)


def _kill_now_and_then(server: EmbeddedServer, house: House, floor: _Floor, plan: SoakPlan) -> None:
    """Kill the server and the engines at instants drawn from the seed."""
    victims = [(instant, "server") for instant in kill_instants(plan, "server")]
    for number, instant in enumerate(kill_instants(plan, "engines")):
        victims.append((instant, str(number % ENGINES)))
    for victim in wait_for_each(victims):
        if victim == "server":
            server.kill()
            server.start()
            with house.session() as session, session.transaction():
                sealing.seal(session)
                seal_records(session)
        else:
            floor.kill_engine(int(victim))


def _part(plan: SoakPlan, stage: Stage, number: int, record: ClientRecord) -> Part:
    """Draw a client's commands once more; they are the same, because the seed is."""
    stream = CommandStream(plan.seed, number, len(stage.account_ids))
    return Part(list(islice(stream, len(record.outcomes))), record.outcomes, record.retries)


def _met(session: Session) -> dict[str, int]:
    cursor = session.execute(load_queries("tradewright.soak.trading")["what_was_met"])
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise AssertionError("a query without FROM gives a row")
    return {column.name: int(count) for column, count in zip(cursor.description, row, strict=True)}
