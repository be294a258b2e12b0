"""`tradewright ledger`: what the house holds, and the proof of what it owes."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tradewright import ledger
from tradewright.audit.proofs import check_proof
from tradewright.cli.options import Asked, with_database
from tradewright.core.clock import utc_now
from tradewright.ledger.liabilities import published_roots, read_liabilities

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("ledger")
def command() -> None:
    """Show what the house holds, and prove what it owes."""


@command.command("house", epilog="\b\nExample:\n  tradewright ledger house --json")
@with_database
def house_command(asked: Asked) -> None:
    """Roll the house's accounts up and show what each holds."""
    with asked.session() as session:
        ledger.roll_up_house_balances(session)
        positions = ledger.house_positions(session)
    if asked.as_json:
        click.echo(json.dumps([asdict(position) for position in positions], default=str))
        return
    table = Table("account", "currency", "received", "given", "balance")
    for one in positions:
        figures = (f"{figure:,f}" for figure in (one.received, one.given, one.balance))
        table.add_row(one.code.replace("_", " "), one.currency, *figures)
    Console().print(table)


@command.command("prove", epilog="\b\nExample:\n  tradewright ledger prove --to proofs-2026-11")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A new folder for roots.json and proofs.jsonl.",
)
@with_database
def prove_command(asked: Asked, folder: Path) -> None:
    """Write the proof of liabilities: roots.json to publish, and proofs.jsonl, a line per user.

    Hand each line to its user only: it names what they hold.
    """
    with asked.session() as session:
        trees = read_liabilities(session)
    roots = published_roots(trees, utc_now())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "roots.json").write_text(json.dumps(roots, indent=2) + "\n")
    with (folder / "proofs.jsonl").open("w") as handle:
        handle.writelines(f"{line}\n" for tree in trees for line in tree.proofs())
    if asked.as_json:
        click.echo(json.dumps(roots))
        return
    for tree in trees:
        click.echo(f"{tree.currency}: {tree.root.total:,f} owed to {len(tree.leaves)} users")
    click.echo(f"next: publish {folder / 'roots.json'}, and hand each user their line")


@command.command(
    "check-proof", epilog="\b\nExample:\n  tradewright ledger check-proof roots.json proofs.jsonl"
)
@click.argument("roots", type=_FILE)
@click.argument("proofs", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def check_proof_command(roots: Path, proofs: Path, *, as_json: bool) -> None:
    """Check each line of PROOFS against ROOTS, without any database; exit 1 when one fails."""
    published = json.loads(roots.read_text())
    checks = [check_proof(published, line) for line in proofs.read_text().splitlines()]
    bad = [check for check in checks if check.reason]
    if as_json:
        click.echo(json.dumps({"checked": len(checks), "bad": [asdict(check) for check in bad]}))
    else:
        click.echo(f"{len(checks) - len(bad)} of {len(checks)} proofs hold")
        for check in bad:
            click.echo(f"{check.user_id} {check.currency} {check.amount}: {check.reason}")
    sys.exit(1 if bad or not checks else 0)
