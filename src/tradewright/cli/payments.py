"""`tradewright payments`: look at payments, decide about them, reconcile, settle, and deliver."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import click

from tradewright import audit, payments
from tradewright.cli import options
from tradewright.cli.payments_begin import begin_command, refused_command
from tradewright.cli.payments_limits import limit_group
from tradewright.cli.payments_receive import receive_command
from tradewright.cli.payments_suspense import suspense_group
from tradewright.cli.risk_output import COUNT, LAST, Number
from tradewright.cli.settings import by_whom_and_why
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.core.money import parse_amount
from tradewright.payments import ClaimKind, ClaimOrder, PaymentStatus, Provider, decisions
from tradewright.payments.outbox import deliver_due
from tradewright.payments.reconciliation.service import import_statement, read_breaks, reconcile
from tradewright.payments.reconciliation.settlement import settle
from tradewright.payments.reconciliation.taken import list_statements, withdraw_statement
from tradewright.payments.webhooks.inbox import list_events, retry_conflict, retry_waiting
from tradewright.payments.webhooks.post import Endpoint
from tradewright.payments.webhooks.signature import new_secret
from tradewright.postgres.retry import same_connection
from tradewright.trading.inquiry import find_user

PROVIDER = click.option(
    "--provider",
    type=click.Choice([str(each) for each in Provider if each is not Provider.DIRECT]),
    default=str(Provider.CARDS),
    show_default=True,
    help="Whose payments.",
)
OFFICER = click.option(
    "--officer", type=click.UUID, required=True, help="The payments officer who decides."
)


@click.group(
    "payments", epilog=options.example("tradewright payments list --status requires_approval")
)
def command() -> None:
    """Look at payments, decide about them, reconcile and settle."""


command.add_command(begin_command)
command.add_command(refused_command)
command.add_command(receive_command)
command.add_command(limit_group)
command.add_command(suspense_group)


@command.command("list", epilog=options.example("tradewright payments list --kind withdrawal"))
@click.option(
    "--status",
    type=click.Choice([str(each) for each in PaymentStatus]),
    help="Only payments in this state.",
)
@click.option("--kind", type=click.Choice(["deposit", "withdrawal"]), help="Only this kind.")
@click.option("--user", help="Only payments of this user, by id or e-mail address.")
@LAST
@options.with_database
def list_command(
    asked: options.Asked, status: str | None, kind: str | None, user: str | None, last: int
) -> None:
    """List payments, the newest first."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        found = payments.list_payments(
            session, status=status, kind=kind, user_id=user_id, count_max=last
        )
    print_rows(
        asked,
        [asdict(each) for each in found],
        ("created_at", "id", "kind", "amount", "currency", "provider", "status"),
    )


@command.command("show", epilog=options.example("tradewright payments show 0199c1d2-7f0a-..."))
@click.argument("payment_id", type=click.UUID)
@options.with_database
def show_command(asked: options.Asked, payment_id: UUID) -> None:
    """Show a payment with its fraud checks, its refunds and disputes, and what its user owes."""
    with asked.session() as session:
        payment = payments.find_payment(session, str(payment_id))
        facts = {
            **asdict(payment),
            "fraud_checks": payments.read_fraud_checks(session, payment.id),
            "claims": [asdict(each) for each in payments.read_claims(session, payment.id)],
            "debts": payments.read_debts(session, payment.user_id),
        }
    print_facts(asked, facts)


@command.command(
    "approve", epilog=options.example("tradewright payments approve 0199c1d2-... --officer 0199...")
)
@click.argument("payment_id", type=click.UUID)
@OFFICER
@options.with_database
def approve_command(asked: options.Asked, payment_id: UUID, officer: UUID) -> None:
    """Let a payment go on that waits for approval, and take the news that waited for it.

    A withdrawal in conflict is taken to be paid out as it was asked for.
    """
    with asked.session() as session:
        payment = decisions.approve(session, str(payment_id), str(officer))
    print_facts(asked, asdict(payment))


@command.command(
    "refuse",
    epilog=options.example(
        'tradewright payments refuse 0199c1d2-... --officer 0199... --reason "no proof of funds"'
    ),
)
@click.argument("payment_id", type=click.UUID)
@OFFICER
@click.option("--reason", required=True, help="Why; it is kept with the payment.")
@options.with_database
def refuse_command(asked: options.Asked, payment_id: UUID, officer: UUID, reason: str) -> None:
    """End a payment that waits for approval or is in conflict."""
    with asked.session() as session:
        payment = decisions.refuse(session, str(payment_id), str(officer), reason=reason)
    print_facts(asked, asdict(payment))


@command.command(
    "refund",
    epilog=options.example(
        'tradewright payments refund 0199c1d2-... 25.00 --officer 0199... --reason "asked for"'
    ),
)
@click.argument("payment_id", type=click.UUID)
@click.argument("amount")
@OFFICER
@click.option("--reason", required=True, help="Why; it is kept with the refund.")
@click.option("--claim-id", type=click.UUID, help="The refund's own id, kept for repeats.")
@options.with_database
def refund_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    payment_id: UUID,
    amount: str,
    *,
    officer: UUID,
    reason: str,
    claim_id: UUID | None,
) -> None:
    """Set a part of a deposit aside to be given back through its provider."""
    with asked.session() as session:
        audit.acting_as(session, f"user:{officer}")
        payment = payments.find_payment(session, str(payment_id))
        order = ClaimOrder(
            claim_id=str(claim_id) if claim_id else new_id_text(),
            kind=ClaimKind.REFUND,
            amount=parse_amount(amount, payment.currency).amount,
            reason=reason,
        )
        claim = payments.request_refund(
            session, order, payment_id=payment.id, officer_id=str(officer)
        )
    print_facts(asked, asdict(claim))


@command.command("events", epilog=options.example("tradewright payments events --status waiting"))
@click.option(
    "--status",
    type=click.Choice(["waiting", "applied", "ignored", "conflicted"]),
    help="Only messages that became this.",
)
@LAST
@options.with_database
def events_command(asked: options.Asked, status: str | None, last: int) -> None:
    """List what providers told, the newest first, and what became of it."""
    with asked.session() as session:
        rows = list_events(session, status=status, count_max=last)
    print_rows(
        asked, rows, ("received_at", "provider", "event_type", "reference", "status", "outcome")
    )


@command.command("retry", epilog=options.example("tradewright payments retry --provider chain"))
@PROVIDER
@click.option("--event", help="Only this message, which is in conflict.")
@options.with_database
def retry_command(asked: options.Asked, provider: str, event: str | None) -> None:
    """Try the messages again that came before what they build on, or one that is in conflict."""
    with asked.session() as session:
        if event is not None:
            status = retry_conflict(same_connection(session), Provider(provider), event)
            print_facts(asked, {"event": event, "status": status})
            return
        count = retry_waiting(same_connection(session), Provider(provider))
    print_facts(asked, {"no_longer_waiting": count})


@command.command(
    "reconcile", epilog=options.example("tradewright payments reconcile 2026-01-13.csv")
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@PROVIDER
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="First UTC day.  [default: 90 days ago]"
)
@options.with_database
def reconcile_command(
    asked: options.Asked, files: Sequence[Path], provider: str, since: datetime | None
) -> None:
    """Take statements in (CSV or camt.053), compare; exit 1 when anything differs."""
    first_day = since.date() if since else utc_now().date() - timedelta(days=90)
    with asked.session() as session:
        for file in files:
            import_statement(session, Provider(provider), file.read_bytes())
        counts = reconcile(session, Provider(provider), since=first_day)
    print_facts(asked, {str(bucket): count for bucket, count in counts.items()})
    different = sum(
        count for bucket, count in counts.items() if bucket not in ("matched", "timing")
    )
    if different and not asked.as_json:
        click.echo("next: tradewright payments breaks")
    sys.exit(1 if different else 0)


@command.command("breaks", epilog=options.example("tradewright payments breaks --json"))
@options.with_database
def breaks_command(asked: options.Asked) -> None:
    """List the open differences of reconciliation, the oldest first, with their age."""
    with asked.session() as session:
        found = read_breaks(session)
    print_rows(
        asked, [asdict(each) for each in found], ("age", "bucket", "kind", "reference", "details")
    )


@command.command(
    "statements", epilog=options.example("tradewright payments statements --provider cards")
)
@PROVIDER
@LAST
@options.with_database
def statements_command(asked: options.Asked, provider: str, last: int) -> None:
    """List a provider's statements, the newest first, and what was settled or withdrawn."""
    with asked.session() as session:
        found = list_statements(session, Provider(provider), count_max=last)
    columns = ("imported_at", "id", "format", "lines", "settled", "withdrawn_by", "reason")
    print_rows(asked, [asdict(each) for each in found], columns)


@command.command(
    "withdraw-statement",
    epilog=options.example(
        "tradewright payments withdraw-statement 0199c1d2-... --actor user:anna"
        ' --reason "the other provider\'s file"'
    ),
)
@click.argument("statement_id", type=click.UUID)
@by_whom_and_why
@options.with_database
def withdraw_statement_command(
    asked: options.Asked, statement_id: UUID, *, actor: str, reason: str
) -> None:
    """Let a statement count no more, of which nothing was settled; its file may be read again."""
    with asked.session() as session:
        audit.acting_as(session, actor)
        provider = withdraw_statement(session, str(statement_id), actor=actor, reason=reason)
    print_facts(asked, {"withdrawn": str(statement_id), "provider": str(provider)})
    if not asked.as_json:
        click.echo(f"next: tradewright payments reconcile --provider {provider}")


@command.command("settle", epilog=options.example("tradewright payments settle 2026-01-13"))
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@PROVIDER
@options.with_database
def settle_command(asked: options.Asked, day: datetime, provider: str) -> None:
    """Settle what is not settled yet of a provider's UTC day, and show what the day came to."""
    with asked.session() as session:
        settled = settle(session, Provider(provider), day.date())
    print_rows(
        asked,
        [asdict(each) for each in settled],
        ("currency", "deposits", "withdrawals", "returns", "refunds", "disputes", "fees", "net"),
    )


@command.command("rate", epilog=options.example("tradewright payments rate BTC USD 64250.00"))
@click.argument("base")
@click.argument("quote")
@click.argument("rate", type=Number())
@click.option("--source", default="hand", show_default=True, help="By whose word.")
@options.with_database
def rate_command(asked: options.Asked, base: str, quote: str, rate: Decimal, source: str) -> None:
    """Record what one unit of BASE is worth in QUOTE now."""
    observed = payments.RateObserved(
        base=base, quote=quote, rate=rate, source=source, observed_at=utc_now()
    )
    with asked.session() as session:
        payments.record_rates(session, [observed])
    print_facts(asked, asdict(observed))


@command.command(
    "deliver", epilog=options.example("tradewright payments deliver https://example.org/events")
)
@click.argument("url")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    required=True,
    envvar="TRADEWRIGHT_WEBHOOK_SECRETS",
    help="Sign with it; twice while it is changed.  [env: TRADEWRIGHT_WEBHOOK_SECRETS]",
)
@click.option(
    "--at-most",
    type=COUNT,
    default=100,
    show_default=True,
    help="Try at most so many.",
)
@options.with_database
def deliver_command(asked: options.Asked, url: str, secrets: Sequence[str], at_most: int) -> None:
    """Send what became of payments to URL, signed and in order."""
    with asked.session() as session:
        session.autocommit = True
        done = deliver_due(session, Endpoint(url, secrets), count_max=at_most)
    print_facts(asked, asdict(done))


@command.command("secret", epilog=options.example("tradewright payments secret"))
def secret_command() -> None:
    """Make a new secret for signing webhooks."""
    click.echo(new_secret())
