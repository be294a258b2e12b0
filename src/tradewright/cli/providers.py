"""`tradewright providers`: what liquidity providers dealt, beside what our orders say."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited


@click.group(
    "providers",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=options.example("tradewright providers unsolicited"),
)
def command() -> None:
    """Decide about what liquidity providers dealt that fits no order."""


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
