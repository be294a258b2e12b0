"""`tradewright keys`: what programs and people show to act for a user from outside."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from tradewright import access
from tradewright.access import KeyTerms, Scope
from tradewright.cli import options
from tradewright.cli.risk_output import LAST
from tradewright.cli.settings import by_whom_and_why, changing
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.clock import utc_now
from tradewright.trading.inquiry import find_user

_COLUMNS = ("created_at", "id", "email", "name", "scopes", "expires_at", "last_used_at")
_ENDED = ("revoked_at", "revoked_by", "revoked_why")


@click.group("keys", epilog=options.example("tradewright keys list"))
def command() -> None:
    """Make, list and revoke keys of the interface; what one may do is in docs/explain/access.md."""


@command.command(
    "create",
    epilog=options.example(
        "tradewright keys create kim@example.org --name laptop --scope read --scope trade"
        " --actor anna --reason asked"
    ),
)
@click.argument("user")
@click.option("--name", required=True, help="What the user calls it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(each) for each in Scope]),
    help="What it is for; may be given often.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="For so long it is good.",
)
@by_whom_and_why
@options.with_database
def create_command(
    asked: options.Asked, *, user: str, actor: str, reason: str, **given: Any
) -> None:
    """Make a key for USER, an id or e-mail address; it is shown once, now."""
    terms = _terms(**given)
    with changing(asked, actor, reason) as session:
        user_id = find_user(session, user).id
        made = access.create_key(session, user_id, terms, actor=actor, reason=reason)
    print_facts(asked, {"key": made.secret, **asdict(made.key)})
    if not asked.as_json:
        click.echo("next: hand the key over; it cannot be shown again")


def _terms(*, name: str, scopes: Sequence[str], days: int) -> KeyTerms:
    return KeyTerms(
        name=name,
        scopes=frozenset(Scope(each) for each in scopes),
        expires_at=utc_now() + timedelta(days=days),
    )


@command.command("list", epilog=options.example("tradewright keys list --user kim@example.org"))
@click.option("--user", help="Only those of this user, by id or e-mail address.")
@click.option("--all", "with_ended", is_flag=True, help="Those that are good no more, too.")
@LAST
@options.with_database
def list_command(asked: options.Asked, user: str | None, *, with_ended: bool, last: int) -> None:
    """List keys, the newest first; their secrets are kept nowhere."""
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        found = access.list_keys(session, user_id=user_id, with_ended=with_ended, count_max=last)
    columns = (*_COLUMNS, *_ENDED) if with_ended else _COLUMNS
    print_rows(asked, [asdict(each) for each in found], columns)


@command.command(
    "revoke",
    epilog=options.example("tradewright keys revoke 0199c1d2-... --actor anna --reason lost"),
)
@click.argument("key", type=click.UUID)
@by_whom_and_why
@options.with_database
def revoke_command(asked: options.Asked, *, key: UUID, actor: str, reason: str) -> None:
    """Let a key, by its id, be refused from now on, and end the sessions opened with it."""
    with changing(asked, actor, reason) as session:
        facts = asdict(access.revoke_key(session, str(key), actor=actor, reason=reason))
    print_facts(asked, facts)
