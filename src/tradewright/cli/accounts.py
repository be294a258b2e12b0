"""`tradewright accounts`: trading accounts, what is in them, and what they are worth."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_output import LAST, Number
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.postgres.connect import Session
from tradewright.routing import Book
from tradewright.trading.groups import STANDARD, find_group
from tradewright.trading.inquiry import (
    find_account,
    find_user,
    list_accounts,
)
from tradewright.trading.registry import AccountSettings, open_account
from tradewright.trading.standing import close_account, reinstate_account, suspend_account
from tradewright.trading.worths import account_facts

_COLUMNS = (
    *("id", "email", "group", "book", "currency", "leverage", "balance", "credit", "equity"),
    *("margin_level", "priced_at", "open_positions", "live_orders", "status"),
)
_BOOK = click.Choice([str(each) for each in Book])


@click.group("accounts", epilog=options.example("tradewright accounts list"))
def command() -> None:
    """Open, suspend and close trading accounts, and see what is in them and what they are worth.

    Equity and margin are at the newest prices that the database knows, of which the oldest is of
    the time PRICED AT, and left out where one is missing.
    """


@command.command("list", epilog=options.example("tradewright accounts list --group pro --json"))
@click.option("--user", help="Only those of this user, by id or e-mail address.")
@click.option("--group", help="Only those of this group.")
@click.option("--book", type=_BOOK, help="Only those in this book.")
@click.option(
    "--status", type=click.Choice(["active", "suspended", "closed"]), help="Only such accounts."
)
@LAST
@options.with_database
def list_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    user: str | None,
    group: str | None,
    book: str | None,
    status: str | None,
    last: int,
) -> None:
    """List accounts with balance, equity, group, leverage and status, the newest first."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        if group is not None:
            find_group(session, group)
        found = list_accounts(
            session, user_id=user_id, group=group, status=status, book=book, count_max=last
        )
        rows = account_facts(session, found)
    print_rows(asked, rows, _COLUMNS)


@command.command("show", epilog=options.example("tradewright accounts show 0199c1d2-..."))
@click.argument("account", type=click.UUID)
@options.with_database
def show_command(asked: options.Asked, account: UUID) -> None:
    """Show an account with its settings, and what it is worth."""
    with asked.session() as session:
        (facts,) = account_facts(session, [find_account(session, str(account))])
    print_facts(asked, facts)


@command.command(
    "open",
    epilog=options.example(
        "tradewright accounts open kim@example.org --leverage 30 --actor anna --reason applied"
    ),
)
@click.argument("user")
@click.option("--currency", default="USD", show_default=True, help="Of its money.")
@click.option("--leverage", type=int, default=30, show_default=True, help="1 to 500.")
@click.option("--group", default=STANDARD, show_default=True, help="Whose conditions hold.")
@click.option("--book", type=_BOOK, default=str(Book.B), show_default=True, help="Of its orders.")
@click.option(
    "--margin-call-level",
    type=Number(),
    default="100",
    show_default=True,
    help="Percent of used margin at which it is called.",
)
@click.option(
    "--stop-out-level",
    type=Number(),
    default="50",
    show_default=True,
    help="Percent of used margin below which positions are closed.",
)
@by_whom_and_why
@options.with_database
def open_command(
    asked: options.Asked, *, user: str, book: str, actor: str, reason: str, **given: Any
) -> None:
    """Open an empty account for a trader; USER is an id or an e-mail address."""
    settings = AccountSettings(book=Book(book), **given)
    with changing(asked, actor, reason) as session:
        account_id = open_account(session, find_user(session, user).id, settings)
        (facts,) = account_facts(session, [find_account(session, account_id)])
    print_facts(asked, facts)


@command.command(
    "suspend",
    epilog=options.example(
        'tradewright accounts suspend 0199c1d2-... --actor anna --reason "under review"'
    ),
)
@click.argument("account", type=click.UUID)
@by_whom_and_why
@options.with_database
def suspend_command(asked: options.Asked, *, account: UUID, actor: str, reason: str) -> None:
    """Let an account only reduce its positions; no money moves in or out.

    Orders that rest stay; one that would open or add is canceled when it is to deal.
    """
    _change_status(asked, suspend_account, account, actor, reason)


@command.command(
    "reinstate",
    epilog=options.example(
        "tradewright accounts reinstate 0199c1d2-... --actor anna --reason cleared"
    ),
)
@click.argument("account", type=click.UUID)
@by_whom_and_why
@options.with_database
def reinstate_command(asked: options.Asked, *, account: UUID, actor: str, reason: str) -> None:
    """Let a suspended account trade again."""
    _change_status(asked, reinstate_account, account, actor, reason)


@command.command(
    "close",
    epilog=options.example(
        'tradewright accounts close 0199c1d2-... --actor anna --reason "asked by mail"'
    ),
)
@click.argument("account", type=click.UUID)
@by_whom_and_why
@options.with_database
def close_command(asked: options.Asked, *, account: UUID, actor: str, reason: str) -> None:
    """Close an account for ever, in which no position, live order, money or credit is left."""
    _change_status(asked, close_account, account, actor, reason)


def _change_status(
    asked: options.Asked,
    change: Callable[[Session, str], None],
    account: UUID,
    actor: str,
    reason: str,
) -> None:
    with changing(asked, actor, reason) as session:
        change(session, str(account))
        (facts,) = account_facts(session, [find_account(session, str(account))])
    print_facts(asked, facts)
