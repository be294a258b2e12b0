"""`tradewright payments begin` and `refused`: payments begun by hand, and asked for in vain."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from tradewright import payments
from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.ids import new_id_text
from tradewright.core.money import parse_amount
from tradewright.payments import PaymentKind, PaymentRequest, Provider
from tradewright.payments.attempts import read_refused
from tradewright.postgres.connect import Session
from tradewright.trading.inquiry import find_user


@click.command(
    "begin",
    epilog=options.example(
        "tradewright payments begin deposit kim@example.org 250.00 USD"
        ' --actor anna --reason "wire of today"'
    ),
)
@click.argument("kind", type=click.Choice([str(each) for each in PaymentKind]))
@click.argument("user")
@click.argument("amount")
@click.argument("currency")
@click.option(
    "--provider",
    type=click.Choice([str(each) for each in Provider]),
    default=str(Provider.DIRECT),
    show_default=True,
    help="Who carries it; direct: the house itself, and a deposit is there at once.",
)
@click.option("--destination", help="Where a withdrawal goes, in the provider's terms.")
@click.option("--payment-id", type=click.UUID, help="The payment's own id, kept for repeats.")
@by_whom_and_why
@options.with_database
def begin_command(asked: options.Asked, *, actor: str, reason: str, **given: Any) -> None:
    """Begin a payment of USER, named by id or e-mail address; limits and fraud checks apply.

    A withdrawal's money is set aside until it is paid out, and a large one waits for an officer.
    """
    with changing(asked, actor, reason) as session:
        payment = payments.start_payment(session, _request(session, **given))
    payments.require_not_denied(payment)
    print_facts(asked, asdict(payment))


@click.command("refused", epilog=options.example("tradewright payments refused --user kim@ex.org"))
@click.option("--user", help="Only what this user asked for, by id or e-mail address.")
@LAST
@options.with_database
def refused_command(asked: options.Asked, user: str | None, last: int) -> None:
    """List payments that clients asked for and that were refused, the newest first."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        found = read_refused(session, user_id=user_id, count_max=last)
    columns = ("refused_at", "user_id", "kind", "code", "ip_address")
    print_rows(asked, [asdict(each) for each in found], columns)


def _request(  # noqa: PLR0913 (one for each option)
    session: Session,
    *,
    kind: str,
    user: str,
    amount: str,
    currency: str,
    provider: str,
    destination: str | None,
    payment_id: UUID | None,
) -> PaymentRequest:
    return PaymentRequest(
        payment_id=str(payment_id) if payment_id else new_id_text(),
        user_id=find_user(session, user).id,
        kind=PaymentKind(kind),
        currency=currency,
        amount=parse_amount(amount, currency).amount,
        provider=Provider(provider),
        destination=destination,
    )
