"""`tradewright ledger`: what the house holds, the proof of what it owes, and the ledger's seals."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from tradewright import ledger
from tradewright.audit.proofs import check_proof
from tradewright.cli.options import Asked, with_database
from tradewright.cli.output import refuse_to_overwrite
from tradewright.cli.risk_output import COUNT
from tradewright.cli.tables import count_of, json_text, verb_of
from tradewright.cli.terminal import standard_console
from tradewright.core.clock import utc_now
from tradewright.ledger import sealing
from tradewright.ledger.liabilities import published_roots, read_liabilities
from tradewright.postgres.connect import PATIENT_LIMITS
from tradewright.trading.inquiry import find_user

_INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"])
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("ledger")
def command() -> None:
    """Show entries and what the house holds, prove what it owes, seal and verify the ledger."""


@command.command("house", epilog="\b\nExample:\n  tradewright ledger house --json")
@with_database
def house_command(asked: Asked) -> None:
    """Roll the house's accounts up and show what each holds."""
    with asked.session(limits=PATIENT_LIMITS) as session:
        ledger.roll_up_house_balances(session)
        positions = ledger.house_positions(session)
    if asked.as_json:
        click.echo(json_text([asdict(position) for position in positions]))
        return
    table = Table("account", "currency", "received", "given", "balance")
    for one in positions:
        figures = (f"{figure:,f}" for figure in (one.received, one.given, one.balance))
        table.add_row(one.code.replace("_", " "), one.currency, *figures)
    standard_console().print(table)


@command.command(
    "history",
    epilog="\b\nExample:\n  tradewright ledger history kim@example.org --since 2026-11-01",
)
@click.argument("user")
@click.option("--since", type=_INSTANT, help="The first instant, UTC.  [default: the beginning]")
@click.option("--until", type=_INSTANT, help="Entries before this instant, UTC.  [default: now]")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="Entries at most.")
@with_database
def history_command(
    asked: Asked, user: str, since: datetime | None, until: datetime | None, limit: int
) -> None:
    """Show what changed the wallets and accounts of USER over a time, the newest first.

    USER is named by id or e-mail address.
    """
    begin = (since or datetime(1970, 1, 1)).replace(tzinfo=UTC)  # noqa: DTZ001 (given in UTC)
    end = until.replace(tzinfo=UTC) if until else utc_now()
    with asked.session() as session:
        user_id = find_user(session, user).id
        entries = ledger.read_history(session, user_id, begin, end, count_max=limit)
    if asked.as_json:
        click.echo(json_text([asdict(entry) for entry in entries]))
        return
    table = Table("at (UTC)", "operation", "effect", "currency", "amount", "available", "reserved")
    for one in entries:
        held = (one.amount, one.available_after, one.reserved_after)
        figures = (f"{figure:,f}" for figure in held)
        at = f"{one.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(at, one.operation, one.effect, one.currency, *figures)
    standard_console().print(table)


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
    files = [folder / "roots.json", folder / "proofs.jsonl"]
    refuse_to_overwrite(files, hint="Name another folder: what was published must stay.")
    with asked.session(limits=PATIENT_LIMITS) as session:
        trees = read_liabilities(session)
    roots = published_roots(trees)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "roots.json").write_text(json.dumps(roots, indent=2) + "\n")
    proofs = folder / "proofs.jsonl"
    proofs.touch(mode=0o600)
    with proofs.open("w") as handle:
        handle.writelines(f"{line}\n" for tree in trees for line in tree.proofs())
    if asked.as_json:
        click.echo(json.dumps(roots))
        return
    for tree in trees:
        users = len(tree.leaves)
        owed = f"{tree.currency}: {tree.root.total:,f} owed to"
        click.echo(f"{owed} {users} user{'s' if users != 1 else ''}")
    click.echo(f"next: publish {folder / 'roots.json'}, and hand each user their line")


@command.command(
    "check-proof", epilog="\b\nExample:\n  tradewright ledger check-proof roots.json proofs.jsonl"
)
@click.argument("roots", type=_FILE)
@click.argument("proofs", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def check_proof_command(roots: Path, proofs: Path, *, as_json: bool) -> None:
    """Check each line of PROOFS against ROOTS, without any database; exit 1 when one fails."""
    published = _roots(roots)
    lines = proofs.read_text(errors="replace").splitlines()
    checks = [check_proof(published, line) for line in lines]
    bad = [(number, check) for number, check in enumerate(checks, 1) if check.reason]
    if as_json:
        told = [{"line": number, **asdict(check)} for number, check in bad]
        click.echo(json.dumps({"checked": len(checks), "bad": told}))
    else:
        click.echo(f"{len(checks) - len(bad)} of {len(checks)} proofs hold")
        for number, check in bad:
            whose = " ".join(filter(None, (check.user_id, check.currency, check.amount)))
            click.echo(f"line {number}: {whose + ': ' if whose else ''}{check.reason}")
    sys.exit(1 if bad or not checks else 0)


def _roots(file: Path) -> dict[str, Any]:
    """Return the published roots that a file holds."""
    try:
        roots = json.loads(file.read_text())
        if isinstance(roots["currencies"], dict) and "format" in roots:
            return dict(roots)
    except (ValueError, KeyError, TypeError):
        pass
    told = f'"{file}" is not the roots.json that `tradewright ledger prove` writes'
    raise click.BadParameter(told, param_hint="'ROOTS'")


@command.command("seal", epilog="\b\nExample:\n  tradewright ledger seal")
@with_database
def seal_command(asked: Asked) -> None:
    """Seal the entries and transfers that were committed since the last seal."""
    with asked.session(limits=PATIENT_LIMITS) as session:
        entries, transfers = sealing.seal(session)
        heads = sealing.export_heads(session)
    if asked.as_json:
        last = asdict(heads[-1]) if heads else None
        told = {"entries_sealed": entries, "transfers_sealed": transfers, "last_head": last}
        click.echo(json.dumps(told))
    elif entries or transfers:
        sealed = f"{count_of(entries, 'entry')} and {count_of(transfers, 'transfer')}"
        click.echo(f"sealed {sealed}; head {heads[-1].head}")
        click.echo("next: tradewright ledger checkpoint FILE, onto another machine")
    else:
        click.echo("nothing to seal")


@command.command(
    "checkpoint", epilog="\b\nExample:\n  tradewright ledger checkpoint ledger-heads.jsonl"
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_database
def checkpoint_command(asked: Asked, file: Path) -> None:
    """Add the head of the newest seal to FILE, if it is not there; it stands for all before it."""
    known = sealing.read_checkpoint(file.read_text().splitlines()) if file.exists() else []
    with asked.session() as session:
        new = sealing.new_heads(session, known)
    with file.open("a") as handle:
        handle.writelines(f"{head.as_line()}\n" for head in new[-1:])
    if asked.as_json:
        click.echo(json.dumps({"head_added": asdict(new[-1]) if new else None}))
    else:
        click.echo(f"added seal {new[-1].seq} to {file}" if new else f"{file} has the newest seal")


@command.command(
    "verify", epilog="\b\nExample:\n  tradewright ledger verify --checkpoint ledger-heads.jsonl"
)
@click.option(
    "--checkpoint",
    type=_FILE,
    help="Heads that were exported before; without them rewritten last seals are not noticed.",
)
@with_database
def verify_command(asked: Asked, checkpoint: Path | None) -> None:
    """Verify every seal; exit 1 and name the first entry or transfer that does not hold.

    Exits with 1 as well when balances are not what the entries left.
    """
    exported = sealing.read_checkpoint(checkpoint.read_text().splitlines()) if checkpoint else []
    with asked.session(limits=PATIENT_LIMITS) as session:
        found = sealing.verify(session, exported)
    if asked.as_json:
        click.echo(json.dumps({**asdict(found), "is_good": found.is_good}))
    elif found.fault is None:
        if found.wrong_balances:
            click.echo(f"{_wrong(found.wrong_balances)}; next: tradewright audit laws")
        click.echo(_held(found))
    else:
        click.echo(f"{found.fault.place}: {found.fault.kind}: {found.fault.reason}")
        click.echo(f"seal {found.fault.seq} is the first that does not hold")
    sys.exit(0 if found.is_good else 1)


def _wrong(balances: int) -> str:
    verb, whose = ("is", "its") if balances == 1 else ("are", "their")
    return f"{count_of(balances, 'balance')} {verb} not what {whose} entries left"


def _held(found: sealing.Verification) -> str:
    return (
        f"{count_of(found.seals, 'seal')} over {count_of(found.entries_sealed, 'entry')} and "
        f"{count_of(found.transfers_sealed, 'transfer')} {verb_of(found.seals, 'hold')}; "
        f"{count_of(found.entries_unsealed, 'entry')} {verb_of(found.entries_unsealed, 'wait')}"
    )
