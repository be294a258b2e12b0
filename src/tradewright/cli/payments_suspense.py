"""`tradewright payments suspense`: money that came for refused deposits; of `payments`."""

from dataclasses import asdict
from uuid import UUID

import click

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.money import parse_amount
from tradewright.payments.approvals import put_aside
from tradewright.payments.suspense import list_suspense, send_back

_OFFICER = click.option(
    "--officer", type=click.UUID, required=True, help="The payments officer who decides."
)
_REASON = click.option("--reason", required=True, help="Why; it is kept with the money.")
_COLUMNS = ("opened_at", "age", "id", "amount", "currency", "provider", "reason", "reference")


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
        "tradewright payments suspense send-back 0199c1d2-... re_1234 --officer 0199..."
        ' --reason "no proof of funds"'
    ),
)
@click.argument("item_id", type=click.UUID)
@click.argument("reference")
@_OFFICER
@_REASON
@options.with_database
def send_back_command(
    asked: options.Asked, item_id: UUID, reference: str, *, officer: UUID, reason: str
) -> None:
    """Note that it was sent back to its payer, under the provider's REFERENCE for that.

    By another officer than who put it there. The provider's statement shows it as a refund.
    """
    with asked.session() as session:
        audit.acting_as(session, f"user:{officer}", reason=reason)
        item = send_back(session, str(item_id), str(officer), reference=reference, reason=reason)
    print_facts(asked, asdict(item))
