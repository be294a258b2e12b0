"""`tradewright soak`: long random runs under kill -9, and an audit of what they left."""

import json
import sys
from dataclasses import asdict

import click

from tradewright.soak import LedgerSoak, SoakPlan, soak_ledger
from tradewright.wiring import open_private_house


@click.group()
def command() -> None:
    """Look for lost money: random work, a server that is killed, and an audit of all."""


@command.command(
    epilog="\b\nExample:\n  tradewright soak ledger --seconds 60 --sessions 8 --seed 7 --kill 3\n"
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 86_400),
    default=60,
    show_default=True,
    help="How long the sessions work.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="How many processes work at once.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="What the commands are drawn from; the same seed draws the same.",
)
@click.option(
    "--kill",
    "kills",
    type=click.IntRange(0, 1_000),
    default=3,
    show_default=True,
    help="How often the server is killed (SIGKILL) and started again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def ledger(seconds: int, sessions: int, seed: int, kills: int, *, as_json: bool) -> None:
    """Do ledger operations of all kinds on few hot wallets while the server is killed.

    Runs on an embedded server of its own, whatever DATABASE_URL says. Exit 0 when nothing was
    lost, doubled or misreported and every law holds, 1 otherwise.
    """
    plan = SoakPlan(seconds=seconds, sessions=sessions, seed=seed, kills=kills)
    with open_private_house() as (server, house):
        result = soak_ledger(server, house, plan)
    click.echo(json.dumps(_facts(result)) if as_json else _lines(result))
    sys.exit(0 if result.is_sound else 1)


def _facts(result: LedgerSoak) -> dict[str, object]:
    facts = asdict(result)
    facts["is_sound"] = result.is_sound
    facts["laws"] = {
        name: {"checked": law.checked, "broken": law.broken} for name, law in result.laws.items()
    }
    return facts


def _lines(result: LedgerSoak) -> str:
    found, unknown = result.findings, result.unknown
    broken = [name for name, law in result.laws.items() if law.broken]
    kinds = "\n".join(
        f"  {kind:<12}"
        + "".join(f"{counts.get(word, 0):>9,} {word}" for word in ("done", "refused", "skipped"))
        for kind, counts in result.by_kind.items()
    )
    return (
        f"seed {result.plan.seed}: {result.commands:,} commands from {result.plan.sessions} "
        f"sessions in {result.plan.seconds} s, server killed {result.kills} times\n{kinds}\n"
        f"refused by reason  {_listed(result.refusals)}\n"
        f"unknown outcomes   {unknown['met']:,}, by key: {unknown['were_committed']:,} committed, "
        f"{unknown['were_not']:,} not\n"
        f"replayed           {found.entries:,} entries of {found.holders} holders, "
        f"{found.swept:,} of them sweeps of expired holds\n"
        f"lost {found.lost}, duplicated {found.duplicated}, foreign {found.foreign}, "
        f"differing {found.differing}, wrongly answered {result.wrong_answers}\n"
        f"laws broken        {', '.join(broken) or 'none'} of {len(result.laws)}"
        + "".join(f"\n  {example}" for example in found.examples)
    )


def _listed(counts: object) -> str:
    if not isinstance(counts, dict) or not counts:
        return "none"
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
