"""The ledger's batch entry: thousands of movements booked in one transaction.

Lock all client holders in key order, look up what was done before, decide one by one with running
balances, write everything at once. Each movement gets its own result; a refused one leaves its
neighbours untouched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradewright.core.errors import ErrorCode, MoneyError, TradewrightError
from tradewright.core.money import parse_amount
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Holder, HolderKind, Movement
from tradewright.ledger.store import lock_accounts, lock_wallets
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class MovementResult:
    """What became of one movement: done now, done before, or refused with its error."""

    is_replay: bool
    error: TradewrightError | None


@dataclass(frozen=True, slots=True)
class _Before:
    """An entry that was written before under the same transaction and operation."""

    holder_id: str
    amount: Decimal


def post_movements(connection: Session, movements: Sequence[Movement]) -> list[MovementResult]:
    """Book movements in the caller's transaction; one result each, in their order.

    Client holders are told from house holders by being found among wallets and accounts. A
    wallet is never overdrawn; a trading account may be, through fees.
    """
    ids = {m.debit_id for m in movements} | {m.credit_id for m in movements}
    holders = lock_wallets(connection, ids)
    holders |= lock_accounts(connection, ids)
    seen = _done_before(connection, movements)
    journal = Journal()
    results = [_post(journal, holders, seen, movement) for movement in movements]
    journal.write(connection)
    return results


def _done_before(
    connection: Session, movements: Sequence[Movement]
) -> dict[tuple[str, str], _Before]:
    keys = [key for movement in movements for key in _entry_keys(movement)]
    rows = connection.execute(
        load_queries("tradewright.ledger")["entries_of_transactions"],
        {"transaction_ids": [key[0] for key in keys], "operations": [key[1] for key in keys]},
    )
    return {(row[0], row[1]): _Before(row[2], row[3]) for row in rows}


def _entry_keys(movement: Movement) -> tuple[tuple[str, str], ...]:
    return (
        (movement.transaction_id, movement.operation),
        (movement.transaction_id, "transfer_out"),
    )


def _post(
    journal: Journal,
    holders: Mapping[str, Holder],
    seen: dict[tuple[str, str], _Before],
    movement: Movement,
) -> MovementResult:
    giver, receiver = holders.get(movement.debit_id), holders.get(movement.credit_id)
    holder = giver or receiver
    if holder is None:
        return _refused(
            ErrorCode.MONEY_HOLDER_UNKNOWN,
            f'transfer "{movement.transaction_id}" names no wallet or account',
            "One side at least must be a client's holder.",
            "Check the holder ids.",
        )
    operation = "transfer_out" if giver and receiver else movement.operation
    before = seen.get((movement.transaction_id, operation))
    if before is not None:
        return _replay(movement, before, holder)
    try:
        _require_movable(movement, giver, receiver)
    except TradewrightError as error:
        return MovementResult(is_replay=False, error=error)
    _move(journal, movement, giver, receiver)
    seen[(movement.transaction_id, operation)] = _Before(holder.id, movement.amount)
    return MovementResult(is_replay=False, error=None)


def _replay(movement: Movement, before: _Before, holder: Holder) -> MovementResult:
    if (before.holder_id, before.amount) == (holder.id, movement.amount):
        return MovementResult(is_replay=True, error=None)
    return _refused(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'transaction "{movement.transaction_id}" has already done "{movement.operation}" '
        "with other contents",
        f'It moved {before.amount} of holder "{before.holder_id}".',
        "Use a new transaction id for a new movement.",
    )


def _require_movable(movement: Movement, giver: Holder | None, receiver: Holder | None) -> None:
    parse_amount(movement.amount, movement.currency)
    for holder in (giver, receiver):
        if holder is not None and holder.currency != movement.currency:
            raise MoneyError(
                ErrorCode.MONEY_CURRENCY_MISMATCH,
                f'{holder.kind} "{holder.id}" holds {holder.currency}, not {movement.currency}',
                why="A transfer has one currency, and so have both its holders.",
                hint="Exchange first, then transfer.",
            )
    if giver is not None and giver.kind is HolderKind.WALLET and giver.available < movement.amount:
        raise MoneyError(
            ErrorCode.MONEY_INSUFFICIENT_FUNDS,
            f"wallet holds {giver.available} {giver.currency} available, "
            f"{movement.amount} are needed",
            why=f"Another {giver.reserved} {giver.currency} are reserved.",
            hint="Deposit more, release a hold, or ask for less.",
        )


def _move(
    journal: Journal, movement: Movement, giver: Holder | None, receiver: Holder | None
) -> None:
    if giver is not None and receiver is not None:
        journal.pass_on(giver, receiver, movement.amount, transaction_id=movement.transaction_id)
    elif giver is not None:
        journal.give(
            giver,
            movement.amount,
            transaction_id=movement.transaction_id,
            operation=movement.operation,
            sink=movement.credit_id,
        )
    elif receiver is not None:
        journal.receive(
            receiver,
            movement.amount,
            transaction_id=movement.transaction_id,
            operation=movement.operation,
            source=movement.debit_id,
        )


def _refused(code: ErrorCode, what: str, why: str, hint: str) -> MovementResult:
    return MovementResult(is_replay=False, error=MoneyError(code, what, why=why, hint=hint))
