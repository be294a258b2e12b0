"""Executions that people decide about: those set aside, taken back or corrected; of `providers`."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.risk_output import ACTOR, LAST, said
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading.corrections import (
    Decision,
    Settlement,
    list_corrections,
    settle_correction,
)
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited


@click.command("unsolicited", epilog=options.example("tradewright providers unsolicited --all"))
@click.option("--all", "with_resolved", is_flag=True, help="Those decided about, too.")
@LAST
@options.with_database
def unsolicited_command(asked: options.Asked, last: int, *, with_resolved: bool) -> None:
    """List executions that fit no order of ours, the oldest first, with their age."""
    with asked.session() as session:
        found = list_unsolicited(session, count_max=last, with_resolved=with_resolved)
    columns = ("age", "id", "provider", "execution_id", "symbol", "side", "quantity", "price")
    decided = ("why", "resolution", "actor", "reason")
    print_rows(asked, [asdict(each) for each in found], (*columns, *decided))


@click.command(
    "resolve",
    epilog=options.example(
        'tradewright providers resolve 0199c1d2-... busted --actor user:anna --reason "their error"'
    ),
)
@click.argument("fill_id", type=click.UUID)
@click.argument("resolution", type=click.Choice([str(each) for each in Resolution]))
@ACTOR
@click.option("--reason", required=True, callback=said, help="Why; it is kept with the decision.")
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


@click.command("corrections", epilog=options.example("tradewright providers corrections --all"))
@click.option("--all", "with_settled", is_flag=True, help="Those decided about, too.")
@LAST
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


@click.command(
    "settle",
    epilog=options.example(
        'tradewright providers settle 0199c1d2-... kept --actor user:anna --reason "our cost"'
    ),
)
@click.argument("correction_id", type=click.UUID)
@click.argument("settlement", type=click.Choice([str(each) for each in Settlement]))
@ACTOR
@click.option(
    "--reason", required=True, callback=said, help="Why, and by what it was undone; kept with it."
)
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
