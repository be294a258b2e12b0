"""A soak of a house: its commands as processes, clients over HTTP, and kill -9 of every process.

A provider (`providers simulate`), an engine that reaches it over FIX (`engine run`), two fronts
(`serve`) and the jobs (`jobs run-due`) work on one database; clients ask the fronts. Server,
provider, engine and fronts are killed at instants drawn from the seed and started again. In the end
all are told to stop, and what is kept is held against what clients were told and the provider has
dealt.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import make_conninfo

from tradewright.audit import analyze_record, check_laws
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.processes import WorkProcess
from tradewright.ledger import roll_up_house_balances, sealing
from tradewright.liquidity.fix.acceptor_files import Deals
from tradewright.liquidity.reconciliation.model import TradeLine
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.soak.house.checking import check, in_flight
from tradewright.soak.house.commands import PRICES
from tradewright.soak.house.performing import ClientRecord, Performer, serve_client
from tradewright.soak.house.programs import Program, again_and_again
from tradewright.soak.house.report import Checked, HouseSoak, told
from tradewright.soak.house.stage import LOGINS, PASSWORD, Stage, open_stage
from tradewright.soak.plan import SoakPlan, kill_instants, wait_for_each
from tradewright.wiring import House

FRONTS = 2
FAULTS = ("none", "none", "none", "reject", "partial", "pieces", "late", "duplicate", "silent")
"""How the provider deals; each is as likely as it stands here."""

SETTLE_SECONDS_MAX = 90
_JOBS_EVERY_SECONDS = 2.0
_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 0.1
_SERVER = "server"


@dataclass(slots=True)
class _Programs:
    """What runs beside the server all the time, and the jobs, which are run now and then."""

    provider: Program
    engine: Program
    fronts: Sequence[Program]
    jobs: Program
    ports: list[int] = field(default_factory=list)

    def all(self) -> list[Program]:
        """Return what runs all the time, in the order in which it is stopped."""
        return [*self.fronts, self.engine, self.provider]

    def look_after(self) -> None:
        """Start again what has ended by itself."""
        for program in self.all():
            program.look_after()

    def begin(self) -> None:
        """Start what serves and trades; a front keeps the port that it got."""
        self.engine.start()
        for front in self.fronts:
            front.start("--port", "0")
        for front in self.fronts:
            port = str(front.fact("address")).rpartition(":")[2]
            front.words = [*front.words, "--port", port]
            self.ports.append(int(port))


def soak_house(server: EmbeddedServer, house: House, plan: SoakPlan) -> HouseSoak:
    """Run a soak on a server that nobody else uses, and check what it left."""
    with _programs(house, plan) as (programs, folder):
        stage = _open(house, programs)
        programs.begin()
        records = _work(server, house, programs, plan, stage)
        _settle(house)
        for program in programs.all():
            program.stop()
        last_code = programs.jobs.run_once()
        deals = Deals(folder / "provider" / "deals.jsonl").trades()
    killed = [*programs.all(), programs.jobs]
    kills = {_SERVER: plan.kills} | {each.name: each.kills for each in killed}
    failures = [failure for each in killed for failure in each.failures]
    failures += [f"jobs ended with {last_code}"] * bool(last_code)
    return told(plan, kills, records, _checked(house, stage, (records, deals), failures))


def _checked(
    house: House,
    stage: Stage,
    known: tuple[Sequence[ClientRecord], Sequence[TradeLine]],
    failures: Sequence[str],
) -> Checked:
    """Hold what is kept against what is known of clients and of the provider's deals."""
    records, deals = known
    asked = [each for record in records for each in record.asked]
    with house.patient_session() as session, session.transaction():
        analyze_record(session)
        sealing.seal(session)
        roll_up_house_balances(session)
        return Checked(
            findings=check(session, stage, asked, deals),
            laws=check_laws(session),
            executions=len(deals),
            failures=failures,
        )


@contextmanager
def _programs(house: House, plan: SoakPlan) -> Iterator[tuple[_Programs, Path]]:
    """Give the programs, none of them started; end them all on leaving."""
    with TemporaryDirectory(prefix="soak-") as named, ExitStack() as leaving:
        folder = Path(named)
        app, operator = (
            {"DATABASE_URL": make_conninfo(house.conninfo, user=login, password=PASSWORD)}
            for login in (LOGINS["app"], LOGINS["operator"])
        )
        place = str(folder / "orders.sock")
        prices = [f"{symbol}={bid}/{ask}" for symbol, (bid, ask) in PRICES.items()]
        provider = ["providers", "simulate", str(folder / "provider"), "--json"]
        provider += [f"--seed={plan.seed}", *(f"--price={price}" for price in prices)]
        provider += [f"--fault={fault}" for fault in FAULTS]
        programs = _Programs(
            provider=Program("provider", provider, folder),
            engine=Program("engine", ["engine", "run", "--json", "--socket", place], folder, app),
            fronts=[
                Program(f"front-{number}", ["serve", "--json", "--socket", place], folder, app)
                for number in range(FRONTS)
            ],
            jobs=Program("jobs", ["jobs", "run-due", "--json"], folder, operator),
        )
        for program in (*programs.all(), programs.jobs):
            leaving.callback(program.end)
        yield programs, folder


def _open(house: House, programs: _Programs) -> Stage:
    """Start the provider, which keeps its ports from then on, and open the house with it."""
    provider = programs.provider
    provider.start()
    ports = int(provider.fact("orders_port")), int(provider.fact("quotes_port"))
    provider.words = [*provider.words, "--port", str(ports[0]), "--quotes-port", str(ports[1])]
    with house.session() as session, session.transaction():
        return open_stage(session, ports)


def _work(
    server: EmbeddedServer, house: House, programs: _Programs, plan: SoakPlan, stage: Stage
) -> list[ClientRecord]:
    """Let the clients work, and the jobs be run, while everything is killed."""
    with ExitStack() as running:
        running.enter_context(
            again_and_again(programs.jobs.run_once, every_seconds=_JOBS_EVERY_SECONDS)
        )
        running.enter_context(again_and_again(programs.look_after, every_seconds=_LOOK_SECONDS))
        clients = [
            running.enter_context(
                WorkProcess[ClientRecord](
                    serve_client, Performer(programs.ports, stage.seats), plan.seed, number
                )
            )
            for number in range(plan.sessions)
        ]
        for client in clients:
            client.begin(plan.seconds)
        _kill_now_and_then(server, house, programs, plan)
        return [client.finish() for client in clients]


def _kill_now_and_then(
    server: EmbeddedServer, house: House, programs: _Programs, plan: SoakPlan
) -> None:
    """Kill the server and the programs at instants drawn from the seed."""
    killed = {each.name: each.kill for each in programs.all()}
    killed[programs.jobs.name] = programs.jobs.interrupt
    names = [_SERVER, *killed]
    victims = [(instant, name) for name in names for instant in kill_instants(plan, name)]
    for victim in wait_for_each(victims):
        if victim != _SERVER:
            killed[victim]()
            continue
        server.kill()
        server.start()
        with house.session() as session, session.transaction():
            sealing.seal(session)


def _settle(house: House) -> None:
    """Wait until the provider has answered everything; what it has not by then is told."""
    deadline = monotonic_seconds() + SETTLE_SECONDS_MAX
    while monotonic_seconds() < deadline:
        with house.session() as session:
            if not in_flight(session):
                return
        pause(_PAUSE_SECONDS)
