"""Send one signed message over HTTP: one attempt, one answer. Retries are the caller's."""

import http.client
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from urllib.parse import urlsplit

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.webhooks.signature import require_secrets, sign

TIMEOUT_SECONDS = 15
"""How long each step of an attempt may take: connecting, sending, each part of the answer."""

DEADLINE_SECONDS = 30
"""How long an attempt may take in all, well within the lease of who sends: a receiver that lets its
answer trickle would hold up everybody else's events."""

_PATH = re.compile("[!-~]+")
GONE = 410
"""The answer of a receiver that wants no more messages."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages are sent to, and the secrets that they are signed with (new and old)."""

    url: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered; without a status nobody did, and `text` says why."""

    status: int | None
    text: str

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


def post(
    endpoint: Endpoint,
    message_id: str,
    body: bytes,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Answer:
    """Sign a message with the present time and send it once, by the deadline or not at all.

    Raises:
        InputError: WEBHOOK_ENDPOINT_MALFORMED, WEBHOOK_KEY_MALFORMED.

    """
    connection, path = _connection(endpoint.url)
    headers = sign(message_id, utc_now(), body, endpoint.secrets)
    headers["content-type"] = "application/json"
    try:
        with _cut_off_after(deadline_seconds, connection):
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, _beginning_of(response))
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"{type(error).__name__}: {error}")
    finally:
        connection.close()


@contextmanager
def _cut_off_after(seconds: float, connection: http.client.HTTPConnection) -> Iterator[None]:
    """End the connection, whatever it waits for, when the time is over."""

    def cut() -> None:
        with suppress(OSError, AttributeError):  # it is gone, or was never made
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _beginning_of(response: http.client.HTTPResponse) -> str:
    """Return what has come of an answer's words; the answer itself is its status.

    A receiver that goes silent after it holds nobody up, nor is it sent again what it has taken.
    """
    with suppress(OSError, http.client.HTTPException):
        return response.read1(1000).decode("utf-8", "replace")
    return ""


def require_endpoint(endpoint: Endpoint) -> None:
    """Refuse an endpoint that no message could be sent to, or signed for.

    Raises:
        InputError: WEBHOOK_ENDPOINT_MALFORMED, WEBHOOK_KEY_MALFORMED.

    """
    _connection(endpoint.url)
    require_secrets(endpoint.secrets)


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    try:
        return _parsed(url)
    except (ValueError, http.client.InvalidURL):
        raise InputError(
            ErrorCode.WEBHOOK_ENDPOINT_MALFORMED,
            f"{url!a} is no address that messages can be sent to",
            why="Messages go over HTTP or HTTPS.",
            hint="Write https://host/path.",
        ) from None


def _parsed(url: str) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not opened yet, and what is asked for on it.

    Raises:
        ValueError: it is no address, or holds what a request cannot.
        http.client.InvalidURL: its host holds what none can.

    """
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in kinds or not parts.hostname or not _PATH.fullmatch(path):
        raise ValueError(url)
    host = parts.hostname.encode("idna").decode()
    return kinds[parts.scheme](host, parts.port, timeout=TIMEOUT_SECONDS), path
