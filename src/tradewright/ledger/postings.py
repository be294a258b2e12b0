"""The ledger's batch entry: thousands of movements booked in one transaction.

Lock all client holders in key order, look up what was done before, decide one by one with running
balances, write everything at once. Each movement gets its own result; a refused one leaves its
neighbours untouched.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.core.money import is_amount, parse_amount, plain
from tradewright.ledger.accounts import (
    inactive_account,
    inactive_among,
    kept_in_account,
    read_promised,
)
from tradewright.ledger.book import (
    Before,
    Book,
    DrawnBefore,
    Key,
    MovementResult,
    of_another_currency,
    other_contents,
    refused,
    status_refusal,
    too_little,
    too_much,
    unknown_holder,
)
from tradewright.ledger.draws import (
    form_error,
    holders_of,
    ids_of,
    lock_holds,
    post_held,
    read_drawn,
    read_passed,
)
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Draw, Hold, Holder, Movement, Posting, Reservation
from tradewright.ledger.store import accounts_by_id, lock_wallets
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

_PASSED_ON = ("transfer_out", "transfer_in")
"""The operations of a movement between two client holders, as the SQL functions name them."""

_BETWEEN_CLIENTS = frozenset(
    {"wallet_to_account", "account_to_wallet", "wallet_to_wallet", "account_to_account"}
)
"""What the transfers of such movements are called; no movement with the house has these names."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OPERATION = re.compile(r"[a-z][a-z_]{0,31}")


_REPLAYED = MovementResult(is_replay=True, error=None)


def post_movements(statements: Statements, movements: Sequence[Posting]) -> list[MovementResult]:
    """Book movements in the caller's transaction; one result each, in their order.

    Among them may stand reservations, which set money aside, and draws, which release or capture
    it; a hold that the batch has made may be drawn in the same batch by a later one.

    `statements` is the session of that transaction or, which costs less, a pipeline on it.

    Client holders are told from house holders by being found among wallets and accounts. A
    wallet is never overdrawn; a trading account may be, through fees of the house and nothing
    else: to another client it gives what transfer_to_wallet would let go. What is wrong with a
    movement is told in the order of the ledger's functions: its form, a holder that is not there,
    what was done under its key, its two sides, their status, the money.
    """
    malformed = _malformed(movements)
    readable = [m for place, m in enumerate(movements) if place not in malformed]
    book = _open_book(statements, readable)
    results = [
        refused(malformed[place]) if place in malformed else _post(book, movement)
        for place, movement in enumerate(movements)
    ]
    book.journal.write(statements)
    return results


def _malformed(movements: Sequence[Posting]) -> dict[int, TradewrightError]:
    """Return what is wrong with movements in themselves, by their place.

    The server would refuse the whole batch for one of them. What was found good once is not looked
    at again: the house and the operation are the same all over a batch.
    """
    good_words: set[str] = set()
    errors = {}
    for place, movement in enumerate(movements):
        if isinstance(movement, Movement):
            error = _movement_error(movement, good_words)
        else:
            error = _held_error(movement)
        if error is not None:
            errors[place] = error
    return errors


def _held_error(movement: Reservation | Draw) -> TradewrightError | None:
    for given in ids_of(movement):
        if not _ID.fullmatch(given):
            return _not_an_id(given)
    return form_error(movement)


def _movement_error(movement: Movement, good_words: set[str]) -> TradewrightError | None:
    """Return what is wrong; `good_words` are holders and operations that were found good before."""
    if not _ID.fullmatch(movement.transaction_id):
        return _not_an_id(movement.transaction_id)
    for given in (movement.debit_id, movement.credit_id):
        if given not in good_words:
            if not _ID.fullmatch(given):
                return _not_an_id(given)
            good_words.add(given)
    if movement.operation not in good_words:
        if not _OPERATION.fullmatch(movement.operation):
            return _not_an_operation(movement.operation)
        if movement.operation in _BETWEEN_CLIENTS:
            return _kept_operation(movement.operation)
        good_words.add(movement.operation)
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


def _kept_operation(given: str) -> InputError:
    return InputError(
        ErrorCode.INPUT_OPERATION_MALFORMED,
        f'operation "{given}" is kept for transfers between clients',
        why="The ledger gives it to them by itself, and their entries have names of their own.",
        hint="Name what the movement is in business.",
    )


def _open_book(statements: Statements, movements: Sequence[Posting]) -> Book:
    """Lock the client holders in key order, then read what the decisions need.

    Wallets come first, because all but a few ids are wallets; the other three questions travel
    together where the statements are a pipeline. Holds are locked last, if there are any.
    """
    queries = load_queries("tradewright.ledger")
    moves = [m for m in movements if isinstance(m, Movement)]
    held = [m for m in movements if not isinstance(m, Movement)]
    ids = {m.debit_id for m in moves}
    ids.update(m.credit_id for m in moves)
    if held:
        ids.update(holders_of(statements, held))
    wallets = lock_wallets(statements, ids)
    others = sorted(ids - wallets.keys())
    transactions = sorted({m.transaction_id for m in movements})
    accounts = statements.execute(queries["lock_accounts"], {"ids": others})
    houses = statements.execute(queries["house_holders_among"], {"ids": others})
    done = statements.execute(
        queries["movements_of_transactions"], {"transaction_ids": transactions}
    )
    found = accounts.fetchall()
    holders = wallets | accounts_by_id(found)
    before = {(row[0], row[1]): Before(row[2], row[3], row[4]) for row in done.fetchall()}
    promised = read_promised(statements, holders, moves) if found else {}
    known = dict(houses.fetchall()), before, Journal(), *_read_held(statements, held, transactions)
    return Book(holders, *known, inactive_among(found), promised)


def _read_held(
    statements: Statements, held: Sequence[Reservation | Draw], transactions: Sequence[str]
) -> tuple[dict[str, Hold], dict[Key, DrawnBefore], frozenset[datetime]]:
    """Lock the holds to be drawn and read what was done before; without any, nothing is asked."""
    if not held:
        return {}, {}, frozenset()
    holds = lock_holds(statements, held)
    return holds, read_drawn(statements, transactions), read_passed(statements, held)


def _post(book: Book, movement: Posting) -> MovementResult:
    if not isinstance(movement, Movement):
        return post_held(book, movement)
    giver, receiver = book.holders.get(movement.debit_id), book.holders.get(movement.credit_id)
    unknown = _unknown_side(book, movement, giver, receiver)
    if unknown is not None:
        return refused(unknown)
    done_by = movement.transaction_id
    if giver and receiver:
        keys: tuple[Key, ...] = tuple((done_by, word) for word in _PASSED_ON)
    else:
        keys = ((done_by, movement.operation),)
    for key in keys:
        before = book.done.get(key)
        if before is not None:
            return _replay(movement, before)
    refusal = _refusal(book, movement, giver, receiver)
    if refusal is not None:
        return refused(refusal)
    _move(book.journal, movement, giver, receiver)
    now = Before(movement.debit_id, movement.credit_id, movement.amount)
    for key in keys:
        book.done[key] = now
    return MovementResult(
        False,
        None,
        giver.available if giver else None,
        receiver.available if receiver else None,
    )


def _unknown_side(
    book: Book, movement: Movement, giver: Holder | None, receiver: Holder | None
) -> TradewrightError | None:
    """Return the refusal of the first side that is nobody's, or None."""
    houses = book.house_currencies
    for holder_id, client in ((movement.debit_id, giver), (movement.credit_id, receiver)):
        if client is None and holder_id not in houses:
            return unknown_holder(
                movement.transaction_id,
                f'the unknown holder "{holder_id}"',
                "Nobody has this id, or the house for debts alone.",
            )
    return None


def _replay(movement: Movement, before: Before) -> MovementResult:
    asked = Before(movement.debit_id, movement.credit_id, movement.amount)
    if before == asked:
        return _REPLAYED
    why = f'It moved {plain(before.amount)} from "{before.debit_id}" to "{before.credit_id}".'
    return other_contents(movement.transaction_id, movement.operation, why)


def _refusal(
    book: Book, movement: Movement, giver: Holder | None, receiver: Holder | None
) -> TradewrightError | None:
    """Return why the ledger cannot make this movement now, or None."""
    if giver is None and receiver is None:
        return unknown_holder(
            movement.transaction_id, "no wallet or account", "One side at least must be a client's."
        )
    houses = book.house_currencies
    currencies = (
        giver.currency if giver else houses[movement.debit_id],
        receiver.currency if receiver else houses[movement.credit_id],
    )
    if currencies != (movement.currency, movement.currency):
        return _currency_refusal(movement, currencies)
    if movement.debit_id == movement.credit_id:
        return unknown_holder(
            movement.transaction_id, "one holder as both sides", "Money moves between two holders."
        )
    if giver and receiver:
        refusal = _refusal_between_clients(book, giver, receiver, movement.amount)
    else:
        refusal = status_refusal(giver, receiver) or too_little(giver, movement.amount)
    return refusal or too_much(giver, receiver, movement.amount)


def _refusal_between_clients(
    book: Book, giver: Holder, receiver: Holder, amount: Decimal
) -> TradewrightError | None:
    return (
        inactive_account(book.inactive, giver, receiver)
        or status_refusal(giver, receiver)
        or kept_in_account(book.promised, giver, amount)
        or too_little(giver, amount)
    )


def _currency_refusal(movement: Movement, currencies: tuple[str, str]) -> TradewrightError | None:
    """Return the refusal of the first side that holds another currency, or None."""
    for holder_id, held in zip((movement.debit_id, movement.credit_id), currencies, strict=True):
        if held != movement.currency:
            return of_another_currency(holder_id, held, movement.currency)
    return None


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
