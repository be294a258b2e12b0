"""What a client's line may say: the fields of its command, its key, and no word of the house."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec import structs

from tradewright.core.errors import ErrorCode, InputError
from tradewright.server.commands import read_command
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Command,
    MoveMoney,
    ReplaceOrder,
    SubmitOrder,
)
from tradewright.trading.pairings import CloseBy

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "order-line.md"
SAID = (SubmitOrder, CancelOrder, ReplaceOrder, ClosePosition, CloseBy, MoveMoney)
CLOSE = {"command": "close_position", "account_id": "a", "position_id": "p", "symbol": "EURUSD"}


def word_of(command: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", command.__name__).lower()


def refusal(line: object) -> InputError:
    with pytest.raises(InputError) as caught:
        read_command(msgspec.json.encode(line))
    assert caught.value.code is ErrorCode.INPUT_COMMAND_MALFORMED
    return caught.value


def test_a_line_becomes_its_command() -> None:
    line = CLOSE | {"client_order_id": "c-1", "quantity": "1000.50"}
    command = read_command(msgspec.json.encode(line))
    assert isinstance(command, ClosePosition)
    assert str(command.quantity) == "1000.50"


def test_what_the_house_alone_asks_for_cannot_be_said() -> None:
    for command in set(get_args(Command)) - set(SAID):
        assert "command" in refusal({"command": word_of(command), "account_id": "a"}).why


def test_a_client_cannot_speak_for_the_house() -> None:
    line = CLOSE | {"client_order_id": "c-1", "origin": "stop_out"}
    assert "unknown field `origin`" in refusal(line).why


def test_what_the_house_may_leave_empty_a_client_names() -> None:
    assert "missing required field `client_order_id`" in refusal(CLOSE).why


def test_every_word_that_may_be_said_stands_on_its_page() -> None:
    page = PAGE.read_text()
    for command in SAID:
        names = {one.name for one in structs.fields(command)} - {"origin"}
        assert {name for name in {word_of(command), *names} if f"`{name}`" not in page} == set()
