"""`tradewright soak`: long random runs under kill -9, and an audit of what they left."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import click

from tradewright.audit import LawResult
from tradewright.cli.extras import SERVING, require_installed
from tradewright.soak import (
    HouseSoak,
    LedgerSoak,
    SoakPlan,
    TradingSoak,
    soak_house,
    soak_ledger,
    soak_trading,
)
from tradewright.wiring import open_private_house

_OPTIONS = (
    click.option(
        "--seconds",
        type=click.IntRange(1, 86_400),
        default=60,
        show_default=True,
        help="How long the sessions work.",
    ),
    click.option(
        "--sessions",
        type=click.IntRange(1, 64),
        default=8,
        show_default=True,
        help="How many processes work at once.",
    ),
    click.option(
        "--seed",
        type=int,
        default=1,
        show_default=True,
        help="What the commands are drawn from; the same seed draws the same.",
    ),
    click.option(
        "--kill",
        "kills",
        type=click.IntRange(0, 1_000),
        default=3,
        show_default=True,
        help="How often each victim is killed (SIGKILL) and started again.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


def _planned(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a plan."""
    for option in reversed(_OPTIONS):
        run = option(run)
    return run


@click.group()
def command() -> None:
    """Look for lost money: random work, processes that are killed, and an audit of all."""


@command.command(
    epilog="\b\nExample:\n  tradewright soak ledger --seconds 60 --sessions 8 --seed 7 --kill 3\n"
)
@_planned
def ledger(seconds: int, sessions: int, seed: int, kills: int, *, as_json: bool) -> None:
    """Do ledger operations of all kinds on few hot wallets while the server is killed.

    Runs on an embedded server of its own, whatever DATABASE_URL says. Exit 0 when nothing was
    lost, doubled or misreported and every law holds, 1 otherwise.
    """
    plan = SoakPlan(seconds=seconds, sessions=sessions, seed=seed, kills=kills)
    with open_private_house() as (server, house):
        result = soak_ledger(server, house, plan)
    click.echo(json.dumps(_facts(result)) if as_json else _ledger_lines(result))
    sys.exit(0 if result.is_sound else 1)


@command.command(
    epilog="\b\nExample:\n  tradewright soak trading --seconds 60 --sessions 4 --seed 7 --kill 3\n"
)
@_planned
def trading(seconds: int, sessions: int, seed: int, kills: int, *, as_json: bool) -> None:
    """Trade in all ways through two engines while they and the server are killed.

    Providers reject, deal in part, late, twice and more than asked, or say nothing. In the end
    every law is held, and orders, positions and balances are replayed by an arithmetic of its own.

    Runs on an embedded server of its own, whatever DATABASE_URL says. Exit 0 when nothing was
    lost, doubled or misreported, the replay gives the same rows and every law holds, 1 otherwise.
    """
    plan = SoakPlan(seconds=seconds, sessions=sessions, seed=seed, kills=kills)
    with open_private_house() as (server, house):
        result = soak_trading(server, house, plan)
    click.echo(json.dumps(_facts(result)) if as_json else _trading_lines(result))
    if not result.is_sound:
        click.echo(_what_next(result), err=True)
    sys.exit(0 if result.is_sound else 1)


@command.command(
    epilog="\b\nExample:\n  tradewright soak house --seconds 60 --sessions 4 --seed 7 --kill 2\n"
)
@_planned
def house(seconds: int, sessions: int, seed: int, kills: int, *, as_json: bool) -> None:
    """Run a house by its own commands, and let clients trade over HTTP while all of it is killed.

    The victims: the server, a provider that speaks FIX and errs, the engine, two fronts of HTTP,
    and the jobs. In the end every law is held, all is replayed, and what is kept is held against
    what clients were told and the provider has dealt.

    Runs on an embedded server of its own, whatever DATABASE_URL says. Exit 0 when nothing was
    lost, doubled or misreported, no command failed and every law holds, 1 otherwise.
    """
    require_installed("serving", *SERVING)
    plan = SoakPlan(seconds=seconds, sessions=sessions, seed=seed, kills=kills)
    with open_private_house() as (server, opened):
        result = soak_house(server, opened, plan)
    click.echo(json.dumps(_facts(result)) if as_json else _house_lines(result))
    if not result.is_sound:
        click.echo(_what_next(result), err=True)
    sys.exit(0 if result.is_sound else 1)


def _facts(result: LedgerSoak | TradingSoak | HouseSoak) -> dict[str, object]:
    facts = asdict(result)
    facts["is_sound"] = result.is_sound
    facts["laws"] = {
        name: {"checked": law.checked, "broken": law.broken} for name, law in result.laws.items()
    }
    return facts


def _ledger_lines(result: LedgerSoak) -> str:
    found = result.findings
    return (
        f"seed {result.plan.seed}: {result.commands:,} commands from {result.plan.sessions} "
        f"sessions in {result.plan.seconds} s, server killed {result.kills} times\n"
        f"{_kinds(result.by_kind)}\n"
        f"refused by reason  {_listed(result.refusals)}\n"
        f"unknown outcomes   {_resolved(result.unknown)}\n"
        f"replayed           {found.entries:,} entries of {found.holders} holders, "
        f"{found.swept:,} of them sweeps of expired holds\n"
        f"lost {found.lost}, duplicated {found.duplicated}, foreign {found.foreign}, "
        f"differing {found.differing}, wrongly answered {result.wrong_answers}\n"
        f"laws broken        {_broken(result.laws)}"
        + "".join(f"\n  {example}" for example in found.examples)
    )


def _trading_lines(result: TradingSoak) -> str:
    found = result.findings
    kills = f"server killed {result.kills['server']} times, engines {result.kills['engines']}"
    return (
        f"seed {result.plan.seed}: {result.commands:,} commands from {result.plan.sessions} "
        f"clients in {result.plan.seconds} s, {kills}\n"
        f"{_kinds(result.by_kind)}\n"
        f"orders by type     {_listed(result.orders)}\n"
        f"refused by reason  {_listed(result.refusals)}\n"
        f"set off            {_listed(result.met)}\n"
        f"unknown outcomes   {_resolved(result.unknown)}, {result.unknown['unresolved']:,} open\n"
        f"lost {found.lost}, duplicated {found.duplicated}, foreign {found.foreign}, "
        f"misreported {found.misreported}, differing {found.differing}, "
        f"in flight {found.in_flight}, wrongly answered {result.wrong_answers}\n"
        f"laws broken        {_broken(result.laws)}"
        + "".join(f"\n  {example}" for example in (*result.failures, *found.examples))
    )


def _house_lines(result: HouseSoak) -> str:
    found = result.findings
    return (
        f"seed {result.plan.seed}: {result.commands:,} requests from {result.plan.sessions} "
        f"clients in {result.plan.seconds} s\n"
        f"{_kinds(result.by_kind)}\n"
        f"killed             {_listed(result.kills)}\n"
        f"refused by reason  {_listed(result.refusals)}\n"
        f"unknown outcomes   {_resolved(result.unknown)}, {result.unknown['unresolved']:,} open\n"
        f"asked again for    {_listed(result.again)}\n"
        f"provider's deals   {result.executions:,}\n"
        f"lost {found.lost}, duplicated {found.duplicated}, foreign {found.foreign}, "
        f"misreported {found.misreported}, differing {found.differing}, "
        f"in flight {found.in_flight}, wrongly answered {result.wrong_answers}\n"
        f"laws broken        {_broken(result.laws)}"
        + "".join(f"\n  {example}" for example in (*result.failures, *found.examples))
    )


def _what_next(result: TradingSoak | HouseSoak) -> str:
    """Say what to do about a soak that found something."""
    plan = result.plan
    return (
        "The rows above contradict what clients or providers were told, or each other.\n"
        f"Run it again with --seed {plan.seed} --seconds {plan.seconds} --sessions {plan.sessions} "
        f"--kill {plan.kills}: the same commands are sent in the same order.\n"
        "Then report the seed with the rows that are named; --json gives them for a machine."
    )


def _kinds(by_kind: Mapping[str, Mapping[str, int]]) -> str:
    words = ("done", "refused", "skipped")
    return "\n".join(
        f"  {kind:<14}" + "".join(f"{counts.get(word, 0):>9,} {word}" for word in words)
        for kind, counts in by_kind.items()
    )


def _resolved(unknown: Mapping[str, int]) -> str:
    return (
        f"{unknown['met']:,}, by key: {unknown['were_committed']:,} committed, "
        f"{unknown['were_not']:,} not"
    )


def _broken(laws: Mapping[str, LawResult]) -> str:
    broken = [name for name, law in laws.items() if law.broken]
    return f"{', '.join(broken) or 'none'} of {len(laws)}"


def _listed(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
