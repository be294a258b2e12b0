"""Signatures of webhooks: Standard Webhooks, both ways, as pure functions of bytes and times.

A message has an id, a timestamp in seconds and a body; `v1` is the HMAC-SHA256 of
`id.timestamp.body` under a secret that is written `whsec_` and base64. A sender may sign with
several secrets, and a receiver may hold several, so that a secret can be changed without a gap.
See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tradewright.core.errors import ErrorCode, InputError

TOLERANCE = timedelta(seconds=300)
"""How far a message's timestamp may be from the receiver's clock, either way."""

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

_PREFIX = "whsec_"
_SECRET_BYTES_MIN = 24
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURES_MAX = 16


def new_secret() -> str:
    """Return a new random secret."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def require_secrets(secrets: Sequence[str]) -> None:
    """Refuse secrets that nothing can be signed or verified with.

    Raises:
        InputError: WEBHOOK_KEY_MALFORMED.

    """
    for secret in secrets:
        _key(secret)


def sign(message_id: str, sent_at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of a message, signed with each of the secrets.

    Raises:
        InputError: WEBHOOK_KEY_MALFORMED.

    """
    timestamp = str(int(sent_at.timestamp()))
    signatures = [_signature(secret, message_id, timestamp, body) for secret in secrets]
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: " ".join(f"v1,{signature}" for signature in signatures),
    }


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: datetime
) -> str:
    """Return the id of a message that one of the secrets has signed, not too long ago.

    `headers` are named in small letters. Signatures of other versions than v1 are passed over.

    Raises:
        InputError: WEBHOOK_HEADER_MALFORMED, WEBHOOK_TIMESTAMP_REFUSED,
            WEBHOOK_SIGNATURE_REFUSED, WEBHOOK_KEY_MALFORMED.

    """
    message_id = _header(headers, ID_HEADER, _ID)
    timestamp = _header(headers, TIMESTAMP_HEADER, _TIMESTAMP)
    _require_recent(int(timestamp), now)
    given = headers.get(SIGNATURE_HEADER, "").split(" ")[:_SIGNATURES_MAX]
    candidates = [text.removeprefix("v1,") for text in given if text.startswith("v1,")]
    expected = [_signature(secret, message_id, timestamp, body) for secret in secrets]
    matches = [
        hmac.compare_digest(candidate.encode(), wanted.encode())
        for candidate in candidates
        for wanted in expected
    ]
    if not any(matches):
        raise InputError(
            ErrorCode.WEBHOOK_SIGNATURE_REFUSED,
            f'no signature of message "{message_id}" holds',
            why="Its id, timestamp or body was changed, or it was signed with another secret.",
            hint="Compare the secrets of sender and receiver.",
        )
    return message_id


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    text = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), text, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < _SECRET_BYTES_MIN:
        raise InputError(
            ErrorCode.WEBHOOK_KEY_MALFORMED,
            "a webhook secret cannot be read",
            why=f"It is written {_PREFIX} and base64 of at least {_SECRET_BYTES_MIN} bytes.",
            hint="Make one with tradewright payments secret.",
        )
    return key


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    text = headers.get(name, "")
    if not form.fullmatch(text):
        raise InputError(
            ErrorCode.WEBHOOK_HEADER_MALFORMED,
            f'the header {name} is "{text[:80]}"',
            why="A signed message has webhook-id, webhook-timestamp and webhook-signature.",
            hint="Send them as Standard Webhooks names them.",
        )
    return text


def _require_recent(timestamp: int, now: datetime) -> None:
    distance = abs(now.timestamp() - timestamp)
    if distance > TOLERANCE.total_seconds():
        raise InputError(
            ErrorCode.WEBHOOK_TIMESTAMP_REFUSED,
            f"the message's timestamp is {distance:.0f} s away",
            why=f"At most {TOLERANCE.total_seconds():.0f} s are allowed, so that an old message "
            "cannot be sent again.",
            hint="Sign the message anew when it is sent again, and set the clock.",
        )
