"""From a command to a call of the ledger: which function, for whom, with what.

A command that refers to an earlier one is a call only if that one was done: otherwise there is no
hold to release, nothing to reverse, and a repeat would be a first try.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from tradewright import ledger
from tradewright.core.money import minor_unit
from tradewright.ledger import Exchange, LedgerReply, Movement, MovementResult, WalletStatus
from tradewright.postgres.connect import Session
from tradewright.soak.ledger.commands import GROUPS, Command, Kind, Move

BATCH_OPERATION = "adjustment"
SPREAD = Decimal("0.002")
MID_RATES = {
    ("USD", "EUR"): Decimal("0.917"),
    ("EUR", "USD"): Decimal("1.0905"),
    ("USD", "JPY"): Decimal("155.12"),
    ("JPY", "USD"): Decimal("0.0064466"),
    ("EUR", "JPY"): Decimal("169.158"),
    ("JPY", "EUR"): Decimal("0.005911"),
}
SWEEP_MAX = 20

Call = Callable[[Session], object]
"""A piece of work in one session."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is there: users with a wallet in each currency, and an account in USD each.

    `wallet_ids` are the holders of the USD wallets; `clearing_id` is the house's holder in USD.
    """

    user_ids: Sequence[str]
    account_ids: Sequence[str]
    wallet_ids: Sequence[str]
    clearing_id: str

    def place(self, number: int) -> str:
        """Return the holder at a place of a batch: wallets, then accounts, then the house."""
        return (*self.wallet_ids, *self.account_ids, self.clearing_id)[number]


@dataclass(slots=True)
class Outcome:
    """What became of one command: done, refused with a code, or skipped for want of its target.

    `reply` is what the ledger answered, `replies` what it answered for each of a group of holds;
    `words` are the results of a batch, movement by movement.
    `unknowns` counts how often the connection was lost over it, `was_committed` says that a repeat
    found it done. `expires_at` is when the hold of a reserve expires, the same for its repeats.
    """

    number: int
    word: str
    code: str = ""
    reply: LedgerReply | None = None
    replies: tuple[LedgerReply, ...] = ()
    words: tuple[str, ...] = ()
    unknowns: int = 0
    was_committed: bool = False
    expires_at: datetime | None = None


def call_of(
    command: Command, cast: Cast, commands: Sequence[Command], outcomes: Sequence[Outcome]
) -> Call | None:
    """Return the call that a command is, or None when the command that it needs was not done."""
    if command.kind in GROUPS:
        return _group_call(command, outcomes)
    if command.target is None:
        return _first_call(command, cast, outcomes[command.number].expires_at)
    target, outcome = commands[command.target], outcomes[command.target]
    if outcome.word != "done":
        return None
    if command.kind is Kind.REPEAT:
        return call_of(target, cast, commands, outcomes)
    if command.kind is Kind.CONTRADICT and target.amount is not None:
        other = target.amount + minor_unit(target.currency)
        return call_of(replace(target, amount=other), cast, commands, outcomes)
    return _drawing_call(command, target, outcome)


def _first_call(command: Command, cast: Cast, expires_at: datetime | None) -> Call:
    """Return the call of a command that stands for itself."""
    amount, key = command.amount or Decimal(0), command.key
    if command.kind is Kind.EXPIRE:
        return partial(ledger.expire_holds, count_max=SWEEP_MAX)
    if command.kind is Kind.BATCH:
        return partial(_post, cast=cast, moves=command.moves)
    if command.kind in {Kind.TO_ACCOUNT, Kind.TO_WALLET}:
        into = command.kind is Kind.TO_ACCOUNT
        transfer = ledger.transfer_to_account if into else ledger.transfer_to_wallet
        account_id = cast.account_ids[command.user]
        return partial(transfer, account_id=account_id, amount=amount, transaction_id=key)
    user_id = cast.user_ids[command.user]
    if command.kind is Kind.EXCHANGE:
        return partial(ledger.exchange, user_id=user_id, asked=asked(command), transaction_id=key)
    if command.kind in {Kind.FREEZE, Kind.ACTIVATE}:
        return partial(
            ledger.set_wallet_status,
            wallet=(user_id, command.currency),
            status=WalletStatus.FROZEN if command.kind is Kind.FREEZE else WalletStatus.ACTIVE,
            reason="soak",
            transaction_id=key,
        )
    return _wallet_call(command, user_id, amount, expires_at)


def asked(command: Command) -> Exchange:
    """Return the exchange that a command asks for."""
    return Exchange(
        from_currency=command.currency,
        to_currency=command.into,
        amount=command.amount or Decimal(0),
        mid_rate=MID_RATES[command.currency, command.into],
        spread=SPREAD,
    )


def _group_call(command: Command, outcomes: Sequence[Outcome]) -> Call | None:
    """Return the call that ends the holds of a group, as far as they were made."""
    replies = (outcomes[number].reply for number in command.group)
    hold_ids = [str(reply.hold_id) for reply in replies if reply is not None]
    if not hold_ids:
        return None
    end = ledger.release_holds if command.kind is Kind.RELEASE_GROUP else ledger.capture_holds
    return partial(end, hold_ids=hold_ids, transaction_id=command.key)


def _wallet_call(
    command: Command, user_id: str, amount: Decimal, expires_at: datetime | None
) -> Call:
    """Return the call of a command for one wallet."""
    if command.kind is not Kind.RESERVE:
        move = ledger.credit if command.kind is Kind.CREDIT else ledger.debit
        return partial(
            move,
            user_id=user_id,
            currency=command.currency,
            amount=amount,
            transaction_id=command.key,
        )
    return partial(
        ledger.reserve,
        user_id=user_id,
        currency=command.currency,
        amount=amount,
        transaction_id=command.key,
        purpose=command.purpose,
        expires_at=expires_at,
    )


def _drawing_call(command: Command, target: Command, outcome: Outcome) -> Call:
    """Return the call of a command that draws on what another has done."""
    key, amount = command.key, command.amount
    if command.kind is Kind.REVERSE:
        reversed_key = (target.key, str(target.kind))
        return partial(ledger.reverse, reversed_key=reversed_key, transaction_id=key, amount=amount)
    draw = ledger.release if command.kind is Kind.RELEASE else ledger.capture
    hold_id = "" if outcome.reply is None else str(outcome.reply.hold_id)
    return partial(draw, hold_id=hold_id, transaction_id=key, amount=amount)


def _post(connection: Session, cast: Cast, moves: Sequence[Move]) -> list[MovementResult]:
    with connection.transaction():
        return ledger.post_movements(connection, [_movement(cast, move) for move in moves])


def _movement(cast: Cast, move: Move) -> Movement:
    return Movement(
        transaction_id=move.key,
        operation=BATCH_OPERATION,
        debit_id=cast.place(move.giver),
        credit_id=cast.place(move.receiver),
        currency="USD",
        amount=move.amount,
    )
