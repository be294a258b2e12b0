"""What clients write to an engine and what they read: one JSON object a line, both ways.

A line names its `command` and gives the fields of that command in `trading.model`, from which lines
are made; amounts may be text or numbers and are read exactly. What the house alone may ask for
cannot be said here. Every command carries a key of its client, so a line that was sent before is
answered, never done again.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct, defstruct, structs

from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.core.money import read_number
from tradewright.trading.amendments import AmendPosition, Level
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Command,
    MoveMoney,
    ReplaceOrder,
    Report,
    SubmitOrder,
)
from tradewright.trading.pairings import CloseBy

_WORDS: Mapping[str, type[Struct]] = {
    "submit_order": SubmitOrder,
    "cancel_order": CancelOrder,
    "replace_order": ReplaceOrder,
    "close_position": ClosePosition,
    "close_by": CloseBy,
    "amend_position": AmendPosition,
    "move_money": MoveMoney,
}
"""What may be said, and what it asks the engine for."""

_OF_THE_HOUSE = frozenset({"origin"})
"""Fields by which the house tells its own commands from a client's: no line has them."""

_KEYS = frozenset({"client_order_id"})
"""Fields that the house may leave empty and a client may not."""


def _said_as(field: Any) -> Any:
    """Return how a field's value is read: a number as it stands, to be looked at closely."""
    return Raw if field in {Decimal, Decimal | None, Level} else field


def _line(word: str, command: type[Struct]) -> type[Struct]:
    """Return what a line for a command has: its fields, and no other word."""
    named: list[Any] = [
        (one.name, str)
        if one.name in _KEYS
        else (one.name, _said_as(one.type), msgspec.NODEFAULT if one.required else one.default)
        for one in structs.fields(command)
        if one.name not in _OF_THE_HOUSE
    ]
    return defstruct(
        word,
        named,
        tag_field="command",
        tag=word,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


_COMMANDS = {_line(word, command): command for word, command in _WORDS.items()}

_NUMBERS_ASKED_FOR = {
    (command, one.name)
    for command in _WORDS.values()
    for one in structs.fields(command)
    if one.type is Decimal
}
"""Fields that are numbers and never null."""

_READER: msgspec.json.Decoder[Struct] = msgspec.json.Decoder(reduce(or_, _COMMANDS))


def read_command(line: bytes) -> Command:
    """Return what a line asks for.

    Raises:
        InputError: INPUT_COMMAND_MALFORMED.

    """
    try:
        said = _READER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(str(error)) from None
    command = _COMMANDS[type(said)]
    fields = {
        name: _number(name, value, command) if isinstance(value, Raw) else value
        for name, value in structs.asdict(said).items()
    }
    return cast("Command", command(**fields))


def _number(name: str, said: Raw, command: type[Struct]) -> Decimal | None:
    """Return a number that is written in digits, as text or as JSON's own."""
    text = bytes(said).decode(errors="replace")
    if text == "null" and (command, name) not in _NUMBERS_ASKED_FOR:
        return None
    number = read_number(text.removeprefix('"').removesuffix('"'))
    if number is None:
        raise malformed(f"{text[:40]} is not a number written in digits - at `$.{name}`")
    return number


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
    """Return the line that answers a command that was done; its numbers are without exponents."""
    facts = {
        name: f"{fact:f}" if isinstance(fact, Decimal) else fact
        for name, fact in structs.asdict(report).items()
    }
    return msgspec.json.encode({"report": facts}) + b"\n"


def written_error(error: TradewrightError) -> bytes:
    """Return the line that answers a command that was refused, or could not be booked."""
    return msgspec.json.encode({"error": error.as_dict()}) + b"\n"
