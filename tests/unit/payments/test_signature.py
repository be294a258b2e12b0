"""Signatures of webhooks, case 39: what holds is taken, everything else is refused."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.webhooks.signature import new_secret, sign, verify

NOW = datetime(2026, 1, 13, 8, tzinfo=UTC)
BODY = b'{"type":"charge.succeeded","amount":"100.00"}'
OLD, NEW, OTHER = (
    "whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3)
)


def code_of(headers: dict[str, str], body: bytes = BODY, *, now: datetime = NOW) -> ErrorCode:
    with pytest.raises(InputError) as caught:
        verify(headers, body, [OLD, NEW], now=now)
    return caught.value.code


def test_the_example_of_the_specification_is_signed_alike() -> None:
    """The vector that the libraries of Standard Webhooks share."""
    secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, b'{"test": 2432232314}', [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_message_is_taken_under_the_old_and_the_new_secret(secret: str) -> None:
    assert verify(sign("msg_1", NOW, BODY, [secret]), BODY, [OLD, NEW], now=NOW) == "msg_1"


def test_a_message_signed_with_several_secrets_is_taken_by_who_knows_one() -> None:
    headers = sign("msg_1", NOW, BODY, [OTHER, NEW])
    assert verify(headers, BODY, [NEW], now=NOW) == "msg_1"


def test_signatures_of_other_versions_are_passed_over() -> None:
    headers = sign("msg_1", NOW, BODY, [NEW])
    theirs = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1a,{'A' * 80} {theirs}"
    assert verify(headers, BODY, [NEW], now=NOW) == "msg_1"
    headers["webhook-signature"] = theirs.replace("v1,", "v2,")
    assert code_of(headers) == ErrorCode.WEBHOOK_SIGNATURE_REFUSED


def test_a_wrong_or_missing_secret_is_refused() -> None:
    headers = sign("msg_1", NOW, BODY, [OTHER])
    assert code_of(headers) == ErrorCode.WEBHOOK_SIGNATURE_REFUSED
    with pytest.raises(InputError):
        verify(sign("msg_1", NOW, BODY, [NEW]), BODY, [], now=NOW)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= change
    headers = sign("msg_1", NOW, BODY, [NEW])
    assert code_of(headers, bytes(changed)) == ErrorCode.WEBHOOK_SIGNATURE_REFUSED


@pytest.mark.parametrize(
    ("header", "text"),
    [("webhook-id", "msg_2"), ("webhook-timestamp", str(int(NOW.timestamp()) + 1))],
)
def test_a_changed_id_or_timestamp_is_refused(header: str, text: str) -> None:
    headers = sign("msg_1", NOW, BODY, [NEW]) | {header: text}
    assert code_of(headers) == ErrorCode.WEBHOOK_SIGNATURE_REFUSED


@pytest.mark.parametrize(("seconds", "is_taken"), [(300, True), (301, False), (-301, False)])
def test_a_message_is_taken_for_300_seconds(seconds: int, is_taken: bool) -> None:
    headers, now = sign("msg_1", NOW, BODY, [NEW]), NOW + timedelta(seconds=seconds)
    if is_taken:
        assert verify(headers, BODY, [NEW], now=now) == "msg_1"
    else:
        assert code_of(headers, now=now) == ErrorCode.WEBHOOK_TIMESTAMP_REFUSED


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("webhook-id", ""),
        ("webhook-id", "a.b"),
        ("webhook-id", "x" * 129),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "1_0"),
        ("webhook-timestamp", "\u0661\u0662"),
        ("webhook-timestamp", "1e9"),
    ],
)
def test_a_malformed_header_is_refused(header: str, text: str) -> None:
    headers = sign("msg_1", NOW, BODY, [NEW]) | {header: text}
    assert code_of(headers) == ErrorCode.WEBHOOK_HEADER_MALFORMED


@pytest.mark.parametrize("signature", ["", "v1,", "v1", "v1,\u00e4\u00f6", "nonsense " * 99])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    headers = sign("msg_1", NOW, BODY, [NEW]) | {"webhook-signature": signature}
    assert code_of(headers) == ErrorCode.WEBHOOK_SIGNATURE_REFUSED


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", OLD[6:]])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(InputError) as caught:
        sign("msg_1", NOW, BODY, [secret])
    assert caught.value.code == ErrorCode.WEBHOOK_KEY_MALFORMED


def test_new_secrets_differ_and_can_be_used() -> None:
    secret = new_secret()
    assert secret != new_secret()
    assert verify(sign("m", NOW, BODY, [secret]), BODY, [secret], now=NOW) == "m"
