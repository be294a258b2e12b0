"""Providers' lists of trades, and how they differ from our executions; part of `providers`."""

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from tradewright.cli import options
from tradewright.cli.providers_session import fetch_trades, gateway_of
from tradewright.cli.risk_output import SECONDS
from tradewright.cli.tables import print_facts, print_rows
from tradewright.liquidity.reconciliation.model import Bucket
from tradewright.liquidity.reconciliation.service import (
    import_trades,
    read_trade_breaks,
    reconcile,
)
from tradewright.liquidity.reconciliation.trade_list import read_trade_list
from tradewright.postgres.target import open_database
from tradewright.wiring import House


@click.command(
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


@click.command("fetch", epilog=options.example("tradewright providers fetch LP-ONE 2026-01-13"))
@click.argument("code")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option(
    "--seconds",
    type=SECONDS,
    default=30,
    show_default=True,
    help="Wait at most so long.",
)
@options.with_database
def fetch_command(asked: options.Asked, code: str, day: datetime, *, seconds: int) -> None:
    """Ask a provider for its list of a UTC day's trades over FIX, and keep it.

    Like check, it needs the session for itself: run it while no engine speaks on it.
    """
    with open_database(asked.url, asked.keep, makes=False) as database:
        gateway = gateway_of(House(database.conninfo, database.server), code, ())
        lines = fetch_trades(gateway, day.date(), seconds)
    with asked.session() as session:
        import_trades(session, code, day.date(), lines)
    print_facts(asked, {"provider": code, "day": day.date(), "trades": len(lines)})


@click.command("breaks", epilog=options.example("tradewright providers breaks --json"))
@click.option("--provider", metavar="CODE", help="Only those of one provider.")
@options.with_database
def breaks_command(asked: options.Asked, provider: str | None) -> None:
    """List the open differences with providers, the oldest first, with their age."""
    with asked.session() as session:
        found = read_trade_breaks(session, provider)
    columns = ("age", "provider", "bucket", "execution_id", "details")
    print_rows(asked, [asdict(each) for each in found], columns)
