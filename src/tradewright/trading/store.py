"""The rows of a batch, read under lock, in one order for every writer; `rows` writes them back.

Lock order: wallets by holder id, accounts by id, positions by id. Whoever holds an account's lock
owns its orders too, so orders are read without locks of their own. Lookups that must see what was
committed while a lock was waited for come after it, as statements of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from tradewright.ledger.model import Holder, HolderKind
from tradewright.ledger.store import lock_wallets, wallet_ids
from tradewright.liquidity.market import Market
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Columns, Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.risk.regimes import levels
from tradewright.routing.model import Book
from tradewright.trading.amendment_rows import amendments_by_key
from tradewright.trading.answers import Told, longer_name
from tradewright.trading.backing_off import read_rejections
from tradewright.trading.groups import AccountGroup
from tradewright.trading.house_commands import HOUSE
from tradewright.trading.house_store import lock_house, read_clients
from tradewright.trading.model import (
    BookAnswers,
    Command,
    Direction,
    MoveMoney,
    SubmitOrder,
    TriggerOrder,
)
from tradewright.trading.opening_rates import read_opening_rates
from tradewright.trading.order_rows import order_from_row, orders_by_key, read_orders
from tradewright.trading.pairings import CloseBy, CloseByReport
from tradewright.trading.pending import binds_pending
from tradewright.trading.questions import asks_what_lives, orders_asked, others_asked
from tradewright.trading.reference import Reference, refreshed
from tradewright.trading.replacement_store import read_waiting
from tradewright.trading.rolling_rows import read_due
from tradewright.trading.state import (
    AccountState,
    Desk,
    OrderState,
    PositionState,
)

_QUERIES = "tradewright.trading"

Rows = Sequence[tuple[Any, ...]]

_NEEDS_MARGIN = (SubmitOrder, TriggerOrder, MoveMoney)


def lock_desk(
    statements: Statements,
    reference: Reference,
    market: Market,
    commands: Sequence[Command],
    rolled: Mapping[str, date],
) -> Desk:
    """Lock and read all that the commands may touch, and lay it out as a desk.

    On a pipeline the queries go to the server together, in this order. Reference data that has
    changed is read anew; it cannot change again until the transaction ends.
    """
    account_ids = sorted({command.account_id for command in commands} - {HOUSE})
    wallets = _lock_wallets(statements, commands)
    asked = _ask(statements, account_ids, commands)
    reference = refreshed(statements, reference, asked["hold_reference_version"][0][0])
    accounts = {row[0]: _account(row, reference) for row in asked.get("lock_accounts", ())}
    _lay_out_positions(asked.get("open_positions", ()), reference, accounts)
    orders: dict[str, OrderState] = {}
    for query in ("orders_named", "live_orders", "orders_of_groups", "orders_by_key"):
        for row in asked.get(query, ()):
            if row[0] not in orders:
                orders[row[0]] = order_from_row(row, reference.instruments[row[3]])
    for order in orders.values():
        if order.status.is_live:
            accounts[order.account_id].live_orders[order.id] = order
    desk = Desk(
        market=market,
        reference=reference,
        accounts=accounts,
        orders=orders,
        orders_by_key=orders_by_key(orders, asked.get("orders_by_key", ())),
        wallets=wallets,
        replacements_before={
            (row[0], row[1]): (row[2], row[3], row[4], row[5])
            for row in asked.get("replacements_named", ())
        },
        entries_before={
            (row[0], row[1]): (row[2], row[3]) for row in asked.get("entries_of_transactions", ())
        },
        close_bys_before={row[0]: _close_by(row) for row in asked.get("close_bys_named", ())},
        amendments_before=amendments_by_key(asked.get("amendments_named", ())),
    )
    _read_executions(statements, desk, commands, asked.get("executions_known", ()))
    read_clients(statements, desk, asked)
    read_waiting(statements, desk)
    read_opening_rates(statements, desk.accounts)
    read_due(statements, desk, commands, rolled)
    _read_in_flight(statements, desk, commands)
    read_rejections(statements, desk, commands)
    lock_house(statements, desk, commands)
    return desk


def _ask(
    statements: Statements, account_ids: list[str], commands: Sequence[Command]
) -> dict[str, list[tuple[Any, ...]]]:
    """Send every query that these commands need, then read all the answers."""
    queries: dict[str, Columns] = {
        "hold_reference_version": {},
        "lock_accounts": {"ids": account_ids},
        "open_positions": {"ids": account_ids},
        **orders_asked(commands),
        **others_asked(commands),
    }
    ours, ledgers = load_queries(_QUERIES), load_queries("tradewright.ledger")
    asked = {
        name: statements.execute(ours.get(name) or ledgers[name], columns)
        for name, columns in queries.items()
        if all(columns.values())
    }
    return {name: rows.fetchall() for name, rows in asked.items()}


def _read_executions(
    statements: Statements, desk: Desk, commands: Sequence[Command], rows: Rows
) -> None:
    """Lay out which names of executions are taken; where the name of one is, ask further.

    By another order, or by its own: told again, or dealt by a later request under the same ExecID.
    That is rare: only then does it cost another question.
    """
    known = desk.executions_before
    for code, name, owner in rows:
        known.setdefault((code, name), set()).add(owner)
    taken = [
        (request, answer)
        for command in commands
        if known and isinstance(command, BookAnswers)
        for request, answer in command.answers
        if answer.price is not None and (answer.provider, answer.execution_id) in known
    ]
    if taken:
        _read_longer_names(statements, desk, taken)


def _read_longer_names(statements: Statements, desk: Desk, taken: Sequence[Told]) -> None:
    """Find which executions are of a later request of their order, and which names are taken."""
    queries = load_queries(_QUERIES)
    codes = [answer.provider for _, answer in taken]
    asked = {
        "provider_codes": codes,
        "execution_ids": [answer.execution_id for _, answer in taken],
        "request_ids": [request.request_id for request, _ in taken],
    }
    longer = {"provider_codes": codes, "execution_ids": [longer_name(*told) for told in taken]}
    later = statements.execute(queries["executions_of_later_requests"], asked)
    found = statements.execute(queries["executions_known"], longer)
    desk.executions_renamed = set(later.fetchall())
    for code, name, owner in found.fetchall():
        desk.executions_before.setdefault((code, name), set()).add(owner)


def _read_in_flight(statements: Statements, desk: Desk, commands: Sequence[Command]) -> None:
    """Put what accounts have with providers onto the desk, where it is not there already.

    Only for commands that need free margin, and only for accounts whose orders are passed on; and
    all that lives of accounts in which orders that rest bind margin.
    """
    known = {command.account_id for command in commands if asks_what_lives(command)}
    asking = {command.account_id for command in commands if isinstance(command, _NEEDS_MARGIN)}
    ids = sorted((asking - known) & desk.accounts.keys())
    accounts = [desk.accounts[account_id] for account_id in ids]
    binding = [one.id for one in accounts if binds_pending(one)]
    flying = [one.id for one in accounts if one.book is not Book.B and not binds_pending(one)]
    read_orders(statements, desk, "live_orders", binding)
    read_orders(statements, desk, "routed_orders", flying)


def _close_by(row: tuple[Any, ...]) -> tuple[CloseBy, CloseByReport]:
    """Lay out a pairing of positions that was booked before, as it was asked and answered."""
    asked = CloseBy(
        account_id=row[1],
        close_by_id=row[0],
        position_id=row[2],
        by_position_id=row[3],
        symbol=row[4],
    )
    return asked, CloseByReport(row[0], row[5], row[6], row[7], is_replay=True)


def read_live_desk(connection: Session, reference: Reference, market: Market) -> Desk:
    """Read every account with something open, its positions and its live orders."""
    queries = load_queries(_QUERIES)
    rows = connection.execute(queries["accounts_at_risk"]).fetchall()
    return read_desk(connection, reference, market, [row[0] for row in rows])


def read_unpriced(connection: Session) -> list[str]:
    """Read for want of which prices people were told that accounts cannot be valued."""
    rows = connection.execute(load_queries(_QUERIES)["unpriced_symbols"])
    return [row[0] for row in rows]


def read_desk(
    connection: Session, reference: Reference, market: Market, account_ids: Sequence[str]
) -> Desk:
    """Read accounts with all that is open, without locks: not all of it of the same moment."""
    queries, arrays = load_queries(_QUERIES), {"ids": account_ids}
    accounts = {
        row[0]: _account(row, reference)
        for row in connection.execute(queries["accounts_of"], arrays)
    }
    positions = connection.execute(queries["open_positions"], arrays).fetchall()
    _lay_out_positions(positions, reference, accounts)
    read_opening_rates(connection, accounts)
    orders = {
        row[0]: order_from_row(row, reference.instruments[row[3]])
        for row in connection.execute(queries["live_orders"], arrays)
    }
    for order in orders.values():
        accounts[order.account_id].live_orders[order.id] = order
    return Desk(
        market=market,
        reference=reference,
        accounts=accounts,
        orders=orders,
        orders_by_key={},
        wallets={},
        entries_before={},
        stuck={row[0] for row in connection.execute(queries["stuck_accounts"], arrays)},
    )


def read_routed_versions(connection: Session, desk: Desk) -> dict[str, int]:
    """Read the version at which each order of a desk that is with a provider was passed on."""
    rows = connection.execute(
        load_queries(_QUERIES)["routed_versions"], {"ids": sorted(desk.accounts)}
    )
    return dict(rows)


def _lock_wallets(
    statements: Statements, commands: Sequence[Command]
) -> dict[tuple[str, str], Holder]:
    """Lock the wallets that money moves from or to; one that is to be paid is opened if missing."""
    moves = [command for command in commands if isinstance(command, MoveMoney)]
    if not moves:
        return {}
    rows = statements.execute(
        load_queries(_QUERIES)["owners_of_accounts"],
        {"ids": sorted({move.account_id for move in moves})},
    ).fetchall()
    owners = {row[0]: (row[1], row[2], row[3]) for row in rows}
    paid = [owners[m.account_id][:2] for m in moves if _pays_wallet(m, owners.get(m.account_id))]
    keys = wallet_ids(statements, paid, open_missing=True) if paid else {}
    others = {owner[:2] for owner in owners.values()} - keys.keys()
    keys |= wallet_ids(statements, others, open_missing=False) if others else {}
    locked = lock_wallets(statements, list(keys.values()))
    return {(holder.user_id, holder.currency): holder for holder in locked.values()}


def _pays_wallet(move: MoveMoney, owner: tuple[str, str, Decimal] | None) -> bool:
    """Return whether a movement may open a wallet: a refused one must leave no trace."""
    if owner is None or move.direction is not Direction.TO_WALLET or move.amount.is_nan():
        return False
    return 0 < move.amount <= owner[2]


def _account(row: tuple[Any, ...], reference: Reference) -> AccountState:
    group = reference.groups[row[12]]
    return AccountState(
        id=row[0],
        group=group,
        is_active=row[9],
        book=Book(row[8]),
        profile=_profile(row, group),
        holder=Holder.locked(
            HolderKind.ACCOUNT,
            holder_id=row[0],
            user_id=row[1],
            currency=row[2],
            available=row[3],
            version=row[4],
        ),
        margin_call_id=row[11],
    )


def _profile(row: tuple[Any, ...], group: AccountGroup) -> RiskProfile:
    closing = levels(group.regime, call=row[6], stop=row[7])
    terms = ClientClass(row[10]), row[2], row[5]
    return RiskProfile(*terms, *closing, group.hedged_margin, row[13], group.regime)


def _lay_out_positions(
    rows: Iterable[tuple[Any, ...]], reference: Reference, accounts: dict[str, AccountState]
) -> None:
    for row in rows:
        held = accounts[row[1]].positions.setdefault(row[2], [])
        held.append(
            PositionState(
                id=row[0],
                account_id=row[1],
                instrument=reference.instruments[row[2]],
                mode=accounts[row[1]].group.position_mode,
                quantity=row[3],
                average_price=row[4],
                realised_pnl=row[5],
                stop_loss=row[6],
                take_profit=row[7],
                version=row[8],
                version_read=row[8],
                amended_by=row[9],
            )
        )
        if len(held) > 1:
            held.sort(key=_age)


def _age(position: PositionState) -> str:
    """Return what sorts positions by age: ids are ordered by the time at which they are made."""
    return position.id
