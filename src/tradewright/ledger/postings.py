"""The ledger's batch entry: thousands of movements booked in one transaction.

Lock all client holders in key order, look up what was done before, decide one by one with running
balances, write everything at once. Each movement gets its own result; a refused one leaves its
neighbours untouched.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError, MoneyError, TradewrightError
from tradewright.core.money import AMOUNT_MAX, parse_amount
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Holder, HolderKind, Movement
from tradewright.ledger.store import lock_accounts, lock_wallets
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_Key = tuple[str, str]
"""A transaction and an operation: what is done once."""

_PASSED_ON = ("transfer_out", "transfer_in")
"""The operations of a movement between two client holders, as the SQL functions name them."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OPERATION = re.compile(r"[a-z][a-z_]{0,31}")


@dataclass(frozen=True, slots=True)
class MovementResult:
    """What became of one movement: done now, done before, or refused with its error."""

    is_replay: bool
    error: TradewrightError | None


@dataclass(frozen=True, slots=True)
class _Before:
    """What was done before under the same transaction and operation; no holders: no transfer."""

    debit_id: str | None
    credit_id: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class _Book:
    """What a batch decides by: locked holders, the house's holders, and what was done before."""

    holders: Mapping[str, Holder]
    house_currencies: Mapping[str, str]
    done: dict[_Key, _Before]
    journal: Journal

    def currency_of(self, holder_id: str) -> str | None:
        """Return the currency of a holder, or None when there is no such holder."""
        holder = self.holders.get(holder_id)
        return holder.currency if holder else self.house_currencies.get(holder_id)


def post_movements(connection: Session, movements: Sequence[Movement]) -> list[MovementResult]:
    """Book movements in the caller's transaction; one result each, in their order.

    Client holders are told from house holders by being found among wallets and accounts. A
    wallet is never overdrawn; a trading account may be, through fees.
    """
    malformed = {place: _form_error(movement) for place, movement in enumerate(movements)}
    readable = [m for place, m in enumerate(movements) if malformed[place] is None]
    book = _open_book(connection, readable)
    results = [
        _post(book, movement) if (error := malformed[place]) is None else _refused(error)
        for place, movement in enumerate(movements)
    ]
    book.journal.write(connection)
    return results


def _form_error(movement: Movement) -> TradewrightError | None:
    """Return what is wrong with a movement in itself; the server would refuse the whole batch."""
    ids = (movement.transaction_id, movement.debit_id, movement.credit_id)
    for given in ids:
        if not _ID.fullmatch(given):
            return InputError(
                ErrorCode.INPUT_ID_MALFORMED,
                f'id "{given}" is not a UUID in its canonical form',
                why="Ids are compared as text, so there is one way to write each.",
                hint="Write 32 hexadecimal digits in small letters, with four hyphens.",
            )
    if not _OPERATION.fullmatch(movement.operation):
        return InputError(
            ErrorCode.INPUT_OPERATION_MALFORMED,
            f'operation "{movement.operation}" is not a plain word',
            why="An operation is 1 to 32 small letters and underscores, such as realised_pnl.",
            hint="Name what the movement is in business.",
        )
    try:
        parse_amount(movement.amount, movement.currency)
    except TradewrightError as error:
        return error
    return None


def _open_book(connection: Session, movements: Sequence[Movement]) -> _Book:
    """Lock the client holders in key order, then read what the decisions need."""
    ids = {m.debit_id for m in movements} | {m.credit_id for m in movements}
    queries = load_queries("tradewright.ledger")
    holders = lock_wallets(connection, ids) | lock_accounts(connection, ids)
    houses = connection.execute(
        queries["house_holders_among"], {"ids": sorted(ids - holders.keys())}
    ).fetchall()
    keys = [(m.transaction_id, word) for m in movements for word in (m.operation, *_PASSED_ON)]
    done = connection.execute(
        queries["transfers_of_transactions"],
        {"transaction_ids": [key[0] for key in keys], "operations": [key[1] for key in keys]},
    )
    before = {(row[0], row[1]): _Before(row[2], row[3], row[4]) for row in done}
    return _Book(holders, dict(houses), before, Journal())


def _post(book: _Book, movement: Movement) -> MovementResult:
    giver, receiver = book.holders.get(movement.debit_id), book.holders.get(movement.credit_id)
    words = _PASSED_ON if giver and receiver else (movement.operation,)
    for word in words:
        before = book.done.get((movement.transaction_id, word))
        if before is not None:
            return _replay(movement, before)
    refusal = _refusal(book, movement)
    if refusal is not None:
        return _refused(refusal)
    _move(book.journal, movement, giver, receiver)
    for word in words:
        book.done[(movement.transaction_id, word)] = _Before(
            movement.debit_id, movement.credit_id, movement.amount
        )
    return MovementResult(is_replay=False, error=None)


def _replay(movement: Movement, before: _Before) -> MovementResult:
    asked = _Before(movement.debit_id, movement.credit_id, movement.amount)
    if before == asked:
        return MovementResult(is_replay=True, error=None)
    return _refused(
        MoneyError(
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
            f'transaction "{movement.transaction_id}" has already done "{movement.operation}" '
            "with other contents",
            why=f'It moved {before.amount:f} from "{before.debit_id}" to "{before.credit_id}".',
            hint="Use a new transaction id for a new movement.",
        )
    )


def _refusal(book: _Book, movement: Movement) -> TradewrightError | None:
    """Return why the ledger cannot make this movement now, or None."""
    giver, receiver = book.holders.get(movement.debit_id), book.holders.get(movement.credit_id)
    if giver is None and receiver is None:
        return _unknown(movement, "no wallet or account", "One side at least must be a client's.")
    for holder_id in (movement.debit_id, movement.credit_id):
        currency = book.currency_of(holder_id)
        if currency is None:
            return _unknown(movement, f'the unknown holder "{holder_id}"', "Nobody has this id.")
        if currency != movement.currency:
            return MoneyError(
                ErrorCode.MONEY_CURRENCY_MISMATCH,
                f'holder "{holder_id}" holds {currency}, not {movement.currency}',
                why="A transfer has one currency, and so have both its holders.",
                hint="Exchange first, then transfer.",
            )
    if movement.debit_id == movement.credit_id:
        return _unknown(movement, "one holder as both sides", "Money moves between two holders.")
    return _too_little(giver, movement.amount) or _too_much(giver, receiver, movement.amount)


def _unknown(movement: Movement, named: str, why: str) -> MoneyError:
    return MoneyError(
        ErrorCode.MONEY_HOLDER_UNKNOWN,
        f'transfer "{movement.transaction_id}" names {named}',
        why=why,
        hint="Check the holder ids.",
    )


def _too_little(giver: Holder | None, amount: Decimal) -> MoneyError | None:
    if giver is None or giver.kind is not HolderKind.WALLET or giver.available >= amount:
        return None
    return MoneyError(
        ErrorCode.MONEY_INSUFFICIENT_FUNDS,
        f"wallet holds {giver.available:f} {giver.currency} available, {amount:f} are needed",
        why=f"Another {giver.reserved:f} {giver.currency} are reserved.",
        hint="Deposit more, release a hold, or ask for less.",
    )


def _too_much(giver: Holder | None, receiver: Holder | None, amount: Decimal) -> MoneyError | None:
    if (giver is None or giver.available - amount >= -AMOUNT_MAX) and (
        receiver is None or receiver.available + amount <= AMOUNT_MAX
    ):
        return None
    return MoneyError(
        ErrorCode.MONEY_BALANCE_TOO_LARGE,
        f"a balance would pass {AMOUNT_MAX:f}, more than can be kept",
        why="A balance has at most twelve digits before the point.",
        hint="Split the amount over several holders.",
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


def _refused(error: TradewrightError) -> MovementResult:
    return MovementResult(is_replay=False, error=error)
