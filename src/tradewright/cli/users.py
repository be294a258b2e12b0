"""`tradewright users`: who may trade here, and who looks after the house."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from tradewright.access import Role
from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.risk.model import ClientClass
from tradewright.trading.inquiry import find_user, list_users
from tradewright.trading.registry import grant_role, open_user
from tradewright.trading.standing import reinstate_user, suspend_user

_COLUMNS = ("created_at", "id", "email", "client_class", "kyc_level", "roles", "status")
_ROLE = click.Choice([str(each) for each in Role])


@click.group("users", epilog=options.example("tradewright users list"))
def command() -> None:
    """Open, suspend and list users, and grant them roles; USER is an id or an e-mail address."""


@command.command("list", epilog=options.example("tradewright users list --status active --json"))
@click.option(
    "--status", type=click.Choice(["active", "suspended", "closed"]), help="Only such users."
)
@LAST
@options.with_database
def list_command(asked: options.Asked, status: str | None, last: int) -> None:
    """List users with their roles, the newest first."""
    with asked.session() as session:
        found = list_users(session, status=status, count_max=last)
    print_rows(asked, [asdict(each) for each in found], _COLUMNS)


@command.command("show", epilog=options.example("tradewright users show kim@example.org"))
@click.argument("user")
@options.with_database
def show_command(asked: options.Asked, user: str) -> None:
    """Show a user."""
    with asked.session() as session:
        print_facts(asked, asdict(find_user(session, user)))


@command.command(
    "open",
    epilog=options.example(
        "tradewright users open kim@example.org --kyc-level 2 --actor anna --reason applied"
    ),
)
@click.argument("email")
@click.option(
    "--client-class",
    type=click.Choice([str(each) for each in ClientClass]),
    default=str(ClientClass.RETAIL),
    show_default=True,
    help="How far the rules protect the user.",
)
@click.option(
    "--kyc-level", type=int, default=0, show_default=True, help="How far verified: 0 to 4."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=_ROLE,
    default=["trader"],
    show_default=True,
    help="What the user may do; may be given often.",
)
@by_whom_and_why
@options.with_database
def open_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    email: str,
    client_class: str,
    kyc_level: int,
    roles: Sequence[str],
    actor: str,
    reason: str,
) -> None:
    """Open a user with roles."""
    with changing(asked, actor, reason) as session:
        user_id = open_user(
            session, email=email, client_class=ClientClass(client_class), kyc_level=kyc_level
        )
        for role in roles:
            grant_role(session, user_id, role)
        facts = asdict(find_user(session, user_id))
    print_facts(asked, facts)


@command.command(
    "grant",
    epilog=options.example(
        "tradewright users grant kim@example.org payments_officer --actor anna --reason hired"
    ),
)
@click.argument("user")
@click.argument("role", type=_ROLE)
@by_whom_and_why
@options.with_database
def grant_command(asked: options.Asked, *, user: str, role: str, actor: str, reason: str) -> None:
    """Grant a user a role; granting it again changes nothing."""
    with changing(asked, actor, reason) as session:
        grant_role(session, find_user(session, user).id, role)
        facts = asdict(find_user(session, user))
    print_facts(asked, facts)


@command.command(
    "suspend",
    epilog=options.example(
        'tradewright users suspend kim@example.org --actor anna --reason "under review"'
    ),
)
@click.argument("user")
@by_whom_and_why
@options.with_database
def suspend_command(asked: options.Asked, *, user: str, actor: str, reason: str) -> None:
    """Let a user begin and approve no payments, and each account of the user only reduce."""
    with changing(asked, actor, reason) as session:
        suspend_user(session, find_user(session, user).id)
        facts = asdict(find_user(session, user))
    print_facts(asked, facts)


@command.command(
    "reinstate",
    epilog=options.example(
        "tradewright users reinstate kim@example.org --actor anna --reason cleared"
    ),
)
@click.argument("user")
@by_whom_and_why
@options.with_database
def reinstate_command(asked: options.Asked, *, user: str, actor: str, reason: str) -> None:
    """Let a suspended user pay and trade again; accounts keep their own status."""
    with changing(asked, actor, reason) as session:
        reinstate_user(session, find_user(session, user).id)
        facts = asdict(find_user(session, user))
    print_facts(asked, facts)
