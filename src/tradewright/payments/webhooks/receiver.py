"""The HTTP endpoint that providers post to: reads, verifies, takes, answers.

`POST /v1/webhooks/{provider}` answers 200 once the message is kept, whatever became of it; 401 when
its signature, and 400 when anything else of it, is refused; 404 and 413 before it is read; 503 when
the database asks for another attempt, so that the provider sends it again. Made for the loopback
and for tests: put a server with TLS and limits in front of it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread

from tradewright.audit import acting_as
from tradewright.core.clock import utc_now
from tradewright.core.errors import DatabaseError, ErrorCode, InputError, TradewrightError
from tradewright.payments.model import Provider
from tradewright.payments.webhooks.inbox import READERS, Message, receive
from tradewright.payments.webhooks.outcome import Outcome
from tradewright.payments.webhooks.signature import require_secrets, verify
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import SessionSource, run_transaction

BODY_BYTES_MAX = 1 << 20
PATH = "/v1/webhooks/"
_LENGTH = re.compile(r"[0-9]{1,12}", re.ASCII)
SOCKET_SECONDS_MAX = 30
POLLS_PER_SECOND = 50
IN_HAND_MAX = 32
"""So many messages are taken at once; the senders of others are asked to come again."""

Secrets = Mapping[Provider, Sequence[str]]
"""The secrets of each provider, the new one and those that are still taken."""


def take(source: SessionSource, message: Message) -> Outcome:
    """Take one verified message in one transaction, run again when the server asks for it."""

    def work(session: Session) -> Outcome:
        acting_as(session, f"provider:{message.provider}")
        return receive(session, message)

    return run_transaction(source, work, idempotent=True)


@contextmanager
def webhook_server(
    source: SessionSource, secrets: Secrets, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve the endpoint until the context is left; give its address, `http://host:port`.

    Raises:
        InputError: WEBHOOK_KEY_MALFORMED: with one secret that is none, every message would be
            refused, those that another has signed too; WEBHOOK_KEY_MISSING without any.

    """
    if not any(secrets.values()):
        raise InputError(
            ErrorCode.WEBHOOK_KEY_MISSING,
            "no provider has a secret",
            why="Without one no signature can hold, and every message would be refused.",
            hint="Give --cards-secret or --chain-secret, or set TRADEWRIGHT_CARDS_SECRETS or "
            "TRADEWRIGHT_CHAIN_SECRETS.",
        )
    for each in secrets.values():
        require_secrets(each)
    server = _Server((host, port), _Handler)
    server.source, server.secrets = source, secrets
    server.places = BoundedSemaphore(IN_HAND_MAX)
    thread = Thread(target=server.serve_forever, args=(1 / POLLS_PER_SECOND,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    source: SessionSource
    secrets: Secrets
    places: BoundedSemaphore


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SOCKET_SECONDS_MAX

    def do_POST(self) -> None:
        """Take one message and answer."""
        provider = self.path.removeprefix(PATH)
        length = self.headers.get("content-length", "")
        if not self.path.startswith(PATH) or provider not in set(READERS):
            self._answer(HTTPStatus.NOT_FOUND, {"error": {"what": "no such endpoint"}})
        elif not _LENGTH.fullmatch(length) or int(length) > BODY_BYTES_MAX:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": {"what": "too large"}})
        else:
            body = self.rfile.read(int(length))
            self._answer(*self._take_in_turn(Provider(provider), body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the parent's name)
        """Say nothing: the inbox is the record."""

    def _take_in_turn(
        self, provider: Provider, body: bytes
    ) -> tuple[HTTPStatus, Mapping[str, object]]:
        if not self.server.places.acquire(blocking=False):
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": {"what": "too many messages at once"}}
        try:
            return self._take(provider, body)
        finally:
            self.server.places.release()

    def _take(self, provider: Provider, body: bytes) -> tuple[HTTPStatus, Mapping[str, object]]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        secrets = self.server.secrets
        try:
            event_id = verify(headers, body, secrets.get(provider, ()), now=utc_now())
            outcome = take(self.server.source, Message(provider, event_id, body))
        except TradewrightError as error:
            return _status_of(error), {"error": error.as_dict()}
        return HTTPStatus.OK, {"outcome": outcome.kind, "why": outcome.why}

    def _answer(self, status: HTTPStatus, fields: Mapping[str, object]) -> None:
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _status_of(error: TradewrightError) -> HTTPStatus:
    if isinstance(error, DatabaseError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if error.code in (ErrorCode.WEBHOOK_SIGNATURE_REFUSED, ErrorCode.WEBHOOK_TIMESTAMP_REFUSED):
        return HTTPStatus.UNAUTHORIZED
    is_input = isinstance(error, InputError)
    return HTTPStatus.BAD_REQUEST if is_input else HTTPStatus.CONFLICT
