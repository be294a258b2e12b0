"""What a batch must ask the database for, by what its commands name; `store` asks and lays it out.

Each question is a named query with its columns; one whose columns are empty is not sent. Pure.
"""

from collections.abc import Iterator, Sequence

from tradewright.postgres.pipeline import Columns
from tradewright.routing.profiles import Measures
from tradewright.trading.amendments import AmendPosition
from tradewright.trading.house_commands import HOUSE, BookMeasures, LookAgain
from tradewright.trading.model import (
    BookAnswers,
    CancelOrder,
    CheckMargin,
    ClosePosition,
    Command,
    EndReducing,
    ExpireOrder,
    HaltOrders,
    MoveMoney,
    MoveStop,
    OrderType,
    ReplaceOrder,
    SubmitOrder,
    TriggerOrder,
)
from tradewright.trading.pairings import CloseBy

_NAMES_ORDER = (TriggerOrder, ExpireOrder, MoveStop, EndReducing, BookAnswers)

_ASKS_WHAT_LIVES = (ReplaceOrder, CheckMargin, ClosePosition, CloseBy, HaltOrders, LookAgain)


def orders_asked(commands: Sequence[Command]) -> dict[str, Columns]:
    """Return the queries that read orders, with what these commands name."""
    keyed = list(_keys(commands))
    grouped = [c for c in commands if isinstance(c, SubmitOrder) and c.oco_group is not None]
    replaced = [c for c in commands if isinstance(c, ReplaceOrder)]
    return {
        "orders_named": {"ids": [c.order_id for c in commands if isinstance(c, _NAMES_ORDER)]},
        "live_orders": {
            "ids": sorted({c.account_id for c in commands if asks_what_lives(c)} - {HOUSE})
        },
        "orders_by_key": {
            "account_ids": [account_id for account_id, _ in keyed],
            "keys": [key for _, key in keyed],
        },
        "orders_of_groups": {
            "account_ids": [c.account_id for c in grouped],
            "groups": [c.oco_group for c in grouped],
        },
        "replacements_named": {
            "account_ids": [c.account_id for c in replaced],
            "keys": [c.new_client_order_id for c in replaced],
        },
    }


def others_asked(commands: Sequence[Command]) -> dict[str, Columns]:
    """Return the queries that read anything else, with what these commands name."""
    moved = [c.transaction_id for c in commands if isinstance(c, MoveMoney)]
    dealt = [
        (answer.provider, answer.execution_id)
        for c in commands
        if isinstance(c, BookAnswers)
        for _, answer in c.answers
        if answer.price is not None
    ]
    return {
        "close_bys_named": {"ids": [c.close_by_id for c in commands if isinstance(c, CloseBy)]},
        "amendments_named": _amendments_asked(commands),
        "entries_of_transactions": {
            "transaction_ids": moved * 2,
            "operations": ["transfer_out"] * len(moved) + ["transfer_in"] * len(moved),
        },
        **_profiles_asked([c.measures for c in commands if isinstance(c, BookMeasures)]),
        "executions_known": {
            "provider_codes": [code for code, _ in dealt],
            "execution_ids": [execution_id for _, execution_id in dealt],
        },
    }


def _amendments_asked(commands: Sequence[Command]) -> Columns:
    amended = [c for c in commands if isinstance(c, AmendPosition)]
    return {
        "account_ids": [c.account_id for c in amended],
        "keys": [c.amendment_id for c in amended],
    }


def _profiles_asked(measures: Sequence[Measures]) -> dict[str, Columns]:
    """Return the queries that lock the profiles of who was measured, and read what is missing."""
    measured = sorted({user_id for one in measures for user_id in one.user_ids})
    closed = sorted({closing.position_id for one in measures for closing in one.closings})
    return {
        "open_client_profiles": {"ids": measured},
        "lock_client_profiles": {"ids": measured},
        "openings_of_positions": {"ids": closed},
    }


def asks_what_lives(command: Command) -> bool:
    """Return whether a command must know every live order of its account."""
    if isinstance(command, SubmitOrder):
        reduces = command.is_reduce_only or command.order_type is OrderType.TAKE_PROFIT
        return reduces or command.position_id is not None
    if isinstance(command, BookAnswers):
        return command.may_go_on
    return isinstance(command, _ASKS_WHAT_LIVES)


def _keys(commands: Sequence[Command]) -> Iterator[tuple[str, str]]:
    """Give account and client order id of each command that names an order by them."""
    for command in commands:
        if isinstance(command, SubmitOrder | CancelOrder | ClosePosition):
            key = command.client_order_id
            if key is not None:
                yield command.account_id, key
        if isinstance(command, ReplaceOrder):
            yield command.account_id, command.client_order_id
            yield command.account_id, command.new_client_order_id
