"""What clients write to an engine and what they read: one JSON object a line, both ways.

A line names its `command` and gives the fields of that command in `trading.model`; amounts may be
text or numbers and are read exactly. What the house alone may ask for cannot be said here. Every
command carries a key of its client, so a line that was sent before is answered, never done again.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import Struct, structs

from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.liquidity.model import Side
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Command,
    Direction,
    MoveMoney,
    OrderType,
    ReplaceOrder,
    Report,
    SubmitOrder,
    TimeInForce,
    TrailingUnit,
)
from tradewright.trading.pairings import CloseBy


class _Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """What every line has; a word that is no field of its command is refused."""

    account_id: str


class _Submit(_Line, frozen=True, kw_only=True, tag="submit_order"):
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.IOC
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    expires_at: datetime | None = None
    position_id: str | None = None
    trailing_distance: Decimal | None = None
    trailing_unit: TrailingUnit = TrailingUnit.PRICE
    is_reduce_only: bool = False
    is_post_only: bool = False
    oco_group: str | None = None
    metadata: Mapping[str, object] | None = None


class _Cancel(_Line, frozen=True, kw_only=True, tag="cancel_order"):
    client_order_id: str


class _Replace(_Line, frozen=True, kw_only=True, tag="replace_order"):
    client_order_id: str
    new_client_order_id: str
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class _Close(_Line, frozen=True, kw_only=True, tag="close_position"):
    position_id: str
    symbol: str
    client_order_id: str
    quantity: Decimal | None = None


class _CloseBy(_Line, frozen=True, kw_only=True, tag="close_by"):
    close_by_id: str
    position_id: str
    by_position_id: str
    symbol: str


class _Move(_Line, frozen=True, kw_only=True, tag="move_money"):
    direction: Direction
    amount: Decimal
    transaction_id: str


_COMMANDS: Mapping[type[_Line], type[Command]] = {
    _Submit: SubmitOrder,
    _Cancel: CancelOrder,
    _Replace: ReplaceOrder,
    _Close: ClosePosition,
    _CloseBy: CloseBy,
    _Move: MoveMoney,
}
"""What may be said, and what it asks the engine for."""

_READER = msgspec.json.Decoder(_Submit | _Cancel | _Replace | _Close | _CloseBy | _Move)


def read_command(line: bytes) -> Command:
    """Return what a line asks for.

    Raises:
        InputError: INPUT_COMMAND_MALFORMED.

    """
    try:
        said = _READER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(str(error)) from None
    return _COMMANDS[type(said)](**structs.asdict(said))


def malformed(why: str) -> InputError:
    """Return the refusal of a line that says nothing that could be done."""
    return InputError(
        ErrorCode.INPUT_COMMAND_MALFORMED,
        "a line is not a command",
        why=f"{why}.",
        hint="Send one JSON object a line, with its command and the fields of that command: "
        "docs/reference/order-line.md.",
    )


def written_report(report: Report) -> bytes:
    """Return the line that answers a command that was done."""
    return msgspec.json.encode({"report": report}) + b"\n"


def written_error(error: TradewrightError) -> bytes:
    """Return the line that answers a command that was refused, or could not be booked."""
    return msgspec.json.encode({"error": error.as_dict()}) + b"\n"
