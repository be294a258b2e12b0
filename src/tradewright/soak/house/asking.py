"""From a drawn command to a request over HTTP, and from its answer to what was promised.

What was promised is said in the words of `soak.trading`, whose arithmetic holds it afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.soak.house.commands import PRICES, REST_AWAY, Command, Kind
from tradewright.soak.house.stage import Seat
from tradewright.soak.trading.asking import Outcome
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Direction,
    MoneyReport,
    MoveMoney,
    OrderReport,
    OrderStatus,
    OrderType,
    RefusedBy,
    ReplaceOrder,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.model import Command as Sent

_TICK = Decimal("0.00001")
_CENT = Decimal("0.01")
LOOK_BACK_MAX = 30
"""How far back a command refers to earlier ones: most of what they made still lives."""

REPEATABLE = frozenset(
    {Kind.ORDER, Kind.REST, Kind.CLOSE, Kind.TO_ACCOUNT, Kind.TO_WALLET, Kind.WITHDRAW}
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted; `sent` is what it asks the engine for, and None for a payment."""

    seat: int
    path: str
    body: Mapping[str, Any]
    sent: Sent | None = None


@dataclass(slots=True)
class Asked:
    """A command with what was posted for it, and what became of it.

    `status` is that of the answer that counts; `target` is the command that this one repeats or
    contradicts.
    """

    command: Command
    outcome: Outcome
    request: Request | None = None
    status: int = 0
    target: "Asked | None" = None

    @property
    def order_id(self) -> str | None:
        """Return the id of the order that it made, if it has."""
        report = self.outcome.report
        return report.order_id if isinstance(report, OrderReport) else None


@dataclass(slots=True)
class Memory:
    """What a client remembers: what it has asked, and what was open when it looked last."""

    seats: Sequence[Seat]
    asked: list[Asked] = field(default_factory=list)

    def request(self, command: Command, held: Sequence[Mapping[str, Any]]) -> Request | None:
        """Return what to post for a command; None where there is nothing to do."""
        account_id, key = self.seats[command.seat].account_id, command.key
        match command.kind:
            case Kind.ORDER | Kind.REST:
                return _order(command, account_id)
            case Kind.TO_ACCOUNT | Kind.TO_WALLET:
                return _transfer(command, account_id)
            case Kind.WITHDRAW:
                body = {"payment_id": key, "kind": "withdrawal", "amount": str(command.amount)}
                body |= {"currency": "USD", "provider": "cards", "destination": "card-1"}
                return Request(command.seat, "/v1/payments", body)
            case Kind.CLOSE:
                return _close(command, account_id, held)
            case Kind.CANCEL | Kind.REPLACE:
                return self._of_resting(command)
            case _:
                return None

    def target(self, command: Command) -> Asked | None:
        """Return the earlier command that one repeats or contradicts."""
        done = [
            each
            for each in self.asked[-LOOK_BACK_MAX:]
            if each.outcome.word == "done" and each.command.kind in REPEATABLE
        ]
        return done[command.pick % len(done)] if done else None

    def _of_resting(self, command: Command) -> Request | None:
        resting = [
            each
            for each in self.asked[-LOOK_BACK_MAX:]
            if each.command.kind is Kind.REST and each.order_id is not None
        ]
        if not resting:
            return None
        target = resting[command.pick % len(resting)]
        if target.request is None or not isinstance(target.request.sent, SubmitOrder):
            return None
        first, path = target.request.sent, f"/v1/orders/{target.order_id}"
        if command.kind is Kind.CANCEL:
            cancel = CancelOrder(account_id=first.account_id, client_order_id=first.client_order_id)
            return Request(target.request.seat, f"{path}/cancel", {}, cancel)
        body = {"client_order_id": command.key, "quantity": str(command.quantity)}
        replace = ReplaceOrder(
            account_id=first.account_id,
            client_order_id=first.client_order_id,
            new_client_order_id=command.key,
            quantity=command.quantity,
        )
        return Request(target.request.seat, f"{path}/replace", body, replace)


def contradicting(request: Request) -> Request:
    """Return a request that asks for another amount under the same key."""
    name = "amount" if "amount" in request.body else "quantity"
    other = Decimal(str(request.body.get(name) or 0)) + 1_000
    return Request(request.seat, request.path, {**request.body, name: str(other)}, None)


def report_of(request: Request, told: Mapping[str, Any]) -> OrderReport | MoneyReport | None:
    """Return what an answer reports of an order or of money."""
    match request.sent:
        case None:
            return None
        case MoveMoney(account_id=account_id):
            return MoneyReport(
                account_id=account_id,
                balance=Decimal(str(told["balance"])),
                is_replay=told["is_replay"],
            )
        case _:
            average, refused, code = (
                told[name] for name in ("average_price", "refused_by", "refusal_code")
            )
            return OrderReport(
                order_id=told["order_id"],
                client_order_id=told["client_order_id"],
                status=OrderStatus(told["status"]),
                filled_quantity=Decimal(str(told["filled_quantity"])),
                average_price=None if average is None else Decimal(str(average)),
                refused_by=None if refused is None else RefusedBy(refused),
                refusal_code=None if code is None else ErrorCode(code),
                is_routed=told["is_awaited"],
                is_replay=told["is_replay"],
            )


def _order(command: Command, account_id: str) -> Request:
    is_resting = command.kind is Kind.REST
    submission = SubmitOrder(
        account_id=account_id,
        client_order_id=command.key,
        symbol=command.symbol,
        side=command.side,
        quantity=command.quantity,
        order_type=OrderType.LIMIT if is_resting else OrderType.MARKET,
        time_in_force=TimeInForce.GTC if is_resting else TimeInForce.IOC,
        limit_price=_away(command) if is_resting else None,
    )
    body = {
        "client_order_id": command.key,
        "symbol": command.symbol,
        "side": str(command.side),
        "quantity": str(command.quantity),
    }
    if is_resting:
        body |= {
            "order_type": str(OrderType.LIMIT),
            "time_in_force": str(TimeInForce.GTC),
            "limit_price": str(submission.limit_price),
        }
    return Request(command.seat, f"/v1/accounts/{account_id}/orders", body, submission)


def _away(command: Command) -> Decimal:
    bid, ask = (Decimal(price) for price in PRICES[command.symbol])
    is_buy = command.side is Side.BUY
    return (bid * (1 - REST_AWAY) if is_buy else ask * (1 + REST_AWAY)).quantize(_TICK)


def _transfer(command: Command, account_id: str) -> Request:
    direction = Direction(command.kind)
    body = {"direction": str(direction), "transaction_id": command.key}
    body["amount"] = str(command.amount.quantize(_CENT))
    move = MoveMoney(
        account_id=account_id,
        direction=direction,
        amount=command.amount,
        transaction_id=command.key,
    )
    return Request(command.seat, f"/v1/accounts/{account_id}/transfers", body, move)


def _close(command: Command, account_id: str, held: Sequence[Mapping[str, Any]]) -> Request | None:
    if not held:
        return None
    position = held[command.pick % len(held)]
    close = ClosePosition(
        account_id=account_id,
        position_id=position["id"],
        symbol=position["symbol"],
        quantity=None,
        client_order_id=command.key,
    )
    body = {"client_order_id": command.key}
    return Request(command.seat, f"/v1/positions/{position['id']}/close", body, close)
