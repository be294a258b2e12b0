"""From a drawn command to what is sent: prices from the market as shown, positions as open now.

None is sent where there is nothing to do: no price yet, no position to close, no earlier command
that was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from tradewright.liquidity.model import Quote, Side
from tradewright.soak.trading.commands import QUANTITY_STEP, Command, Kind, Wish
from tradewright.trading.amendments import AmendPosition, Level
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Direction,
    MoveMoney,
    OrderType,
    ReplaceOrder,
    Report,
    SubmitOrder,
    TimeInForce,
    TrailingUnit,
)
from tradewright.trading.model import Command as Sent
from tradewright.trading.pairings import CloseBy

CENT = Decimal("0.01")
OTHER_QUANTITY = Decimal(9_999_000)
"""More than is ever drawn."""

OTHER_LEVEL = Decimal("0.00001")
"""A level that is never drawn."""


@dataclass(frozen=True, slots=True)
class Held:
    """An open position of an account as its client reads it."""

    id: str
    symbol: str
    quantity: Decimal


@dataclass(slots=True)
class Outcome:
    """What became of one command.

    `word` is done, refused (with a code), nothing (the engine had nothing to do), skipped (nothing
    was sent) or unresolved. `unknowns` counts how often the connection was lost over it, and
    `was_committed` says that a repeat found it done.
    """

    number: int
    word: str = "skipped"
    code: str = ""
    sent: Sent | None = None
    report: Report | None = None
    unknowns: int = 0
    was_committed: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a client looks at: its accounts, the market as shown, its positions, its outcomes."""

    account_ids: Sequence[str]
    shown: Mapping[str, Quote]
    held: Sequence[Held]
    outcomes: Sequence[Outcome]

    def asked(self, command: Command) -> Sent | None:
        """Return what a command sends."""
        if command.target is not None:
            return self._again(command, self.outcomes[command.target])
        account_id = self.account_ids[command.account]
        match command.kind:
            case Kind.SUBMIT:
                return self._submission(account_id, command)
            case Kind.TO_ACCOUNT | Kind.TO_WALLET:
                return MoveMoney(
                    account_id=account_id,
                    direction=Direction(command.kind),
                    amount=command.amount,
                    transaction_id=command.key,
                )
            case Kind.CLOSE_BY:
                return self._pairing(account_id, command)
            case Kind.AMEND:
                return self._amendment(account_id, command)
            case _:
                return self._close(account_id, command)

    def _submission(self, account_id: str, command: Command) -> SubmitOrder | None:
        wish, quote = command.wish, self.shown.get(command.wish.symbol)
        if quote is None:
            return None
        tick = _tick(quote)
        touch = quote.ask if wish.side is Side.BUY else quote.bid
        away, beyond = _protection(wish, touch, tick)
        return SubmitOrder(
            account_id=account_id,
            client_order_id=command.key,
            symbol=wish.symbol,
            side=wish.side,
            quantity=wish.quantity,
            order_type=wish.order_type,
            time_in_force=wish.time_in_force,
            limit_price=_limit(wish, touch, tick),
            stop_price=_stop(wish, touch, tick),
            trailing_distance=_trailing(wish, tick),
            trailing_unit=wish.trailing[1],
            stop_loss=away,
            take_profit=beyond,
            expires_at=_expiry(wish, quote),
            is_reduce_only=_only_reduces(wish),
            is_post_only=wish.is_post_only,
            oco_group=None if wish.oco_group is None else f"{wish.oco_group}-{wish.symbol}",
        )

    def _close(self, account_id: str, command: Command) -> ClosePosition | SubmitOrder | None:
        """Return the close of a position: whole, in part, or by an order that names it."""
        if not self.held:
            return None
        held = self.held[command.pick % len(self.held)]
        size = abs(held.quantity)
        part = size * command.share // 100 // QUANTITY_STEP * QUANTITY_STEP or size
        if command.kind is Kind.CLOSE_BY_ORDER:
            return SubmitOrder(
                account_id=account_id,
                client_order_id=command.key,
                symbol=held.symbol,
                side=Side.SELL if held.quantity > 0 else Side.BUY,
                quantity=part,
                position_id=held.id,
            )
        return ClosePosition(
            account_id=account_id,
            position_id=held.id,
            symbol=held.symbol,
            client_order_id=command.key,
            quantity=part if command.kind is Kind.CLOSE_PART else None,
        )

    def _pairing(self, account_id: str, command: Command) -> CloseBy | None:
        pairs = [
            (one, other)
            for one in self.held
            for other in self.held
            if one.symbol == other.symbol and one.quantity > 0 > other.quantity
        ]
        if not pairs:
            return None
        one, other = pairs[command.pick % len(pairs)]
        return CloseBy(
            account_id=account_id,
            close_by_id=command.key,
            position_id=one.id,
            by_position_id=other.id,
            symbol=one.symbol,
        )

    def _amendment(self, account_id: str, command: Command) -> AmendPosition | None:
        """Return what sets, moves or removes the levels of a position, as they are drawn."""
        if not self.held:
            return None
        held = self.held[command.pick % len(self.held)]
        quote = self.shown.get(held.symbol)
        if quote is None:
            return None
        signed = _tick(quote) if held.quantity > 0 else -_tick(quote)
        touch = quote.bid if held.quantity > 0 else quote.ask
        return AmendPosition(
            account_id=account_id,
            amendment_id=command.key,
            position_id=held.id,
            symbol=held.symbol,
            stop_loss=_amended(command.share, command.wish.stop_loss, touch, -signed),
            take_profit=_amended(command.share // 10, command.wish.take_profit, touch, signed),
        )

    def _again(self, command: Command, target: Outcome) -> Sent | None:
        """Return what refers to an earlier command: its cancel, its repeat, its contradiction."""
        before = target.sent
        if before is None or target.word != "done":
            return None
        if command.kind is Kind.REPEAT:
            return before
        if command.kind is Kind.CONTRADICT:
            return _contradicted(before)
        if isinstance(before, SubmitOrder) and command.kind is Kind.REPLACE:
            return _replacement(before, command)
        if isinstance(before, SubmitOrder):
            key = before.client_order_id
            return CancelOrder(account_id=before.account_id, client_order_id=key)
        return None


def _tick(quote: Quote) -> Decimal:
    return Decimal(1).scaleb(int(quote.bid.as_tuple().exponent))


def _amended(drawn: int, ticks: int | None, touch: Decimal, away: Decimal) -> Level:
    """Return a level so many ticks away, None to remove it, or UNSET to leave it.

    Now and then it is at the price itself, and refused.
    """
    if drawn % 5 == 0:
        return UNSET
    return None if ticks is None else touch + (ticks - 8) * away


def _limit(wish: Wish, touch: Decimal, tick: Decimal) -> Decimal | None:
    """Return a limit that is away from the market, or beyond it where the distance is negative.

    A stop limit may deal up to 20 ticks worse than its stop.
    """
    if wish.order_type is OrderType.STOP_LIMIT:
        return touch + (wish.distance + 20) * wish.side.sign * tick
    if wish.order_type is not OrderType.LIMIT:
        return None
    return touch - wish.distance * wish.side.sign * tick


def _stop(wish: Wish, touch: Decimal, tick: Decimal) -> Decimal | None:
    """Return a stop on the side of loss, or a take profit on the side of gain."""
    if wish.order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
        return touch + wish.distance * wish.side.sign * tick
    if wish.order_type is OrderType.TAKE_PROFIT:
        return touch - wish.distance * wish.side.sign * tick
    return None


def _trailing(wish: Wish, tick: Decimal) -> Decimal | None:
    """Return how far a trailing stop stays behind, in its unit."""
    if wish.order_type is not OrderType.TRAILING_STOP:
        return None
    ticks, unit = wish.trailing
    match unit:
        case TrailingUnit.PRICE:
            return ticks * tick
        case TrailingUnit.TICKS:
            return Decimal(ticks)
        case TrailingUnit.BPS:
            return Decimal(ticks) / 10


def _expiry(wish: Wish, quote: Quote) -> datetime | None:
    if wish.time_in_force is not TimeInForce.GTD:
        return None
    return quote.quoted_at + timedelta(seconds=wish.lives_for)


def _only_reduces(wish: Wish) -> bool:
    return wish.is_reduce_only or wish.order_type is OrderType.TAKE_PROFIT


def _protection(wish: Wish, touch: Decimal, tick: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return stop-loss and take-profit of what the order opens, if it may open anything."""
    if _only_reduces(wish):
        return None, None
    signed = wish.side.sign * tick
    return (
        None if wish.stop_loss is None else touch - wish.stop_loss * signed,
        None if wish.take_profit is None else touch + wish.take_profit * signed,
    )


def _replacement(before: SubmitOrder, command: Command) -> ReplaceOrder:
    """Return a replacement of an order by the quantity and the limit that are drawn."""
    shift = Decimal(command.pick % 21 - 10) * before.side.sign
    limit = before.limit_price
    tick = Decimal(1) if limit is None else Decimal(1).scaleb(int(limit.as_tuple().exponent))
    return ReplaceOrder(
        account_id=before.account_id,
        client_order_id=before.client_order_id,
        new_client_order_id=command.key,
        quantity=command.wish.quantity if command.share % 2 else None,
        limit_price=None if limit is None else limit + shift * tick,
    )


def _contradicted(before: Sent) -> Sent | None:
    """Return the same key with other contents."""
    if isinstance(before, SubmitOrder):
        return replace(before, side=before.side.opposite)
    if isinstance(before, ReplaceOrder):
        return replace(before, quantity=OTHER_QUANTITY)
    if isinstance(before, MoveMoney):
        return replace(before, amount=before.amount + CENT)
    if isinstance(before, AmendPosition):
        return replace(before, stop_loss=OTHER_LEVEL)
    if isinstance(before, CloseBy):
        swapped = before.by_position_id, before.position_id
        return replace(before, position_id=swapped[0], by_position_id=swapped[1])
    return None
