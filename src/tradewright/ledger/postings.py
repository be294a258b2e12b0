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
from tradewright.core.money import AMOUNT_MAX, is_amount, parse_amount
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Holder, HolderKind, Movement, WalletStatus
from tradewright.ledger.store import accounts_by_id, lock_wallets
from tradewright.postgres.pipeline import Statements
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


_DONE = MovementResult(is_replay=False, error=None)
_REPLAYED = MovementResult(is_replay=True, error=None)


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


def post_movements(statements: Statements, movements: Sequence[Movement]) -> list[MovementResult]:
    """Book movements in the caller's transaction; one result each, in their order.

    `statements` is the session of that transaction or, which costs less, a pipeline on it.

    Client holders are told from house holders by being found among wallets and accounts. A
    wallet is never overdrawn; a trading account may be, through fees. What is wrong with a
    movement is told in the order of the ledger's functions: its form, what was done under its key,
    its holders, their status, the money.
    """
    malformed = _malformed(movements)
    readable = [m for place, m in enumerate(movements) if place not in malformed]
    book = _open_book(statements, readable)
    results = [
        _refused(malformed[place]) if place in malformed else _post(book, movement)
        for place, movement in enumerate(movements)
    ]
    book.journal.write(statements)
    return results


def _malformed(movements: Sequence[Movement]) -> dict[int, TradewrightError]:
    """Return what is wrong with movements in themselves, by their place.

    The server would refuse the whole batch for one of them. What was found good once is not looked
    at again: the house and the operation are the same all over a batch.
    """
    good_ids: set[str] = set()
    good_operations: set[str] = set()
    errors = {}
    for place, movement in enumerate(movements):
        error = _form_error(movement, good_ids, good_operations)
        if error is not None:
            errors[place] = error
    return errors


def _form_error(
    movement: Movement, good_ids: set[str], good_operations: set[str]
) -> TradewrightError | None:
    for given in (movement.transaction_id, movement.debit_id, movement.credit_id):
        if given not in good_ids:
            if not _ID.fullmatch(given):
                return _not_an_id(given)
            good_ids.add(given)
    if movement.operation not in good_operations:
        if not _OPERATION.fullmatch(movement.operation):
            return _not_an_operation(movement.operation)
        good_operations.add(movement.operation)
    return None if is_amount(movement.amount, movement.currency) else _amount_error(movement)


def _amount_error(movement: Movement) -> TradewrightError | None:
    try:
        parse_amount(movement.amount, movement.currency)
    except TradewrightError as error:
        return error
    return None


def _not_an_id(given: str) -> InputError:
    return InputError(
        ErrorCode.INPUT_ID_MALFORMED,
        f'id "{given}" is not a UUID in its canonical form',
        why="Ids are compared as text, so there is one way to write each.",
        hint="Write 32 hexadecimal digits in small letters, with four hyphens.",
    )


def _not_an_operation(given: str) -> InputError:
    return InputError(
        ErrorCode.INPUT_OPERATION_MALFORMED,
        f'operation "{given}" is not a plain word',
        why="An operation is 1 to 32 small letters and underscores, such as realised_pnl.",
        hint="Name what the movement is in business.",
    )


def _open_book(statements: Statements, movements: Sequence[Movement]) -> _Book:
    """Lock the client holders in key order, then read what the decisions need.

    Wallets come first, because all but a few ids are wallets; the other three questions travel
    together where the statements are a pipeline.
    """
    queries = load_queries("tradewright.ledger")
    ids = {m.debit_id for m in movements}
    ids.update(m.credit_id for m in movements)
    wallets = lock_wallets(statements, ids)
    others = sorted(ids - wallets.keys())
    transactions = sorted({m.transaction_id for m in movements})
    accounts = statements.execute(queries["lock_accounts"], {"ids": others})
    houses = statements.execute(queries["house_holders_among"], {"ids": others})
    done = statements.execute(
        queries["movements_of_transactions"], {"transaction_ids": transactions}
    )
    holders = wallets | accounts_by_id(accounts.fetchall())
    before = {(row[0], row[1]): _Before(row[2], row[3], row[4]) for row in done.fetchall()}
    return _Book(holders, dict(houses.fetchall()), before, Journal())


def _post(book: _Book, movement: Movement) -> MovementResult:
    giver, receiver = book.holders.get(movement.debit_id), book.holders.get(movement.credit_id)
    words = _PASSED_ON if giver and receiver else (movement.operation,)
    for word in words:
        before = book.done.get((movement.transaction_id, word))
        if before is not None:
            return _replay(movement, before)
    refusal = _refusal(book, movement, giver, receiver)
    if refusal is not None:
        return _refused(refusal)
    _move(book.journal, movement, giver, receiver)
    now = _Before(movement.debit_id, movement.credit_id, movement.amount)
    for word in words:
        book.done[(movement.transaction_id, word)] = now
    return _DONE


def _replay(movement: Movement, before: _Before) -> MovementResult:
    asked = _Before(movement.debit_id, movement.credit_id, movement.amount)
    if before == asked:
        return _REPLAYED
    return _refused(
        MoneyError(
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
            f'transaction "{movement.transaction_id}" has already done "{movement.operation}" '
            "with other contents",
            why=f'It moved {before.amount:f} from "{before.debit_id}" to "{before.credit_id}".',
            hint="Use a new transaction id for a new movement.",
        )
    )


def _refusal(
    book: _Book, movement: Movement, giver: Holder | None, receiver: Holder | None
) -> TradewrightError | None:
    """Return why the ledger cannot make this movement now, or None."""
    if giver is None and receiver is None:
        return _unknown(movement, "no wallet or account", "One side at least must be a client's.")
    for holder_id in (movement.debit_id, movement.credit_id):
        currency = book.currency_of(holder_id)
        if currency is None:
            return _unknown(movement, f'the unknown holder "{holder_id}"', "Nobody has this id.")
        if currency != movement.currency:
            return _of_another_currency(movement, holder_id, currency)
    if movement.debit_id == movement.credit_id:
        return _unknown(movement, "one holder as both sides", "Money moves between two holders.")
    return (
        status_refusal(giver, receiver)
        or _too_little(giver, movement.amount)
        or _too_much(giver, receiver, movement.amount)
    )


def _of_another_currency(movement: Movement, holder_id: str, currency: str) -> MoneyError:
    return MoneyError(
        ErrorCode.MONEY_CURRENCY_MISMATCH,
        f'holder "{holder_id}" holds {currency}, not {movement.currency}',
        why="A transfer has one currency, and so have both its holders.",
        hint="Exchange first, then transfer.",
    )


def status_refusal(giver: Holder | None, receiver: Holder | None) -> MoneyError | None:
    """Return the refusal of a wallet that is closed, or frozen and to give."""
    for holder in (giver, receiver):
        if holder is not None and holder.status is WalletStatus.CLOSED:
            return MoneyError(
                ErrorCode.MONEY_WALLET_CLOSED,
                f'wallet "{holder.id}" is closed',
                why="A closed wallet is empty for ever.",
                hint="Use another currency or another user.",
            )
    if giver is not None and giver.status is WalletStatus.FROZEN:
        return MoneyError(
            ErrorCode.MONEY_WALLET_FROZEN,
            f'wallet "{giver.id}" is frozen',
            why="Money comes in, and holds that were made before are ended; nothing else leaves.",
            hint="Have the wallet activated again.",
        )
    return None


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
