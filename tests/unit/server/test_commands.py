"""What a client's line may say: the fields of its command, its key, and no word of the house."""

import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec import structs

from tradewright.core.errors import ErrorCode, InputError
from tradewright.server.commands import read_command, written_report
from tradewright.trading.amendments import AmendPosition
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    Command,
    MoveMoney,
    OrderReport,
    OrderStatus,
    ReplaceOrder,
    SubmitOrder,
)
from tradewright.trading.pairings import CloseBy

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "order-line.md"
SAID = (SubmitOrder, CancelOrder, ReplaceOrder, ClosePosition, CloseBy, AmendPosition, MoveMoney)
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


MOVE = {"command": "move_money", "account_id": "a", "direction": "to_account"}
MOVE |= {"transaction_id": "t"}


@pytest.mark.parametrize(
    "said", ["1_000", " 5 ", "\u0663", "NaN", "Infinity", "", "0x10", "1,5", "1e9999", "9" * 99]
)
def test_a_number_is_written_in_digits_and_nothing_else(said: str) -> None:
    assert "at `$.amount`" in refusal(MOVE | {"amount": said}).why


def test_a_number_that_is_asked_for_is_no_null_and_no_word() -> None:
    for said in (None, True, [1], {"a": 1}):
        assert "at `$.amount`" in refusal(MOVE | {"amount": said}).why
    line = CLOSE | {"client_order_id": "c-1", "quantity": None}
    command = read_command(msgspec.json.encode(line))
    assert isinstance(command, ClosePosition)
    assert command.quantity is None


def test_a_number_may_be_text_or_json_s_own_and_is_exact() -> None:
    for said in (b'"12.30"', b"12.30"):
        line = msgspec.json.encode(MOVE)[:-1] + b',"amount":' + said + b"}"
        command = read_command(line)
        assert isinstance(command, MoveMoney)
        assert str(command.amount) == "12.30"


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


def test_numbers_are_answered_without_exponents() -> None:
    report = OrderReport("o", "c", OrderStatus.CANCELED, Decimal("0E-8"), None)
    told = msgspec.json.decode(written_report(report))["report"]
    assert (told["filled_quantity"], told["status"]) == ("0.00000000", "canceled")
