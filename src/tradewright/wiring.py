"""The composition root: which database, migrated how, under which engine with which providers.

Everything that a face needs is put together here and nowhere else. Faces import this module and
the rooms' public names; rooms never import this module.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.liquidity.fix import connections
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.gateway import Gateway
from tradewright.liquidity.simulator import DEFAULT_PROFILES, SimulatedProvider
from tradewright.migrate import Target, find_migrations, our_migrations, up
from tradewright.payments import Provider
from tradewright.payments.providers.cards import CardSimulator
from tradewright.payments.providers.sender import Manners, WebhookSender
from tradewright.payments.webhooks.post import Endpoint
from tradewright.payments.webhooks.receiver import webhook_server
from tradewright.payments.webhooks.signature import new_secret
from tradewright.postgres.connect import DEFAULT_SCHEMA, PATIENT_LIMITS, Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.retry import same_connection
from tradewright.postgres.target import DATABASE_NAME, open_database
from tradewright.review.model import Severity
from tradewright.review.result import review_folder
from tradewright.trading.engine import Engine
from tradewright.trading.reference import read_instruments
from tradewright.trading.registry import list_provider


@dataclass(frozen=True, slots=True)
class House:
    """A migrated database; `server` is set when we run it ourselves."""

    conninfo: str
    server: EmbeddedServer | None
    schema: str = DEFAULT_SCHEMA

    def session(self, *, writer: bool = False, autocommit: bool = False) -> Session:
        """Open a session in the house's schema; the caller closes it."""
        return connect(self.conninfo, schema=self.schema, writer=writer, autocommit=autocommit)

    def patient_session(self) -> Session:
        """Open a session that may read and seal a whole record; the caller closes it."""
        return connect(self.conninfo, schema=self.schema, limits=PATIENT_LIMITS)

    def engine(self, providers: Mapping[str, Gateway], *, writers: int = 1) -> Engine:
        """Return an engine over this database, not yet started; its reference data is read now."""
        return Engine(
            lambda: self.session(writer=True, autocommit=True), providers, writers=writers
        )


def review_migrations() -> Mapping[str, int]:
    """Review our own migrations; return the number of files and of findings by severity.

    Raises:
        MigrationError: MIGRATION_REVIEW_FAILED, before a database is touched.

    """
    reviewed = review_folder(our_migrations())
    if reviewed.at_or_above(Severity.MAJOR):
        worst = next(
            f for f in reviewed.findings if f.severity in (Severity.CRITICAL, Severity.MAJOR)
        )
        raise MigrationError(
            ErrorCode.MIGRATION_REVIEW_FAILED,
            f"the migrations have {reviewed.at_or_above(Severity.MAJOR)} serious findings",
            why=f"The first is: {worst.message}.",
            hint="Read them all with `tradewright review` and correct the files.",
        )
    counts = {str(severity): reviewed.count(severity) for severity in Severity}
    return {"files": len(reviewed.files), **counts}


@contextmanager
def open_house(url: str | None = None, keep: Path | None = None) -> Iterator[House]:
    """Open the database (see `open_database`) and apply every pending migration to it."""
    with open_database(url, keep) as database:
        up(Target(conninfo=database.conninfo), find_migrations(our_migrations()))
        yield House(database.conninfo, database.server)


@contextmanager
def open_private_house(
    settings: Mapping[str, str] | None = None,
) -> Iterator[tuple[EmbeddedServer, House]]:
    """Open a migrated database on a temporary server of our own, whatever DATABASE_URL says.

    For what must not happen on anybody's server: measurements, and runs that kill it.
    """
    with EmbeddedServer.temporary(settings) as server:
        yield server, second_house(server, DATABASE_NAME)


def second_house(server: EmbeddedServer, database: str) -> House:
    """Make another migrated database on a server of our own."""
    server.create_database(database)
    conninfo = server.conninfo(database)
    up(Target(conninfo=conninfo), find_migrations(our_migrations()))
    return House(conninfo, server)


def simulated_providers(session: Session, seed: int) -> dict[str, SimulatedProvider]:
    """List the default providers in the caller's transaction and return their simulators."""
    for profile in DEFAULT_PROFILES:
        list_provider(session, code=profile.code, priority=profile.priority)
    return {profile.code: SimulatedProvider(profile, seed) for profile in DEFAULT_PROFILES}


def traded_symbols(house: House) -> list[str]:
    """Return the symbols of every instrument that is traded."""
    with house.session() as session:
        return sorted(
            symbol for symbol, one in read_instruments(session).items() if one.is_tradable
        )


def connected_providers(
    house: House, symbols: Sequence[str], passwords: Mapping[str, str]
) -> dict[str, FixGateway]:
    """Return a gateway for each provider that has a connection over FIX, not yet connected."""
    return connections.gateways(lambda: house.session(autocommit=True), symbols, passwords)


@contextmanager
def simulated_cards(house: House, seed: int) -> Iterator[tuple[CardSimulator, WebhookSender]]:
    """Give a card scheme that tells this house over HTTP, and the queue of its messages."""
    secret = new_secret()
    with (
        house.session(autocommit=True) as inbox,
        webhook_server(same_connection(inbox), {Provider.CARDS: [secret]}) as address,
    ):
        endpoint = Endpoint(f"{address}/v1/webhooks/cards", [secret])
        sender = WebhookSender(endpoint, "cards", Manners(), seed=seed)
        yield CardSimulator(sender), sender
