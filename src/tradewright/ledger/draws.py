"""Holds in a batch: money is set aside, released and captured with running balances.

The rules are those of reserve_user_balance, release_user_balance and debit_reserved_balance. The
wallets of all holds are locked with the other wallets, the holds after them, each in key order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError, MoneyError, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import AMOUNT_MAX, parse_amount, plain
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
from tradewright.ledger.model import Draw, Hold, Holder, HolderKind, Reservation
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

PURPOSES = ("order", "withdrawal", "refund", "dispute", "unconfirmed")

Held = Reservation | Draw


def ids_of(held: Held) -> tuple[str, ...]:
    """Return the ids that a reservation or draw names."""
    if isinstance(held, Reservation):
        return held.transaction_id, held.holder_id
    return tuple(filter(None, (held.transaction_id, held.hold_id, held.sink)))


def form_error(held: Held) -> TradewrightError | None:
    """Return what is wrong with a reservation or draw in itself, or None."""
    if isinstance(held, Draw):
        return None
    try:
        parse_amount(held.amount, held.currency)
    except TradewrightError as error:
        return error
    if held.purpose in PURPOSES:
        return None
    return InputError(
        ErrorCode.INPUT_PURPOSE_UNKNOWN,
        f'purpose "{held.purpose}" of a hold is unknown',
        why=f"A hold is for one of: {', '.join(PURPOSES)}.",
        hint="Name one of them.",
    )


def holders_of(statements: Statements, held: Sequence[Held]) -> Iterable[str]:
    """Return the holders of wallets and the sinks that reservations and draws concern."""
    drawn = sorted({each.hold_id for each in held if isinstance(each, Draw)})
    rows = statements.execute(
        load_queries("tradewright.ledger")["wallets_of_holds"], {"ids": drawn}
    )
    named = {each.holder_id if isinstance(each, Reservation) else each.sink for each in held}
    return {row[0] for row in rows.fetchall()} | {each for each in named if each is not None}


def lock_holds(statements: Statements, held: Sequence[Held]) -> dict[str, Hold]:
    """Lock the holds to be drawn in key order; their wallets are locked."""
    ids = sorted({each.hold_id for each in held if isinstance(each, Draw)})
    rows = statements.execute(load_queries("tradewright.ledger")["lock_holds"], {"ids": ids})
    return {row[0]: Hold(*row) for row in rows.fetchall()}


def read_drawn(statements: Statements, transaction_ids: Sequence[str]) -> dict[Key, DrawnBefore]:
    """Read what transactions have done with holds before."""
    query = load_queries("tradewright.ledger")["draws_of_transactions"]
    rows = statements.execute(query, {"transaction_ids": transaction_ids})
    return {(row[0], row[1]): DrawnBefore(*row[2:]) for row in rows.fetchall()}


def read_passed(statements: Statements, held: Sequence[Held]) -> frozenset[datetime]:
    """Find which of the named expiries have passed; where none is named, nothing is asked."""
    instants = [each.expires_at for each in held if isinstance(each, Reservation)]
    named = [instant for instant in instants if instant is not None]
    if not named:
        return frozenset()
    query = load_queries("tradewright.ledger")["instants_passed"]
    rows = statements.execute(query, {"instants": named})
    return frozenset(named[row[0] - 1] for row in rows.fetchall())


def post_held(book: Book, held: Held) -> MovementResult:
    """Decide and enter a reservation or a draw."""
    if isinstance(held, Reservation):
        return _reserve(book, held)
    hold = book.holds.get(held.hold_id)
    if hold is None:
        return refused(_exhausted(f'hold "{held.hold_id}" does not exist', "No hold has this id."))
    return _draw(book, held, hold, book.holders[hold.holder_id])


def _reserve(book: Book, held: Reservation) -> MovementResult:
    wallet = book.holders.get(held.holder_id)
    if wallet is None or wallet.kind is not HolderKind.WALLET:
        why = "Only money of a wallet is set aside."
        return refused(unknown_holder(held.transaction_id, f'no wallet "{held.holder_id}"', why))
    before = book.drawn.get((held.transaction_id, "reserve"))
    if before is not None:
        asked = (held.holder_id, held.amount, held.purpose, held.expires_at)
        done = (before.holder_id, before.amount, before.purpose, before.expires_at)
        return _replay(held, before, asked == done)
    if (held.transaction_id, "reserve") in book.done:
        return _moved_before(held.transaction_id, "reserve")
    refusal = _expiry_refusal(book, held) or _reserve_refusal(wallet, held)
    if refusal is not None:
        return refused(refusal)
    hold = _new_hold(held)
    book.holds[hold.id] = hold
    book.journal.set_aside(wallet, hold, transaction_id=held.transaction_id)
    return _done(book, held, hold, wallet, held.amount)


def _new_hold(held: Reservation) -> Hold:
    return Hold(
        id=new_id_text(),
        holder_id=held.holder_id,
        purpose=held.purpose,
        amount=held.amount,
        remaining=held.amount,
        is_new=True,
        expires_at=held.expires_at,
    )


def _expiry_refusal(book: Book, held: Reservation) -> TradewrightError | None:
    if held.expires_at not in book.passed:
        return None
    return InputError(
        ErrorCode.INPUT_EXPIRY_PAST,
        f"a hold cannot expire at {held.expires_at}, which has passed",
        why="A hold that has expired is given back and captured no longer.",
        hint="Give an instant in the future, or none.",
    )


def _reserve_refusal(wallet: Holder, held: Reservation) -> TradewrightError | None:
    if wallet.currency != held.currency:
        return of_another_currency(wallet.id, wallet.currency, held.currency)
    refusal = status_refusal(wallet, None) or too_little(wallet, held.amount)
    if refusal is None and wallet.reserved + held.amount > AMOUNT_MAX:
        return MoneyError(
            ErrorCode.MONEY_BALANCE_TOO_LARGE,
            f"more than {plain(AMOUNT_MAX)} would be reserved, more than can be kept",
            why="A balance has at most twelve digits before the point.",
            hint="Release a hold first.",
        )
    return refusal


def _draw(book: Book, held: Draw, hold: Hold, wallet: Holder) -> MovementResult:
    if held.amount is not None:
        try:
            parse_amount(held.amount, wallet.currency)
        except TradewrightError as error:
            return refused(error)
    before = book.drawn.get((held.transaction_id, held.operation))
    if before is not None:
        amount = before.amount if held.amount is None else held.amount
        asked = (hold.id, amount, held.sink)
        return _replay(held, before, asked == (before.hold_id, before.amount, before.sink))
    if (held.transaction_id, held.operation) in book.done:
        return _moved_before(held.transaction_id, held.operation)
    amount = hold.remaining if held.amount is None else held.amount
    refusal = _draw_refusal(book, held, hold, amount)
    if refusal is None and held.sink is None:
        refusal = too_much(None, wallet, amount)
    if refusal is not None:
        return refused(refusal)
    if held.sink is None:
        book.journal.give_back(wallet, hold, amount, transaction_id=held.transaction_id)
    else:
        key = held.transaction_id
        book.journal.take(wallet, hold, amount, transaction_id=key, sink=held.sink)
    return _done(book, held, hold, wallet, amount)


def _draw_refusal(book: Book, held: Draw, hold: Hold, amount: Decimal) -> TradewrightError | None:
    currency = book.holders[hold.holder_id].currency
    if held.sink is not None:
        house = book.house_currencies.get(held.sink)
        if house is None:
            why = "What is captured goes to the house."
            return unknown_holder(held.transaction_id, f'no house holder "{held.sink}"', why)
        if house != currency:
            return of_another_currency(held.sink, house, currency)
        if hold.is_expired:
            why = "Money of an expired hold goes back to the wallet and nowhere else."
            return _exhausted(f'hold "{hold.id}" has expired', why)
    if hold.remaining == 0:
        return _exhausted(f'hold "{hold.id}" has nothing left', "The hold has ended.")
    if amount > hold.remaining:
        what = f'hold "{hold.id}" has {plain(hold.remaining)} left, {plain(amount)} are asked for'
        return _exhausted(what, "A hold gives at most what remains of it.")
    return None


def _done(book: Book, held: Held, hold: Hold, wallet: Holder, amount: Decimal) -> MovementResult:
    """Remember what was done, for repeats in the same batch, and tell the balances."""
    operation, sink = ("reserve", None) if isinstance(held, Reservation) else _words(held)
    key = (held.transaction_id, operation)
    book.drawn[key] = DrawnBefore(wallet.id, amount, hold.id, hold.purpose, sink, hold.expires_at)
    book.done[key] = Before(None, None, amount)
    return MovementResult(
        is_replay=False,
        error=None,
        debit_available=wallet.available,
        reserved=wallet.reserved,
        hold_id=hold.id,
    )


def _words(held: Draw) -> tuple[str, str | None]:
    return held.operation, held.sink


def _replay(held: Held, before: DrawnBefore, is_same: bool) -> MovementResult:
    if is_same:
        return MovementResult(is_replay=True, error=None, hold_id=before.hold_id)
    operation = "reserve" if isinstance(held, Reservation) else held.operation
    why = f'It did so with {plain(before.amount)} and hold "{before.hold_id}".'
    return other_contents(held.transaction_id, operation, why)


def _moved_before(transaction_id: str, operation: str) -> MovementResult:
    why = "It was a movement of that name, not a hold."
    return other_contents(transaction_id, operation, why)


def _exhausted(what: str, why: str) -> MoneyError:
    return MoneyError(
        ErrorCode.MONEY_HOLD_EXHAUSTED, what, why=why, hint="Set the money aside anew."
    )
