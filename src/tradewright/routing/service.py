"""What dealers decide: policies, rules, overrides, and the book of an account.

Each function works in the caller's transaction; what it changes is audited by trigger and holds
from the next batch on, without a restart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.ids import require_ids
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.routing.model import Book, OverrideKind, Policy, Rule
from tradewright.routing.ranges import require_override, require_policy, require_rule
from tradewright.routing.store import QUERIES, policy_columns, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideOrder:
    """What a dealer orders for now, by name and with a reason; a halt passes everything on."""

    kind: OverrideKind
    actor: str
    reason: str
    a_percent: int = 100
    symbol: str | None = None
    user_id: str | None = None


def set_policy(connection: Session, policy: Policy) -> None:
    """Write a symbol's policy, in place of the one before it.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.
        psycopg.errors.IntegrityError: the instrument does not exist.

    """
    require_policy(policy)
    connection.execute(load_queries(QUERIES)["set_policy"], policy_columns(policy))


def change_policy(connection: Session, symbol: str, changes: Mapping[str, Any]) -> Policy:
    """Change some parts of a symbol's policy, and return all of it; what is not named stays.

    A symbol that had no policy gets one: of it, what is not named asks for nothing.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.
        psycopg.errors.IntegrityError: the instrument does not exist.

    """
    connection.execute(load_queries(QUERIES)["lock_policy"], {"symbol": symbol})
    before = read_settings(connection).policies.get(symbol) or Policy(symbol=symbol)
    policy = structs.replace(before, **changes)
    set_policy(connection, policy)
    return policy


def add_rule(connection: Session, rule: Rule) -> str:
    """Add a rule and return its id; the given id and revision are not looked at.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED, INPUT_ID_MALFORMED.
        psycopg.errors.IntegrityError: the instrument or the user does not exist.

    """
    require_rule(rule)
    if rule.user_id is not None:
        require_ids(rule.user_id)
    row = connection.execute(
        load_queries(QUERIES)["add_rule"],
        {
            "priority": rule.priority,
            "symbol": rule.symbol,
            "user_id": rule.user_id,
            "client_class": rule.client_class,
            "quantity_min": rule.quantity_min,
            "quantity_max": rule.quantity_max,
            "a_percent": rule.a_percent,
        },
    ).fetchone()
    return _id_of(row)


def disable_rule(connection: Session, rule_id: str) -> None:
    """Disable a rule; decisions that were made by it go on referring to it.

    Raises:
        InputError: INPUT_ID_MALFORMED.
        StateError: ROUTING_RULE_UNKNOWN, also when it is disabled already.

    """
    _require_one(
        connection,
        "disable_rule",
        rule_id,
        ErrorCode.ROUTING_RULE_UNKNOWN,
        f'routing rule "{rule_id}" is not in force',
    )


def order_override(connection: Session, order: OverrideOrder) -> str:
    """Order an override and return its id.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.
        psycopg.errors.IntegrityError: one of this kind about the same orders is in force
            (ROUTING_OVERRIDE_EXISTS), or the instrument or the user does not exist.

    """
    require_override(order.kind, order.a_percent)
    row = connection.execute(
        load_queries(QUERIES)["add_override"],
        {
            "kind": order.kind,
            "symbol": order.symbol,
            "user_id": order.user_id,
            "a_percent": order.a_percent,
            "actor": order.actor,
            "reason": order.reason,
        },
    ).fetchone()
    return _id_of(row)


def lift_override(connection: Session, override_id: str) -> None:
    """Lift an override that is in force.

    Raises:
        InputError: INPUT_ID_MALFORMED.
        StateError: ROUTING_OVERRIDE_UNKNOWN, also when it is lifted already.

    """
    _require_one(
        connection,
        "lift_override",
        override_id,
        ErrorCode.ROUTING_OVERRIDE_UNKNOWN,
        f'routing override "{override_id}" is not in force',
    )


def set_book(connection: Session, account_id: str, book: Book) -> None:
    """Set the book of an account, from its next order on.

    Raises:
        InputError: INPUT_ID_MALFORMED, ACCOUNT_UNKNOWN.
        psycopg.Error: it would be book B, and orders of another book live in the account.

    """
    require_ids(account_id)
    row = connection.execute(
        load_queries(QUERIES)["set_book"], {"account_id": account_id, "book": book}
    ).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.ACCOUNT_UNKNOWN,
            f'account "{account_id}" does not exist',
            why="The book is a setting of a trading account.",
            hint="Check the account's id.",
        )


def _require_one(connection: Session, query: str, key: str, code: ErrorCode, what: str) -> None:
    require_ids(key)
    if connection.execute(load_queries(QUERIES)[query], {"id": key}).fetchone() is None:
        raise StateError(
            code,
            what,
            why="Either it never was, or it has been ended before.",
            hint="List what is in force: its ids stand there.",
        )


def _id_of(row: tuple[object, ...] | None) -> str:
    if row is None:
        raise AssertionError("INSERT ... RETURNING gives a row")
    return str(row[0])
