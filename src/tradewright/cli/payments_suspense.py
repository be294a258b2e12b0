"""`tradewright payments suspense`: money that came for refused deposits; of `payments`."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.ids import new_id_text
from tradewright.core.money import parse_amount
from tradewright.payments.approvals import put_aside
from tradewright.payments.send_backs import SendBack, send_back
from tradewright.payments.suspense import list_suspense

_OFFICER = click.option(
    "--officer", type=click.UUID, required=True, help="The payments officer who decides."
)
_REASON = click.option("--reason", required=True, help="Why; it is kept with the money.")
_COLUMNS = ("opened_at", "age", "id", "amount", "currency", "provider", "state", "reason")


@click.group("suspense", epilog=options.example("tradewright payments suspense list"))
def suspense_group() -> None:
    """Keep money that came for refused deposits, and send it back to who paid it."""


@suspense_group.command("list", epilog=options.example("tradewright payments suspense list --json"))
@LAST
@options.with_database
def list_command(asked: options.Asked, last: int) -> None:
    """List the money in suspense, the oldest first, and then what was sent back."""
    with asked.session() as session:
        found = list_suspense(session, count_max=last)
    print_rows(asked, [asdict(one) for one in found], _COLUMNS)


@suspense_group.command(
    "put",
    epilog=options.example(
        "tradewright payments suspense put 0199c1d2-... 99.00 USD --officer 0199..."
        ' --reason "another amount came"'
    ),
)
@click.argument("payment_id", type=click.UUID)
@click.argument("amount")
@click.argument("currency")
@_OFFICER
@_REASON
@options.with_database
def put_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    payment_id: UUID,
    amount: str,
    currency: str,
    *,
    officer: UUID,
    reason: str,
) -> None:
    """Put what a statement shows for a deposit that was refused in conflict into suspense."""
    with asked.session() as session:
        audit.acting_as(session, f"user:{officer}", reason=reason)
        money = parse_amount(amount, currency)
        item = put_aside(session, str(payment_id), str(officer), money, reason=reason)
    print_facts(asked, asdict(item))


@suspense_group.command(
    "send-back",
    epilog=options.example(
        'tradewright payments suspense send-back 0199c1d2-... --officer 0199... --reason "no proof"'
    ),
)
@click.argument("item_id", type=click.UUID)
@click.option("--destination", help="The address that coins go back to; nothing else needs one.")
@click.option("--return-id", type=click.UUID, help="The return's own id, kept for repeats.")
@_OFFICER
@_REASON
@options.with_database
def send_back_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    item_id: UUID,
    *,
    destination: str | None,
    return_id: UUID | None,
    officer: UUID,
    reason: str,
) -> None:
    """Have it sent back to its payer, by another officer than who put it there.

    The provider is asked by the job submit_payments; the money leaves when it tells of it.
    """
    order = SendBack(
        return_id=str(return_id) if return_id else new_id_text(),
        item_id=str(item_id),
        officer_id=str(officer),
        reason=reason,
        destination=destination,
    )
    with asked.session() as session:
        audit.acting_as(session, f"user:{officer}", reason=reason)
        made = send_back(session, order)
    print_facts(asked, asdict(made))
