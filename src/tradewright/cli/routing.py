"""`tradewright routing`: which book hybrid orders go to, by policies, rules and overrides."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click
from msgspec import structs

from tradewright import routing
from tradewright.cli import options
from tradewright.cli.settings import by_whom_and_why, changing, shown, with_fields
from tradewright.cli.tables import print_facts, print_rows
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.routing import Book, OverrideKind, OverrideOrder, Policy, Rule
from tradewright.trading.instruments import find_instrument

_POLICY = tuple(one.name for one in structs.fields(Policy))
_RULE = tuple(one.name for one in structs.fields(Rule))
_RULE_FIELDS = frozenset({"id", "priority", "a_percent", "revision"})
_OVERRIDE = ("id", "kind", "a_percent", "symbol", "user_id")


@click.group("routing", epilog=options.example("tradewright routing list"))
def command() -> None:
    """Set what share of hybrid orders is passed on, and which book accounts are in."""


@command.command("list", epilog=options.example("tradewright routing list --json"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """List the policies of symbols."""
    with asked.session() as session:
        policies = routing.read_settings(session).policies
    print_rows(asked, [shown(policies[symbol]) for symbol in sorted(policies)], _POLICY)


@command.command("show", epilog=options.example("tradewright routing show EURUSD"))
@click.argument("symbol")
@options.with_database
def show_command(asked: options.Asked, symbol: str) -> None:
    """Show the policy of a symbol."""
    with asked.session() as session:
        policy = _policy_of(session, symbol)
    print_facts(asked, shown(policy))


def _policy_of(session: Session, symbol: str) -> Policy:
    find_instrument(session, symbol)
    policies = routing.read_settings(session).policies
    if symbol not in policies:
        raise StateError(
            ErrorCode.ROUTING_POLICY_MISSING,
            f'instrument "{symbol}" has no policy',
            why=f"These have one: {', '.join(sorted(policies)) or 'none'}; others pass on 0 %.",
            hint="Give it one with `tradewright routing set`.",
            facts={"symbol": symbol},
        )
    return policies[symbol]


@command.command(
    "set",
    epilog=options.example(
        "tradewright routing set EURUSD --default-percent 10 --size 500000 2000000"
        " --actor anna --reason calm"
    ),
)
@click.argument("symbol")
@with_fields(Policy, but=frozenset({"symbol", "revision"}))
@by_whom_and_why
@options.with_database
def set_command(
    asked: options.Asked, *, symbol: str, changes: Mapping[str, Any], actor: str, reason: str
) -> None:
    """Set a symbol's policy from the next batch on; what is not given stays."""
    if not changes:
        raise click.UsageError("Give at least one part of the policy.")
    with changing(asked, actor, reason) as session:
        routing.change_policy(session, symbol, changes)
        policy = routing.read_settings(session).policies[symbol]
    print_facts(asked, shown(policy))


@command.command(
    "profile", epilog=options.example("tradewright routing profile 0199c1d2-... --symbol EURUSD")
)
@click.argument("user", type=click.UUID)
@click.option("--symbol", help="Add the toxicity by the policy of this instrument.")
@options.with_database
def profile_command(asked: options.Asked, *, user: UUID, symbol: str | None) -> None:
    """Show what has been measured of a client's trades, and how toxic that makes them."""
    with asked.session() as session:
        profile = routing.read_profile(session, str(user))
        policy = None if symbol is None else _policy_of(session, symbol)
    if profile is None:
        raise InputError(
            ErrorCode.USER_UNKNOWN,
            f'user "{user}" does not exist',
            why="What is measured is kept by user, for all accounts whose book is hybrid.",
            hint="Check the user's id; an account's id is another.",
            facts={"user_id": str(user)},
        )
    facts = {"user_id": str(user), **shown(profile)}
    if policy is not None:
        facts["toxicity_bps"] = profile.toxicity(policy)
    print_facts(asked, facts)


@command.command("rules", epilog=options.example("tradewright routing rules --json"))
@options.with_database
def rules_command(asked: options.Asked) -> None:
    """List the rules in force, in the order in which they are asked."""
    with asked.session() as session:
        rules = routing.read_settings(session).rules
    print_rows(asked, [shown(rule) for rule in rules], _RULE)


@command.command(
    "add-rule",
    epilog=options.example(
        "tradewright routing add-rule 100 100 --symbol EURUSD --actor anna --reason news"
    ),
)
@click.argument("priority", type=int)
@click.argument("percent", type=int)
@with_fields(Rule, but=_RULE_FIELDS)
@by_whom_and_why
@options.with_database
def add_rule_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    priority: int,
    percent: int,
    changes: Mapping[str, Any],
    actor: str,
    reason: str,
) -> None:
    """Add a rule: orders that meet its conditions are passed on by PERCENT."""
    rule = Rule(id="", priority=priority, a_percent=percent, **changes)
    with changing(asked, actor, reason) as session:
        rule_id = routing.add_rule(session, rule)
    print_facts(asked, {**shown(rule), "id": rule_id})


@command.command(
    "disable-rule",
    epilog=options.example(
        "tradewright routing disable-rule 0199c1d2-... --actor anna --reason over"
    ),
)
@click.argument("rule", type=click.UUID)
@by_whom_and_why
@options.with_database
def disable_rule_command(asked: options.Asked, *, rule: UUID, actor: str, reason: str) -> None:
    """Let a rule hold no longer; it stays in the record."""
    with changing(asked, actor, reason) as session:
        routing.disable_rule(session, str(rule))
    print_facts(asked, {"disabled": str(rule)})


@command.command("overrides", epilog=options.example("tradewright routing overrides --json"))
@options.with_database
def overrides_command(asked: options.Asked) -> None:
    """List the overrides in force."""
    with asked.session() as session:
        overrides = routing.read_settings(session).overrides
    print_rows(asked, [shown(one) for one in overrides], _OVERRIDE)


@command.command(
    "override",
    epilog=options.example(
        "tradewright routing override manual --percent 50 --symbol EURUSD --actor anna --reason big"
    ),
)
@click.argument("kind", type=click.Choice([str(kind) for kind in OverrideKind]))
@click.option("--percent", default=100, show_default=True, help="What is passed on.")
@click.option("--symbol", help="Of orders in this instrument.")
@click.option("--user", type=click.UUID, help="Of orders of this client.")
@by_whom_and_why
@options.with_database
def override_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    kind: str,
    percent: int,
    symbol: str | None,
    user: UUID | None,
    actor: str,
    reason: str,
) -> None:
    """Order an override: `halt` passes everything on, `manual` a share."""
    order = OverrideOrder(
        kind=OverrideKind(kind),
        actor=actor,
        reason=reason,
        a_percent=percent,
        symbol=symbol,
        user_id=None if user is None else str(user),
    )
    with changing(asked, actor, reason) as session:
        override_id = routing.order_override(session, order)
    print_facts(asked, {"id": override_id, "kind": kind, "a_percent": percent})


@command.command(
    "lift",
    epilog=options.example("tradewright routing lift 0199c1d2-... --actor anna --reason over"),
)
@click.argument("override", type=click.UUID)
@by_whom_and_why
@options.with_database
def lift_command(asked: options.Asked, *, override: UUID, actor: str, reason: str) -> None:
    """Lift an override."""
    with changing(asked, actor, reason) as session:
        routing.lift_override(session, str(override))
    print_facts(asked, {"lifted": str(override)})


@command.command(
    "book",
    epilog=options.example("tradewright routing book 0199c1d2-... A --actor anna --reason winner"),
)
@click.argument("account", type=click.UUID)
@click.argument("book", type=click.Choice([str(book) for book in Book]))
@by_whom_and_why
@options.with_database
def book_command(
    asked: options.Asked, *, account: UUID, book: str, actor: str, reason: str
) -> None:
    """Set which book the orders of an account go to, from the next one on."""
    with changing(asked, actor, reason) as session:
        routing.set_book(session, str(account), Book(book))
    print_facts(asked, {"account": str(account), "book": book})
