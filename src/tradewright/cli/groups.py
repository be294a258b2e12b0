"""`tradewright groups`: the conditions that the accounts of a group trade under."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click
from msgspec import structs

from tradewright.cli import options
from tradewright.cli.settings import by_whom_and_why, changing, shown, with_fields
from tradewright.cli.tables import print_facts, print_rows
from tradewright.trading import groups
from tradewright.trading.groups import AccountGroup

_COLUMNS = tuple(one.name for one in structs.fields(AccountGroup))
_CONDITIONS = with_fields(AccountGroup, but=frozenset({"code"}))


@click.group("groups", epilog=options.example("tradewright groups list"))
def command() -> None:
    """Open groups of accounts, set their conditions, and put accounts into them."""


@command.command("list", epilog=options.example("tradewright groups list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List all groups with their conditions."""
    with asked.session() as session:
        found = groups.read_groups(session)
    print_rows(asked, [shown(found[code]) for code in sorted(found)], _COLUMNS)


@command.command("show", epilog=options.example("tradewright groups show standard"))
@click.argument("code")
@options.with_database
def show_command(asked: options.Asked, code: str) -> None:
    """Show the conditions of a group."""
    with asked.session() as session:
        print_facts(asked, shown(groups.find_group(session, code)))


@command.command(
    "open",
    epilog=options.example(
        "tradewright groups open islamic --swap-free --actor anna --reason asked"
    ),
)
@click.argument("code")
@_CONDITIONS
@by_whom_and_why
@options.with_database
def open_command(
    asked: options.Asked, *, code: str, changes: Mapping[str, Any], actor: str, reason: str
) -> None:
    """Open a group; what is not given is as in the group `standard` at first."""
    group = AccountGroup(code=code, **changes)
    with changing(asked, actor, reason) as session:
        groups.open_group(session, group)
    print_facts(asked, shown(group))


@command.command(
    "set",
    epilog=options.example(
        "tradewright groups set standard --stop-out-mode smart --actor anna --reason agreed"
    ),
)
@click.argument("code")
@_CONDITIONS
@by_whom_and_why
@options.with_database
def set_command(
    asked: options.Asked, *, code: str, changes: Mapping[str, Any], actor: str, reason: str
) -> None:
    """Change the conditions of a group for all its accounts; what is not given stays."""
    if not changes:
        raise click.UsageError("Give at least one condition.")
    with changing(asked, actor, reason) as session:
        group = groups.change_group(session, code, changes)
    print_facts(asked, shown(group))


@command.command(
    "assign",
    epilog=options.example(
        "tradewright groups assign 0199c1d2-... islamic --actor anna --reason asked"
    ),
)
@click.argument("account", type=click.UUID)
@click.argument("code")
@by_whom_and_why
@options.with_database
def assign_command(
    asked: options.Asked, *, account: UUID, code: str, actor: str, reason: str
) -> None:
    """Put an account into a group."""
    with changing(asked, actor, reason) as session:
        groups.assign_group(session, str(account), code)
    print_facts(asked, {"account": str(account), "group": code})
