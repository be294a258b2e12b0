"""What a client gets wrong: an error with code and hint, and not one row more or less."""

from decimal import Decimal
from typing import Any

import pytest

from tests.floor import Floor, ask, buy, order, refusal, row_counts
from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.trading.model import (
    Command,
    Direction,
    MoveMoney,
    OrderType,
    TimeInForce,
)

STEP = "Give a multiple of 1000 from 1000 upwards."
TICK = "Give a multiple of 0.00001."
FIELDS = "Give the fields of one order type only."


def refused(floor: Floor, command: Command) -> TradewrightError:
    """Submit a command that must be refused without a trace, alone and among others."""
    with floor.engine() as engine:
        before = row_counts(floor.session)
        error = refusal(lambda: ask(engine, command))
        assert row_counts(floor.session) == before
        together = refusal(lambda: [f.result(30) for f in engine.submit_together([command] * 2)])
        engine.wait_until_idle()
        assert together.code is error.code
        assert row_counts(floor.session) == before
    assert error.why
    return error


@pytest.mark.parametrize(
    ("fields", "code", "hint"),
    [
        (
            {"symbol": "ABCDEF"},
            ErrorCode.INSTRUMENT_UNKNOWN,
            "Use one of EURGBP, EURUSD, GBPUSD, USDJPY.",
        ),
        ({"quantity": 1500}, ErrorCode.ORDER_QUANTITY_OFF_STEP, "Give 1000 or 2000."),
        (
            {"quantity": "1000.00000001"},
            ErrorCode.ORDER_QUANTITY_OFF_STEP,
            "Give 1000.00000000 or 2000.00000000.",
        ),
        ({"quantity": 999}, ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE, "Give 1000 or more."),
        ({"quantity": "1e-30"}, ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE, "Give 1000 or more."),
        ({"quantity": "NaN"}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"quantity": "sNaN"}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"quantity": "Infinity"}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"quantity": -1000}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"quantity": 0}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"quantity": "1e15"}, ErrorCode.ORDER_QUANTITY_MALFORMED, STEP),
        ({"limit_price": "NaN"}, ErrorCode.ORDER_PRICE_MALFORMED, TICK),
        ({"limit_price": "-1.1"}, ErrorCode.ORDER_PRICE_MALFORMED, TICK),
        ({"stop_price": "0"}, ErrorCode.ORDER_PRICE_MALFORMED, TICK),
        ({"stop_loss": "Infinity"}, ErrorCode.ORDER_PRICE_MALFORMED, TICK),
        (
            {"take_profit": "1.200005"},
            ErrorCode.ORDER_PRICE_OFF_TICK,
            "Give 1.200000 or 1.200010.",
        ),
        (
            {"limit_price": "1.1000000000001"},
            ErrorCode.ORDER_PRICE_OFF_TICK,
            "Give 1.1000000000000 or 1.1000100000000.",
        ),
        (
            {"limit_price": "1.1", "order_type": OrderType.MARKET},
            ErrorCode.ORDER_FIELDS_CONTRADICT,
            FIELDS,
        ),
        ({"order_type": OrderType.LIMIT}, ErrorCode.ORDER_FIELDS_CONTRADICT, FIELDS),
        ({"order_type": OrderType.STOP}, ErrorCode.ORDER_FIELDS_CONTRADICT, FIELDS),
        ({"time_in_force": TimeInForce.GTC}, ErrorCode.ORDER_FIELDS_CONTRADICT, FIELDS),
        (
            {"stop_price": "1.2", "time_in_force": TimeInForce.IOC},
            ErrorCode.ORDER_FIELDS_CONTRADICT,
            FIELDS,
        ),
        (
            {"client_order_id": "my order"},
            ErrorCode.ORDER_KEY_MALFORMED,
            "Give each order a key of your own in these characters.",
        ),
        (
            {"client_order_id": "x" * 65},
            ErrorCode.ORDER_KEY_MALFORMED,
            "Give each order a key of your own in these characters.",
        ),
        (
            {"client_order_id": ""},
            ErrorCode.ORDER_KEY_MALFORMED,
            "Give each order a key of your own in these characters.",
        ),
    ],
)
def test_an_order_that_means_nothing_is_refused_without_a_trace(
    floor: Floor, fields: dict[str, Any], code: ErrorCode, hint: str
) -> None:
    account = floor.account()
    fields = {"quantity": 10_000} | fields
    error = refused(floor, order(account, Side.BUY, **fields))
    assert isinstance(error, InputError)
    assert (error.code, error.hint) == (code, hint)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("amount", "code", "hint"),
    [
        (
            "NaN",
            ErrorCode.INPUT_AMOUNT_MALFORMED,
            "Write digits with a point, such as 125.50.",
        ),
        (
            "Infinity",
            ErrorCode.INPUT_AMOUNT_MALFORMED,
            "Write digits with a point, such as 125.50.",
        ),
        ("-1", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE, "Give an amount greater than zero."),
        ("0", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE, "Give an amount greater than zero."),
        (
            "1.001",
            ErrorCode.INPUT_AMOUNT_OVER_SCALED,
            "Give a multiple of 0.01 USD; nothing is rounded for you.",
        ),
        ("1e13", ErrorCode.INPUT_AMOUNT_TOO_LARGE, "Give at most 999999999999.99999999."),
        (
            "5000",
            ErrorCode.MONEY_INSUFFICIENT_FUNDS,
            "Close positions, deposit more, or ask for less.",
        ),
    ],
)
def test_money_that_means_nothing_is_not_moved(
    floor: Floor, direction: Direction, amount: str, code: ErrorCode, hint: str
) -> None:
    account = floor.account("0")  # whose owner has no wallet yet
    command = MoveMoney(
        account_id=account,
        direction=direction,
        amount=Decimal(amount),
        transaction_id=new_id_text(),
    )
    error = refused(floor, command)
    assert (error.code, error.hint) == (code, hint)
    assert floor.one("SELECT count(*) FROM user_balances") == 0


@pytest.mark.parametrize("amount", ["1", "NaN", "-1", "0.001"])
@pytest.mark.parametrize("direction", Direction)
def test_an_account_that_is_not_there_is_told_first_by_the_engine_and_the_functions_alike(
    floor: Floor, direction: Direction, amount: str
) -> None:
    key, account, stranger = new_id_text(), floor.account("100"), new_id_text()
    functions = {
        Direction.TO_ACCOUNT: ledger.transfer_to_account,
        Direction.TO_WALLET: ledger.transfer_to_wallet,
    }
    ledger.transfer_to_wallet(floor.session, account, Decimal(1), transaction_id=key)
    told = [
        refusal(
            lambda: functions[direction](
                floor.session, stranger, Decimal(amount), transaction_id=key
            )
        ),
        refused(
            floor,
            MoveMoney(
                account_id=stranger,
                direction=direction,
                amount=Decimal(amount),
                transaction_id=key,
            ),
        ),
    ]
    assert [one.code for one in told] == [ErrorCode.ACCOUNT_UNKNOWN] * 2
    assert {(type(one), one.what, one.hint) for one in told} == {
        (InputError, f'account "{stranger}" does not exist', "Check the account's id.")
    }


def test_money_does_not_leave_a_frozen_wallet_through_the_engine(floor: Floor) -> None:
    account = floor.account("100")
    owner = floor.one("SELECT user_id::text FROM accounts WHERE id = %s", account)
    ledger.credit(floor.session, owner, "USD", Decimal(50), transaction_id=new_id_text())
    ledger.set_wallet_status(
        floor.session,
        (owner, "USD"),
        ledger.WalletStatus.FROZEN,
        reason="card reported stolen",
        transaction_id=new_id_text(),
    )
    there = MoveMoney(
        account_id=account,
        direction=Direction.TO_ACCOUNT,
        amount=Decimal(1),
        transaction_id=new_id_text(),
    )
    assert refused(floor, there).code is ErrorCode.MONEY_WALLET_FROZEN


def test_an_id_that_is_no_id_is_refused_with_what_to_do(floor: Floor) -> None:
    account = floor.account()
    move = MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal(1),
        transaction_id="tuesday",
    )
    for command in (move, buy("nobody")):
        error = refused(floor, command)
        assert error.code is ErrorCode.INPUT_ID_MALFORMED
        assert error.hint == "Write 32 hexadecimal digits in small letters, with four hyphens."
