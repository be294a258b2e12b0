"""How providers are connected, as it stands in the database, and the gateways made of it.

A provider with a row for orders is reached over FIX; one without is simulated. Passwords are never
in the database: they are given by whoever runs the engine.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.fix.caller import Endpoint
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.fix.session import Identity
from tradewright.liquidity.fix.store import PostgresStore, SessionOpener
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.liquidity.fix"
_PRINTABLE = re.compile("[!-~]+")


class Purpose(StrEnum):
    """What a connection is for; prices come over one of their own."""

    ORDERS = "orders"
    QUOTES = "quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection to a provider, as it is configured."""

    provider: str
    purpose: Purpose
    host: str
    port: int
    sender: str
    target: str
    heartbeat_seconds: int = 30
    resets_on_logon: bool = False
    uses_tls: bool = True
    username: str | None = None
    account: str | None = None

    def endpoint(self, password: str | None) -> Endpoint:
        """Return where and as whom to connect; prices always begin a new numbering."""
        secrets = ((553, self.username), (554, password))
        identity = Identity(
            sender=self.sender,
            target=self.target,
            heartbeat_seconds=self.heartbeat_seconds,
            resets_on_logon=self.resets_on_logon or self.purpose is Purpose.QUOTES,
            logon_fields=tuple((tag, value) for tag, value in secrets if value),
        )
        return Endpoint(
            host=self.host,
            port=self.port,
            identity=identity,
            uses_tls=self.uses_tls,
            account=self.account,
        )


def set_connection(session: Session, connection: Connection) -> None:
    """Set how a provider is connected for one purpose; the change is audited.

    Raises:
        InputError: PROVIDER_UNKNOWN, PROVIDER_MALFORMED.

    """
    _require_speakable(connection)
    row = session.execute(
        load_queries(_QUERIES)["set_connection"],
        {
            "code": connection.provider,
            "purpose": connection.purpose,
            "host": connection.host,
            "port": connection.port,
            "sender": connection.sender,
            "target": connection.target,
            "heartbeat_seconds": connection.heartbeat_seconds,
            "resets_on_logon": connection.resets_on_logon,
            "uses_tls": connection.uses_tls,
            "username": connection.username,
            "account": connection.account,
        },
    ).fetchone()
    if row is None:
        raise unknown_provider(connection.provider)


def _require_speakable(connection: Connection) -> None:
    """Refuse an address without a host, and CompIDs that FIX cannot carry."""
    for name, text in (("sender", connection.sender), ("target", connection.target)):
        if not _PRINTABLE.fullmatch(text):
            raise InputError(
                ErrorCode.PROVIDER_MALFORMED,
                f'{name} "{text}" is no CompID',
                why="A CompID is of printable ASCII without blanks.",
                hint=f"Give --{name} as the provider has told it.",
            )
    if not connection.host.strip():
        raise InputError(
            ErrorCode.PROVIDER_MALFORMED,
            f'provider "{connection.provider}" cannot be reached at "{connection.host}"',
            why="An address has a host and a port.",
            hint="Give the host that the provider has told.",
        )


def read_connections(session: Session) -> list[Connection]:
    """Return every connection, by provider and purpose."""
    rows = session.execute(load_queries(_QUERIES)["connections"]).fetchall()
    names = [each.name for each in fields(Connection)]
    read = [Connection(**dict(zip(names, row, strict=True))) for row in rows]
    return [replace(each, purpose=Purpose(each.purpose)) for each in read]


def gateways(
    open_session: SessionOpener, symbols: Sequence[str], passwords: Mapping[str, str]
) -> dict[str, FixGateway]:
    """Return a gateway for each provider that has a connection for orders.

    So has one that is disabled: it is asked for nothing, but heard about what it has dealt before.
    `passwords` are by provider's code; `symbols` are those whose prices are subscribed to.
    """
    with open_session() as session:
        connections = read_connections(session)
        rows = session.execute(load_queries(_QUERIES)["provider_ids"]).fetchall()
    ids: dict[str, str] = dict(rows)
    found: dict[str, FixGateway] = {}
    for code, provider_id in ids.items():
        ends = {
            each.purpose: each.endpoint(passwords.get(code))
            for each in connections
            if each.provider == code
        }
        if Purpose.ORDERS in ends:
            orders, quotes = ends[Purpose.ORDERS], ends.get(Purpose.QUOTES)
            store = PostgresStore(open_session, provider_id, orders.identity)
            prices = None if quotes is None else (quotes, symbols)
            found[code] = FixGateway(code, store, orders, prices)
    return found


def unknown_provider(code: str) -> InputError:
    """Return the refusal of a provider that is not listed."""
    return InputError(
        ErrorCode.PROVIDER_UNKNOWN,
        f'liquidity provider "{code}" is not listed, or is not connected over FIX',
        why="A connection belongs to a provider of this house.",
        hint="See the connections with `tradewright providers list`, or make one with `tradewright "
        "providers connect`.",
        facts={"provider": code},
    )
