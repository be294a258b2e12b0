"""`tradewright risk`: limits and what they have denied, halts and the kill switch."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import update_wrapper
from typing import Any
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_breakers import alerts_command, breaker_group
from tradewright.cli.risk_output import ACTOR, LAST, REASON, Number
from tradewright.cli.risk_stress import stress_command
from tradewright.cli.tables import print_rows
from tradewright.postgres.connect import Session
from tradewright.risk import store
from tradewright.risk.halts import Halt, HaltMode
from tradewright.risk.limits import Limit, LimitKind, Scope, Target
from tradewright.trading.kill_switch import halt
from tradewright.trading.targets import require_target

KIND = click.Choice([str(kind) for kind in LimitKind])


def with_target(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say for whom something holds, and hand them over as `target`."""

    def command(account: UUID | None, group: str | None, symbol: str | None, **rest: Any) -> None:
        named = {Scope.ACCOUNT: account, Scope.GROUP: group, Scope.INSTRUMENT: symbol}
        given = [Target(scope, str(name)) for scope, name in named.items() if name is not None]
        if len(given) > 1:
            raise click.UsageError("Give at most one of --account, --group and --symbol.")
        function(target=given[0] if given else Target(), **rest)

    update_wrapper(command, function)
    for option in (
        click.option("--symbol", help="For orders in this instrument."),
        click.option("--group", help="For accounts of this group."),
        click.option("--account", type=click.UUID, help="For this account."),
    ):
        command = option(command)
    return command


@click.group("risk", epilog=options.example("tradewright risk limit list"))
def command() -> None:
    """Set what accounts may do at the most, stop trading and resume it, and see what was denied."""


command.add_command(breaker_group)
command.add_command(alerts_command)
command.add_command(stress_command)


@command.group("limit", epilog=options.example("tradewright risk limit list"))
def limit_group() -> None:
    """Set, clear and list limits."""


@limit_group.command(
    "set",
    epilog=options.example(
        "tradewright risk limit set order_value 1000000 --currency USD --group pro --actor anna"
    ),
)
@click.argument("kind", type=KIND)
@click.argument("value", type=Number())
@click.option("--currency", help="Of a limit in money.")
@ACTOR
@with_target
@options.with_database
def set_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    target: Target,
    kind: str,
    value: Decimal,
    currency: str | None,
    actor: str,
) -> None:
    """Set a limit; it holds for the next order of every running engine."""
    limit = Limit(id="", kind=LimitKind(kind), target=target, value=value, currency=currency)
    with asked.session() as session:
        store.set_limit(session, limit, actor=actor)
        _print_limits(asked, store.read_limits(session))


@limit_group.command(
    "clear", epilog=options.example("tradewright risk limit clear order_value --actor anna")
)
@click.argument("kind", type=KIND)
@ACTOR
@with_target
@options.with_database
def clear_command(asked: options.Asked, *, target: Target, kind: str, actor: str) -> None:
    """Let a limit hold no longer."""
    with asked.session() as session:
        _require_there(session, target)
        store.clear_limit(session, LimitKind(kind), target, actor=actor)
        _print_limits(asked, store.read_limits(session))


@limit_group.command("list", epilog=options.example("tradewright risk limit list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List the limits that are set."""
    with asked.session() as session:
        _print_limits(asked, store.read_limits(session))


@command.command(
    "halt",
    epilog=options.example('tradewright risk halt --symbol EURCHF --actor anna --reason "broke"'),
)
@ACTOR
@REASON
@with_target
@options.with_database
def halt_command(asked: options.Asked, *, target: Target, actor: str, reason: str) -> None:
    """Pull the kill switch: nothing is opened any more, and every order that rests is canceled.

    Positions may still be reduced. Asked again for the same, it cancels what was left.
    """
    with asked.session() as session:
        killed = halt(session, target, actor=actor, reason=reason)
    if asked.as_json:
        click.echo(json.dumps(asdict(killed)))
        return
    click.echo(f"halted: {killed.orders} orders of {killed.accounts} accounts canceled")
    click.echo("next: tradewright risk resume, when it is over")


@command.command(
    "reduce-only",
    epilog=options.example('tradewright risk reduce-only --group pro --actor anna --reason "new"'),
)
@ACTOR
@REASON
@with_target
@options.with_database
def reduce_only_command(asked: options.Asked, *, target: Target, actor: str, reason: str) -> None:
    """Let positions only be reduced; orders that rest stay and are denied if they would open."""
    with asked.session() as session:
        store.set_halt(session, HaltMode.REDUCE_ONLY, target, actor=actor, reason=reason)
        _print_halts(asked, store.read_halts(session))


@command.command(
    "resume",
    epilog=options.example('tradewright risk resume --symbol EURCHF --actor anna --reason "calm"'),
)
@ACTOR
@REASON
@with_target
@options.with_database
def resume_command(asked: options.Asked, *, target: Target, actor: str, reason: str) -> None:
    """Lift a halt or a reduce-only."""
    with asked.session() as session:
        _require_there(session, target)
        store.lift_halt(session, target, actor=actor, reason=reason)
        _print_halts(asked, store.read_halts(session))


@command.command("halts", epilog=options.example("tradewright risk halts --json"))
@options.with_database
def halts_command(asked: options.Asked) -> None:
    """List what is halted or reduce-only, by whom and why."""
    with asked.session() as session:
        _print_halts(asked, store.read_halts(session))


@command.command("breaches", epilog=options.example("tradewright risk breaches --last 10"))
@LAST
@options.with_database
def breaches_command(asked: options.Asked, last: int) -> None:
    """List the orders that a limit has denied, the newest first."""
    with asked.session() as session:
        breaches = store.read_breaches(session, count_max=last)
    columns = ("occurred_at", "kind", "account_id", "symbol", "limit_value", "measured")
    print_rows(asked, [asdict(one) for one in breaches], columns)


def _require_there(session: Session, target: Target) -> None:
    require_target(session, target)
    session.commit()


def _print_limits(asked: options.Asked, limits: Sequence[Limit]) -> None:
    rows = [
        {
            "kind": str(one.kind),
            "scope": str(one.target.scope),
            "target": one.target.name,
            "value": f"{one.value:f}",
            "currency": one.currency,
        }
        for one in limits
    ]
    print_rows(asked, rows, ("kind", "scope", "target", "value", "currency"))


def _print_halts(asked: options.Asked, halts: Sequence[Halt]) -> None:
    rows = [
        {
            "mode": str(one.mode),
            "scope": str(one.target.scope),
            "target": one.target.name,
            "set_by": one.set_by,
            "reason": one.reason,
            "set_at": one.set_at,
        }
        for one in halts
    ]
    print_rows(asked, rows, ("mode", "scope", "target", "set_by", "reason", "set_at"))
