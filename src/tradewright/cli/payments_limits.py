"""`tradewright payments limit`: what users of a level may pay at most; of `payments`."""

from dataclasses import asdict
from decimal import Decimal

import click

from tradewright.cli import options
from tradewright.cli.risk_output import Number
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.payments import PaymentKind
from tradewright.payments.limit_terms import list_limits, set_limit, taken_by
from tradewright.trading.inquiry import find_user

_COLUMNS = ("kyc_level", "kind", "amount_max", "daily_max", "rolling_max")
_LEVEL = click.IntRange(0, 4)
_KIND = click.Choice([str(each) for each in PaymentKind])


@click.group("limit", epilog=options.example("tradewright payments limit list"))
def limit_group() -> None:
    """List and set what users may pay at most: at once, in a UTC day and in 30 days."""


@limit_group.command(
    "list", epilog=options.example("tradewright payments limit list --kyc-level 1 --json")
)
@click.option("--kyc-level", type=_LEVEL, help="Only those of this verification level.")
@click.option("--kind", type=_KIND, help="Only those of this kind.")
@options.with_database
def list_command(asked: options.Asked, kyc_level: int | None, kind: str | None) -> None:
    """List limits, in US dollars over all currencies; a level without one may pay nothing."""
    with asked.session() as session:
        found = list_limits(session)
    rows = [
        asdict(one)
        for one in found
        if kyc_level in (None, one.kyc_level) and kind in (None, one.kind)
    ]
    print_rows(asked, rows, _COLUMNS)


@limit_group.command(
    "taken", epilog=options.example("tradewright payments limit taken kim@example.org")
)
@click.argument("user")
@options.with_database
def taken_command(asked: options.Asked, user: str) -> None:
    """Show what USER, named by id or e-mail address, has taken of each limit, and what is left."""
    with asked.session() as session:
        found = taken_by(session, find_user(session, user).id)
    columns = ("kind", "daily_max", "daily_taken", "rolling_max", "rolling_taken", "left")
    print_rows(asked, [asdict(one) for one in found], columns)


@limit_group.command(
    "set",
    epilog=options.example(
        "tradewright payments limit set withdrawal 2 --daily 30000 --actor anna --reason agreed"
    ),
)
@click.argument("kind", type=_KIND)
@click.argument("kyc_level", type=int)
@click.option("--at-once", "amount_max", type=Number(), help="Largest single payment.")
@click.option("--daily", "daily_max", type=Number(), help="Largest sum of a UTC day.")
@click.option("--rolling", "rolling_max", type=Number(), help="Largest sum of 30 days.")
@by_whom_and_why
@options.with_database
def set_command(
    asked: options.Asked,
    *,
    kind: str,
    kyc_level: int,
    actor: str,
    reason: str,
    **amounts: Decimal | None,
) -> None:
    """Set the limit of KYC_LEVEL (0 to 4) in US dollars for the next payments.

    What is not given stays.
    """
    changes = {name: amount for name, amount in amounts.items() if amount is not None}
    if not changes:
        raise click.UsageError("Give at least one of --at-once, --daily and --rolling.")
    with changing(asked, actor, reason) as session:
        terms = set_limit(session, kyc_level, PaymentKind(kind), changes)
    print_facts(asked, asdict(terms))
