"""The decision of one batch: each command in order of arrival, over the locked rows in memory.

Pure: values in, changed values and a report out. A command that cannot be done leaves no change
behind, because every function checks before it changes anything.
"""

from decimal import Context, Decimal, localcontext
from typing import assert_never

from tradewright.core.errors import ErrorCode, InputError, MoneyError, TradewrightError
from tradewright.core.money import parse_amount
from tradewright.ledger import status_refusal
from tradewright.ledger.model import Holder
from tradewright.risk.margin import Exposure, margin_state
from tradewright.trading import amending, closing, replacing, submission, triggering
from tradewright.trading.amendments import AmendPosition
from tradewright.trading.answers import book_answers
from tradewright.trading.halting import halt_orders
from tradewright.trading.hedges import book_hedge, open_hedge
from tradewright.trading.house_commands import (
    HOUSE,
    BookMeasures,
    LookAgain,
    OpenHedge,
    TellUnpriced,
)
from tradewright.trading.in_flight import flying_charges, flying_exposures, in_flight
from tradewright.trading.liquidation import check_margin
from tradewright.trading.measures import book_measures
from tradewright.trading.model import (
    AccountCommand,
    BookAnswers,
    CancelOrder,
    CheckMargin,
    ClosePosition,
    Command,
    Direction,
    EndReducing,
    ExpireOrder,
    HaltOrders,
    HouseCommand,
    MarginReport,
    MoneyReport,
    MoveMoney,
    MoveStop,
    NothingDone,
    ReplaceOrder,
    Report,
    SubmitOrder,
    TriggerOrder,
)
from tradewright.trading.pairings import CloseBy
from tradewright.trading.pending import binds_pending, bound_beside, held_by, pending_orders
from tradewright.trading.rollovers import roll_over, settle
from tradewright.trading.state import AccountState, Desk
from tradewright.trading.swaps import RollOver, RolloverReport

DECIMAL_DIGITS = 60
"""Enough for exact products of three numeric(20, 8) values."""


def decide(desk: Desk, commands: list[Command]) -> list[Report | TradewrightError]:
    """Decide commands in order; a command that is refused answers with its error."""
    desk.decided_at = desk.market.now
    with localcontext(Context(prec=DECIMAL_DIGITS)):
        return [_decide_one(desk, command) for command in commands]


def _decide_one(desk: Desk, command: Command) -> Report | TradewrightError:
    try:
        if isinstance(command, HouseCommand) or command.account_id == HOUSE:
            return _decide_for_house(desk, command)
        account = _account(desk, command.account_id)
        if account.id in desk.unrolled and not isinstance(command, RollOver):
            settle(desk, account)
        return _dispatch(desk, account, command)
    except TradewrightError as error:
        return error


def _decide_for_house(desk: Desk, command: Command) -> Report:
    match command:
        case BookMeasures():
            return book_measures(desk, command)
        case OpenHedge():
            return open_hedge(desk, command)
        case BookAnswers():
            return book_hedge(desk, command)
        case TellUnpriced():
            return _tell_unpriced(desk, command)
        case LookAgain():
            return _look_at(desk, command)
        case _:
            raise _account_unknown(command.account_id)


def _account(desk: Desk, account_id: str) -> AccountState:
    account = desk.accounts.get(account_id)
    if account is None:
        raise _account_unknown(account_id)
    return account


def _account_unknown(account_id: str) -> InputError:
    return InputError(
        ErrorCode.ACCOUNT_UNKNOWN,
        f'account "{account_id}" does not exist',
        why="Commands name a trading account by its id.",
        hint="Check the account's id.",
        facts={"account_id": account_id},
    )


def _dispatch(  # noqa: PLR0911 (one way out for each kind of command)
    desk: Desk, account: AccountState, command: AccountCommand
) -> Report:
    match command:
        case SubmitOrder():
            return submission.submit(desk, account, command)
        case CancelOrder():
            return submission.cancel(desk, account, command)
        case ReplaceOrder():
            return replacing.replace(desk, account, command)
        case TriggerOrder() | ExpireOrder() | MoveStop() | EndReducing():
            return triggering.follow(desk, account, command)
        case ClosePosition() | CloseBy() | AmendPosition():
            return _on_position(desk, account, command)
        case HaltOrders() | RollOver() | CheckMargin():
            return _step_in(desk, account, command)
        case BookAnswers():
            return book_answers(desk, account, command)
        case MoveMoney():
            return _move_money(desk, account, command)
        case _:
            assert_never(command)


def _on_position(
    desk: Desk, account: AccountState, command: ClosePosition | CloseBy | AmendPosition
) -> Report:
    match command:
        case ClosePosition():
            return closing.close_position(desk, account, command)
        case CloseBy():
            return closing.close_by(desk, account, command)
        case AmendPosition():
            return amending.amend(desk, account, command)
        case _:
            assert_never(command)


def _look_at(desk: Desk, command: LookAgain) -> NothingDone:
    """Note that the engine is to learn what was read of an account, or of the house."""
    desk.looked_at.add(command.account_id)
    return NothingDone("the engine looks and changes nothing")


def _tell_unpriced(desk: Desk, command: TellUnpriced) -> NothingDone:
    """Tell people which prices are missing, and which are not any more."""
    desk.changes.alerts += [
        ("critical", "symbol_unpriced", about, what) for about, what in command.lost
    ]
    desk.changes.priced_again += command.again
    return NothingDone("people are told")


def _step_in(
    desk: Desk, account: AccountState, command: HaltOrders | RollOver | CheckMargin
) -> MarginReport | RolloverReport | NothingDone:
    """Do what the house does by itself: cancel under a kill, roll over, or look at the margin."""
    if isinstance(command, RollOver):
        return roll_over(desk, account, command)
    if isinstance(command, HaltOrders):
        return halt_orders(desk, account)
    return check_margin(desk, account, command)


def _move_money(desk: Desk, account: AccountState, command: MoveMoney) -> MoneyReport:
    """Move money between the account and its owner's wallet, once per transaction id.

    Raises:
        InputError: what `parse_amount` raises.
        MoneyError: MONEY_IDEMPOTENCY_CONFLICT, ACCOUNT_NOT_ACTIVE, MONEY_WALLET_FROZEN,
            MONEY_WALLET_CLOSED, MONEY_INSUFFICIENT_FUNDS.
        StateError: ORDER_RATE_MISSING, when the commission of an order in flight has no value.

    """
    amount = parse_amount(command.amount, account.profile.currency).amount
    holder = account.holder
    wallet = desk.wallets.get((holder.user_id, holder.currency))
    to_wallet = command.direction is Direction.TO_WALLET
    giver, receiver = (holder, wallet) if to_wallet else (wallet, holder)
    if _was_moved(desk, command, (giver, receiver), amount):
        return MoneyReport(account.id, holder.available, is_replay=True)
    if not account.is_active:
        raise MoneyError(
            ErrorCode.ACCOUNT_NOT_ACTIVE,
            f'account "{account.id}" is not active',
            why="The account or its owner is suspended or closed.",
            hint="Ask the broker to reopen it.",
        )
    if (refusal := status_refusal(giver, receiver)) is not None:
        raise refusal
    in_wallet = wallet.available if wallet is not None else Decimal(0)
    free = _movable(desk, account) if to_wallet else in_wallet
    if giver is None or receiver is None or free < amount:
        raise MoneyError(
            ErrorCode.MONEY_INSUFFICIENT_FUNDS,
            f"{free:.2f} {holder.currency} can be moved, {amount} are asked for",
            why="What leaves an account must be free of the margin of its positions and of its "
            "orders with providers, or at rest where those bind, without what the house lends; and "
            "a wallet is never overdrawn.",
            hint="Close positions, deposit more, or ask for less.",
        )
    desk.journal.pass_on(giver, receiver, amount, transaction_id=command.transaction_id)
    for operation, one in (("transfer_out", giver), ("transfer_in", receiver)):
        desk.entries_before[command.transaction_id, operation] = (one.id, amount)
    return MoneyReport(account.id, holder.available)


def _was_moved(
    desk: Desk, command: MoveMoney, between: tuple[Holder | None, Holder | None], amount: Decimal
) -> bool:
    """Return whether just this was moved before; something else under its key is refused."""
    before = [
        desk.entries_before.get((command.transaction_id, operation))
        for operation in ("transfer_out", "transfer_in")
    ]
    if before == [None, None]:
        return False
    if before != [None if one is None else (one.id, amount) for one in between]:
        raise _conflict(command)
    return True


def _movable(desk: Desk, account: AccountState) -> Decimal:
    """Return what may leave the account: the smaller of balance and free margin, never below 0.

    Orders that providers have not answered count as if they had dealt. Credit frees nothing here:
    it would carry alone what the client's own money carries with it.
    """
    flying = flying_exposures(desk, account, in_flight(account))
    if flying is None:
        return Decimal(0)
    exposures = [position.exposure() for position in account.open_positions] + flying
    state = margin_state(account.profile, account.holder.available, exposures, desk.market)
    bound = _bound_at_rest(desk, account, exposures)
    if state is None or bound is None:
        return Decimal(0)
    free = state.own - state.used - bound - flying_charges(desk, account)
    return max(Decimal(0), min(account.holder.available, free))


def _bound_at_rest(desk: Desk, account: AccountState, exposures: list[Exposure]) -> Decimal | None:
    """Return what orders that rest bind beside exposures; None when a price or rate is missing."""
    if not binds_pending(account):
        return Decimal(0)
    return bound_beside(desk.market, account, held_by(account), pending_orders(account), exposures)


def _conflict(command: MoveMoney) -> MoneyError:
    return MoneyError(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'transaction "{command.transaction_id}" has already moved money with other contents',
        why="A transaction id stands for one movement for ever.",
        hint="Use a new transaction id for a new movement.",
    )
