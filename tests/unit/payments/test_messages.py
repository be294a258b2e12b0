"""Messages of providers: what they tell, and that nothing else is believed."""

import json
from decimal import Decimal

import pytest

from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.payments import PaymentKind, PaymentStatus
from tradewright.payments.providers import chain
from tradewright.payments.providers.cards import read_event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'"\xff"',
        b'{"type":"charge.eaten"}',
        b'{"type":"charge.succeeded","payment":7}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":1.5}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"NaN"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"-1"}',
        b'{"type":"charge.succeeded","payment":"p\\u0000","currency":"USD","amount":"1"}',
        b'{"type":"refund.succeeded","payment":"p","currency":"USD","amount":"1"}',
        b'{"type":"charge.created","payment":"p","currency":"USD","amount":"1","metadata_id":"7"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"1_00"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"1e2"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"\\uff11"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"1000000000000"}',
        b'{"type":"charge.succeeded","payment":"p","currency":"USD","amount":"0.000000001"}',
        b'{"type":"charge.succeeded","payment":"\\ud83d","currency":"USD","amount":"1"}',
        b"[" * 100_000,
    ],
    ids=range(19),
)
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(TradewrightError) as caught:
        read_event(body)
    assert caught.value.code in {
        ErrorCode.WEBHOOK_BODY_MALFORMED,
        ErrorCode.INPUT_ID_MALFORMED,
    }


def seen(**changes: object) -> dict[str, object]:
    """Return the fields of a transfer that was seen in a block."""
    fields: dict[str, object] = {
        "type": "transfer.seen",
        "chain": "btc",
        "txid": "AB12",
        "output": 0,
        "round": 0,
        "address": "btc1x",
        "value": "150000000",
        "confirmations": 0,
    }
    return fields | changes


@pytest.mark.parametrize(
    ("name", "confirmations", "status"),
    [
        ("btc", 0, PaymentStatus.PROCESSING),
        ("btc", 1, PaymentStatus.UNCONFIRMED),
        ("btc", 2, PaymentStatus.UNCONFIRMED),
        ("btc", 3, PaymentStatus.SUCCEEDED),
        ("eth", 4, PaymentStatus.PROCESSING),
        ("eth", 63, PaymentStatus.UNCONFIRMED),
        ("eth", 64, PaymentStatus.SUCCEEDED),
    ],
)
def test_confirmations_are_counted_by_chain(
    name: str, confirmations: int, status: PaymentStatus
) -> None:
    body = json.dumps(seen(chain=name, confirmations=confirmations)).encode()
    event = chain.read_event(body)
    assert (event.kind, event.status) == (PaymentKind.DEPOSIT, status)


def test_a_transfer_is_named_by_chain_transaction_output_and_round() -> None:
    """Case 44."""
    names = [
        chain.read_event(json.dumps(seen(**changes)).encode()).reference
        for changes in ({}, {"output": 1}, {"chain": "eth"}, {"round": 1}, {"txid": "ab12"})
    ]
    assert names == ["btc:ab12:0", "btc:ab12:1", "eth:ab12:0", "btc:ab12:0#1", "btc:ab12:0"]


@pytest.mark.parametrize("written", ["1.5", "0.4", "-1", "1e3", "1_0", "\uff11", "", "1" * 21])
def test_coins_are_whole_units(written: str) -> None:
    with pytest.raises(TradewrightError) as caught:
        chain.read_event(json.dumps(seen(value=written)).encode())
    assert caught.value.code == ErrorCode.WEBHOOK_BODY_MALFORMED


@pytest.mark.parametrize("count", [-1, 2**31, 1.0, True, "1", None])
def test_a_count_is_a_small_whole_number(count: object) -> None:
    with pytest.raises(TradewrightError) as caught:
        chain.read_event(json.dumps(seen(output=count)).encode())
    assert caught.value.code == ErrorCode.WEBHOOK_BODY_MALFORMED


def test_a_reason_is_read_as_far_as_it_can_be_kept() -> None:
    fields = {"type": "charge.failed", "payment": "p", "currency": "USD", "amount": "1.50"}
    for reason, kept in (
        ("cut \ud83d", "cut \ufffd"),
        ("a\0b", "a\ufffdb"),
        ("x" * 300, "x" * 200),
        (7, ""),
        (None, ""),
    ):
        event = read_event(json.dumps(fields | {"reason": reason}).encode())
        assert (event.reason, event.amount) == (kept, Decimal("1.50"))


def test_coins_count_in_hundred_millionths() -> None:
    event = chain.read_event(json.dumps(seen()).encode())
    assert (event.amount, event.currency) == (Decimal("1.50000000"), "BTC")


@pytest.mark.parametrize(
    "changes",
    [
        {"chain": "doge"},
        {"type": "transfer.lost"},
        {"output": -1},
        {"output": True},
        {"confirmations": "3"},
        {"value": 5},
        {"address": ""},
    ],
)
def test_a_transfer_that_cannot_be_read_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TradewrightError) as caught:
        chain.read_event(json.dumps(seen(**changes)).encode())
    assert caught.value.code == ErrorCode.WEBHOOK_BODY_MALFORMED
