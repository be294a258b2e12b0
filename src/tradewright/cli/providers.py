"""`tradewright providers`: connect liquidity providers, and settle what they dealt."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.signals import until_signal
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, StateError
from tradewright.liquidity.fix.acceptor import Fault, FixAcceptor, Temper
from tradewright.liquidity.fix.acceptor_files import Deals
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.fix.connections import (
    Connection,
    Purpose,
    read_connections,
    set_connection,
    unknown_provider,
)
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.model import ProviderAnswer, ProviderQuote, ProviderRequest
from tradewright.liquidity.reconciliation.model import Bucket, TradeLine
from tradewright.liquidity.reconciliation.service import (
    import_trades,
    read_trade_breaks,
    reconcile,
)
from tradewright.liquidity.reconciliation.trade_list import read_trade_list, write_trade_list
from tradewright.postgres.target import open_database
from tradewright.trading.corrections import (
    Decision,
    Settlement,
    list_corrections,
    settle_correction,
)
from tradewright.trading.registry import list_provider
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited
from tradewright.wiring import House, connected_providers


@click.group(
    "providers",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=options.example("tradewright providers unsolicited"),
)
def command() -> None:
    """Connect liquidity providers, and settle what they dealt with what our orders say."""


@command.command("unsolicited", epilog=options.example("tradewright providers unsolicited --all"))
@click.option("--all", "with_resolved", is_flag=True, help="Those decided about, too.")
@click.option(
    "--last", default=50, show_default=True, type=click.IntRange(1), help="At most so many."
)
@options.with_database
def unsolicited_command(asked: options.Asked, last: int, *, with_resolved: bool) -> None:
    """List executions that fit no order of ours, the oldest first, with their age."""
    with asked.session() as session:
        found = list_unsolicited(session, count_max=last, with_resolved=with_resolved)
    columns = ("age", "id", "provider", "execution_id", "symbol", "side", "quantity", "price")
    decided = ("why", "resolution", "actor", "reason")
    print_rows(asked, [asdict(each) for each in found], (*columns, *decided))


@command.command(
    "resolve",
    epilog=options.example(
        'tradewright providers resolve 0199c1d2-... busted --actor user:anna --reason "their error"'
    ),
)
@click.argument("fill_id", type=click.UUID)
@click.argument("resolution", type=click.Choice([str(each) for each in Resolution]))
@click.option("--actor", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why; it is kept with the decision.")
@options.with_database
def resolve_command(
    asked: options.Asked, fill_id: UUID, resolution: str, *, actor: str, reason: str
) -> None:
    """Decide about an execution, once: kept by the house, busted by the provider, or traded out."""
    with asked.session() as session:
        audit.acting_as(session, actor)
        decided = resolve_unsolicited(
            session, str(fill_id), Resolution(resolution), actor=actor, reason=reason
        )
    print_facts(asked, asdict(decided))


@command.command("corrections", epilog=options.example("tradewright providers corrections --all"))
@click.option("--all", "with_settled", is_flag=True, help="Those decided about, too.")
@click.option(
    "--last", default=50, show_default=True, type=click.IntRange(1), help="At most so many."
)
@options.with_database
def corrections_command(asked: options.Asked, last: int, *, with_settled: bool) -> None:
    """List executions that providers took back or corrected, the oldest first, as we have them.

    Nothing is reversed by itself: decide with tradewright providers settle.
    """
    with asked.session() as session:
        found = list_corrections(session, count_max=last, with_settled=with_settled)
    columns = ("age", "id", "provider", "kind", "refers_to", "quantity", "price")
    booked = ("found_as", "account_id", "booked_quantity", "booked_price", "open_quantity")
    print_rows(asked, [asdict(each) for each in found], (*columns, *booked, "settlement", "reason"))


@command.command(
    "settle",
    epilog=options.example(
        'tradewright providers settle 0199c1d2-... kept --actor user:anna --reason "our cost"'
    ),
)
@click.argument("correction_id", type=click.UUID)
@click.argument("settlement", type=click.Choice([str(each) for each in Settlement]))
@click.option("--actor", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why, and by what it was undone; kept with it.")
@click.option("--approved-by", help="Who else agrees; needed for adjusted and reversed.")
@options.with_database
def settle_command(
    asked: options.Asked, correction_id: UUID, settlement: str, **given: str | None
) -> None:
    """Decide about a bust or correction, once: our fill is kept, traded out, or was undone.

    `adjusted` gives or charges the client what a corrected price makes of the trades. `reversed`
    takes back what is still open of a busted fill, with its swaps and commission.
    """
    actor, reason = given["actor"] or "", given["reason"] or ""
    decision = Decision(Settlement(settlement), actor, reason, given["approved_by"])
    with asked.session() as session:
        audit.acting_as(session, decision.actor)
        with session.transaction():
            decided = settle_correction(session, str(correction_id), decision)
    print_facts(asked, asdict(decided))


@command.command("list", epilog=options.example("tradewright providers list"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List how providers are connected over FIX."""
    with asked.session() as session:
        rows = [asdict(each) for each in read_connections(session)]
    columns = ("provider", "purpose", "host", "port", "sender", "target", "uses_tls", "username")
    print_rows(asked, rows, columns)


@command.command(
    "connect",
    epilog=options.example(
        "tradewright providers connect LP-ONE orders fix.example.com 9443 "
        "--sender HOUSE --target LP --username house --actor user:anna"
    ),
)
@click.argument("code")
@click.argument("purpose", type=click.Choice([str(each) for each in Purpose]))
@click.argument("host")
@click.argument("port", type=click.IntRange(1, 65535))
@click.option("--sender", required=True, help="SenderCompID (49): who we are.")
@click.option("--target", required=True, help="TargetCompID (56): who they are.")
@click.option("--heartbeat", default=30, show_default=True, type=click.IntRange(1, 300))
@click.option("--reset-on-logon", is_flag=True, help="Begin numbers at 1 with each logon.")
@click.option("--plain", is_flag=True, help="Without TLS; for lines that are closed otherwise.")
@click.option("--username", help="Username (553); the password is given in the environment.")
@click.option("--account", help="Account (1) that orders name.")
@click.option("--priority", default=100, show_default=True, help="Of a provider that is new.")
@click.option("--actor", required=True, help="Who sets it; kept in the audit trail.")
@options.with_database
def connect_command(asked: options.Asked, **given: Any) -> None:
    """Set how a provider is reached: for orders, or for quotes. A new provider is listed."""
    with asked.session() as session:
        audit.acting_as(session, given["actor"])
        list_provider(session, code=given["code"], priority=given["priority"])
        connection = Connection(
            provider=given["code"],
            purpose=Purpose(given["purpose"]),
            host=given["host"],
            port=given["port"],
            sender=given["sender"],
            target=given["target"],
            heartbeat_seconds=given["heartbeat"],
            resets_on_logon=given["reset_on_logon"],
            uses_tls=not given["plain"],
            username=given["username"],
            account=given["account"],
        )
        set_connection(session, connection)
    print_facts(asked, asdict(connection))


@command.command("check", epilog=options.example("tradewright providers check LP-ONE EURUSD"))
@click.argument("code")
@click.argument("symbols", nargs=-1)
@click.option("--seconds", default=10, show_default=True, help="Wait at most so long.")
@options.with_database
def check_command(asked: options.Asked, code: str, symbols: Sequence[str], *, seconds: int) -> None:
    """Log on to a provider, wait for a quote of each symbol, and log out; no order is sent.

    The password is read from TRADEWRIGHT_FIX_PASSWORD. Nothing else may use the session meanwhile.
    """
    with open_database(asked.url, asked.keep) as database:
        gateway = _gateway(House(database.conninfo, database.server), code, symbols)
        seen = _look(gateway, len(symbols), seconds)
    quotes = {symbol: f"{quote.bid}/{quote.ask}" for symbol, quote in sorted(seen.items())}
    print_facts(asked, {"provider": code, "logged_on": True, "quotes": quotes})


@dataclass(slots=True)
class _Looking:
    """Listens without booking: what a provider answers waits for the engine."""

    quotes: dict[str, ProviderQuote] = field(default_factory=dict)

    def take_answer(self, request: ProviderRequest, answer: ProviderAnswer) -> None:
        """Leave it: it has been kept, and is told to the engine at its start."""

    def take_quote(self, quote: ProviderQuote) -> None:
        """Remember what is offered."""
        if quote.bid_size and quote.ask_size:
            self.quotes[quote.symbol] = quote

    def take_time(self, now: datetime) -> None:
        """Do nothing."""


def _gateway(house: House, code: str, symbols: Sequence[str]) -> FixGateway:
    passwords = {code: os.environ.get("TRADEWRIGHT_FIX_PASSWORD", "")}
    gateway = connected_providers(house, symbols, passwords).get(code)
    if gateway is None:
        raise unknown_provider(code)
    return gateway


def _fetch(gateway: FixGateway, day: date, seconds: int) -> list[TradeLine]:
    gateway.open(_Looking())
    ends = monotonic_seconds() + seconds
    while monotonic_seconds() < ends and not gateway.is_ready:
        pause(0.05)
    asked = gateway.ask_trades(day)
    while monotonic_seconds() < ends and not (asked.is_whole or asked.refusal):
        pause(0.05)
    why = asked.refusal or gateway.why_not
    gateway.close()
    if asked.is_whole:
        return list(asked.lines.values())
    count = "an unknown number" if asked.count is None else asked.count
    raise StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f'provider "{gateway.provider}" has sent {len(asked.lines)} of {count} trades'
        f" in {seconds} seconds",
        why=why or "It has not answered the request (35=AD) in full.",
        hint="Try again, or take its list as a file with tradewright providers reconcile.",
    )


def _look(gateway: FixGateway, count: int, seconds: int) -> dict[str, ProviderQuote]:
    listening, was_ready = _Looking(), False
    gateway.open(listening)
    ends = monotonic_seconds() + seconds
    while monotonic_seconds() < ends and not (was_ready and len(listening.quotes) >= count):
        was_ready = was_ready or gateway.is_ready
        pause(0.05)
    why = gateway.why_not
    gateway.close()
    if was_ready and len(listening.quotes) >= count:
        return listening.quotes
    raise StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f'provider "{gateway.provider}" could not be reached in {seconds} seconds'
        if not was_ready
        else f'provider "{gateway.provider}" quotes {len(listening.quotes)} of {count} symbols',
        why=why or "It took the connection and has not answered.",
        hint="Compare address, TLS, CompIDs and password with what the provider has given.",
    )


@command.command(
    "reconcile",
    epilog=options.example("tradewright providers reconcile LP-ONE 2026-01-13 trades.csv"),
)
@click.argument("code")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@options.with_database
def reconcile_command(asked: options.Asked, code: str, day: datetime, file: Path | None) -> None:
    """Take a provider's list of a UTC day's trades in (CSV), compare since then; exit 1 on breaks.

    A later list of the same day replaces the one before. Without FILE only compares.
    """
    with asked.session() as session:
        if file is not None:
            import_trades(session, code, day.date(), read_trade_list(file.read_bytes()))
        counts = reconcile(session, code, since=day.date())
    print_facts(asked, {str(bucket): count for bucket, count in counts.items()})
    settled = (Bucket.MATCHED, Bucket.TIMING)
    different = sum(count for bucket, count in counts.items() if bucket not in settled)
    if different and not asked.as_json:
        click.echo("next: tradewright providers breaks")
    sys.exit(1 if different else 0)


@command.command("fetch", epilog=options.example("tradewright providers fetch LP-ONE 2026-01-13"))
@click.argument("code")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--seconds", default=30, show_default=True, help="Wait at most so long.")
@options.with_database
def fetch_command(asked: options.Asked, code: str, day: datetime, *, seconds: int) -> None:
    """Ask a provider for its list of a UTC day's trades over FIX, and keep it.

    Like check, it needs the session for itself: run it while no engine speaks on it.
    """
    with open_database(asked.url, asked.keep) as database:
        gateway = _gateway(House(database.conninfo, database.server), code, ())
        lines = _fetch(gateway, day.date(), seconds)
    with asked.session() as session:
        import_trades(session, code, day.date(), lines)
    print_facts(asked, {"provider": code, "day": day.date(), "trades": len(lines)})


@command.command("breaks", epilog=options.example("tradewright providers breaks --json"))
@click.option("--provider", metavar="CODE", help="Only those of one provider.")
@options.with_database
def breaks_command(asked: options.Asked, provider: str | None) -> None:
    """List the open differences with providers, the oldest first, with their age."""
    with asked.session() as session:
        found = read_trade_breaks(session, provider)
    columns = ("age", "provider", "bucket", "execution_id", "details")
    print_rows(asked, [asdict(each) for each in found], columns)


@command.command("deals", epilog=options.example("tradewright providers deals ./lp > trades.csv"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def deals_command(folder: Path) -> None:
    """Print what a simulated provider has dealt, as its list of trades."""
    trades = Deals(folder / "deals.jsonl").trades()
    click.echo(write_trade_list(trades), nl=False)


@command.command(
    "simulate",
    epilog=options.example("tradewright providers simulate ./lp --price EURUSD=1.10000/1.10010"),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--price", "prices", multiple=True, required=True, metavar="SYMBOL=BID/ASK")
@click.option("--port", default=0, show_default=True, help="For orders; 0: a free one.")
@click.option("--quotes-port", default=0, show_default=True, help="For quotes; 0: a free one.")
@click.option("--seed", default=1, show_default=True, help="Draws the faults.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice([str(fault) for fault in Fault]),
    default=["none"],
    show_default=True,
    help="One of those that are drawn; may be given often.",
)
@options.JSON
def simulate_command(  # noqa: PLR0913 (one for each option)
    folder: Path,
    prices: Sequence[str],
    port: int,
    quotes_port: int,
    *,
    seed: int,
    faults: Sequence[str],
    as_json: bool,
) -> None:
    """Be a provider that speaks FIX 4.4, until SIGTERM or SIGINT; its deals stay in FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    temper = Temper(faults=[Fault(each) for each in faults], seed=seed)
    quoted = dict(_price(text) for text in prices)
    acceptor = FixAcceptor(folder, quoted, temper, ports=(port, quotes_port))
    with until_signal() as stopping:
        acceptor.start()
        orders, quotes = acceptor.ports
        facts = {"orders_port": orders, "quotes_port": quotes}
        click.echo(json.dumps(facts) if as_json else f"orders at {orders}, quotes at {quotes}")
        stopping.wait()
        acceptor.stop()


def _price(text: str) -> tuple[str, Price]:
    symbol, _, both = text.partition("=")
    bid, _, ask = both.partition("/")
    try:
        price = Price(Decimal(bid), Decimal(ask))
    except InvalidOperation:
        raise click.UsageError(f"--price is SYMBOL=BID/ASK, not {text!r}") from None
    return symbol, price
