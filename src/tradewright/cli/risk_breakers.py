"""`tradewright risk breaker` and `tradewright risk alerts`: part of `tradewright risk`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tradewright.cli import options
from tradewright.cli.risk_output import ACTOR, LAST, REASON, Number
from tradewright.cli.tables import print_rows
from tradewright.core.clock import utc_now
from tradewright.risk import alerts
from tradewright.risk.breaker_store import (
    BreakerSettings,
    add_breaker,
    move_by_hand,
    read_breakers,
)
from tradewright.risk.breakers import Breaker, BreakerKind, BreakerState

_COLUMNS = ("code", "kind", "symbol", "threshold", "currency", "state", "state_at", "reason")


@click.group("breaker", epilog=options.example("tradewright risk breaker list"))
def breaker_group() -> None:
    """Set circuit breakers up, trigger, reset and list them."""


@breaker_group.command(
    "add",
    epilog=options.example(
        "tradewright risk breaker add chf price_movement --symbol EURCHF --threshold 3"
        ' --window 60 --actor anna --reason "peg"'
    ),
)
@click.argument("code")
@click.argument("kind", type=click.Choice([str(kind) for kind in BreakerKind]))
@click.option("--symbol", help="The instrument to measure and stop; all without one.")
@click.option("--threshold", type=Number(), help="In percent, or in --currency.")
@click.option("--currency", help="Of a threshold in money: volume and loss.")
@click.option("--window", "window_seconds", type=int, help="In seconds of the market.")
@click.option(
    "--reset", "reset_seconds", default=300, show_default=True, help="Seconds until it cools down."
)
@click.option(
    "--cooldown",
    "cooldown_seconds",
    default=60,
    show_default=True,
    help="Seconds to stay clear for.",
)
@ACTOR
@REASON
@options.with_database
def add_command(
    asked: options.Asked, *, kind: str, actor: str, reason: str, **settings: Any
) -> None:
    """Set a circuit breaker up, armed."""
    with asked.session() as session:
        add_breaker(
            session, BreakerSettings(kind=BreakerKind(kind), **settings), actor=actor, reason=reason
        )
        _print_breakers(asked, read_breakers(session))


@breaker_group.command("list", epilog=options.example("tradewright risk breaker list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List circuit breakers with their states."""
    with asked.session() as session:
        _print_breakers(asked, read_breakers(session))


def _mover(name: str, to_state: BreakerState, line: str) -> None:
    """Add the command by which a person moves a breaker to a state."""

    @breaker_group.command(
        name,
        help=line,
        epilog=options.example(
            f'tradewright risk breaker {name} chf --actor anna --reason "drill"'
        ),
    )
    @click.argument("code")
    @ACTOR
    @REASON
    @options.with_database
    def move_command(asked: options.Asked, *, code: str, actor: str, reason: str) -> None:
        with asked.session() as session:
            move_by_hand(session, code, to_state, actor=actor, reason=reason)
            _print_breakers(asked, read_breakers(session))


_mover("trigger", BreakerState.TRIGGERED, "Stop opening trades by hand.")
_mover("reset", BreakerState.ARMED, "Arm a breaker again at once, or one that was disabled.")
_mover("disable", BreakerState.DISABLED, "Take a breaker out of use.")


@click.command("alerts", epilog=options.example("tradewright risk alerts --follow"))
@click.option("--all", "with_all", is_flag=True, help="Those that are acknowledged or over, too.")
@click.option("--acknowledge", metavar="NAME", help="Note that NAME has seen those listed.")
@click.option("--follow", is_flag=True, help="Print alerts as they are raised, until interrupted.")
@LAST
@options.with_database
def alerts_command(
    asked: options.Asked, *, with_all: bool, acknowledge: str | None, follow: bool, last: int
) -> None:
    """List what people must know at once, the newest first."""
    with asked.session() as session:
        if follow:
            session.commit()
            session.autocommit = True
            alerts.listen(session)
        found = alerts.read_alerts(session, count_max=last, with_acknowledged=with_all)
        if acknowledge is not None:
            alerts.acknowledge(session, [one.id for one in found], actor=acknowledge)
        columns = ("raised_at", "severity", "what", "acknowledged_by", "resolved_at")
        print_rows(asked, [asdict(one) for one in found], columns)
        for one in alerts.follow(session) if follow else ():
            late = f"told in {(utc_now() - one.raised_at).total_seconds():.3f} s"
            click.echo(f"{one.raised_at:%H:%M:%S} {one.severity}: {one.what} ({late})")


def _print_breakers(asked: options.Asked, breakers: Sequence[Breaker]) -> None:
    rows = [
        {
            "code": one.code,
            "kind": str(one.kind),
            "symbol": one.symbol,
            "threshold": f"{one.threshold.normalize():f}",
            "currency": one.currency,
            "state": str(one.state),
            "state_at": one.state_at,
            "reason": one.reason,
        }
        for one in breakers
    ]
    print_rows(asked, rows, _COLUMNS)
