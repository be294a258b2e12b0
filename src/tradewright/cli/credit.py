"""`tradewright credit`: what the house lends accounts for their margin."""

from decimal import Decimal
from uuid import UUID

import click
from msgspec import structs

from tradewright.cli import options
from tradewright.cli.risk_output import Number
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading import credit
from tradewright.trading.credit import AccountCredit

_COLUMNS = tuple(one.name for one in structs.fields(AccountCredit))


@click.group("credit", epilog=options.example("tradewright credit list"))
def command() -> None:
    """Lend accounts money for their margin, which counts in equity and cannot be taken out."""


@command.command("list", epilog=options.example("tradewright credit list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List the accounts that are lent anything."""
    with asked.session() as session:
        found = credit.read_credits(session)
    print_rows(asked, [structs.asdict(one) for one in found], _COLUMNS)


@command.command(
    "grant",
    epilog=options.example(
        "tradewright credit grant 0199c1d2-... 500 --actor anna --reason agreed"
    ),
)
@click.argument("account", type=click.UUID)
@click.argument("amount", type=Number())
@by_whom_and_why
@options.with_database
def grant_command(
    asked: options.Asked, *, account: UUID, amount: Decimal, actor: str, reason: str
) -> None:
    """Lend an account more, in its currency; not to retail clients."""
    with changing(asked, actor, reason) as session:
        lent = credit.grant_credit(session, str(account), amount)
    print_facts(asked, {"account": str(account), "credit": lent})


@command.command(
    "withdraw",
    epilog=options.example(
        "tradewright credit withdraw 0199c1d2-... 500 --actor anna --reason expired"
    ),
)
@click.argument("account", type=click.UUID)
@click.argument("amount", type=Number())
@by_whom_and_why
@options.with_database
def withdraw_command(
    asked: options.Asked, *, account: UUID, amount: Decimal, actor: str, reason: str
) -> None:
    """Take some of it back, while nothing is open in the account."""
    with changing(asked, actor, reason) as session:
        left = credit.withdraw_credit(session, str(account), amount)
    print_facts(asked, {"account": str(account), "credit": left})
