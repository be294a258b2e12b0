"""The house over HTTP: the real app on loopback over a real database, and whoever asks there."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from queue import Queue
from typing import Any

from tradewright.access import KeyTerms, Scope, create_key
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.server.http.house import HttpSettings
from tradewright.server.http.serving import HttpRun, run_http
from tradewright.trading.registry import grant_role, open_user

ALL_SCOPES = tuple(Scope)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: status, headers by small letters, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str]:
        """Return status and code of a refusal, which must be a whole problem."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        told = self.json
        assert told["status"] == self.status
        assert told["type"] == f"urn:tradewright:error:{told['code']}"
        assert told["instance"] == f"urn:uuid:{self.headers['x-request-id']}"
        assert told["title"]
        assert told["what"] in told["detail"]
        assert told["hint"]
        assert told["why"] or self.status == 500
        return self.status, told["code"]


@dataclass(frozen=True, slots=True)
class Web:
    """An address that is served, and whoever asks there."""

    host: str
    port: int
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_key(self, key: str | None) -> "Web":
        """Return the same address, asked with a key."""
        return Web(self.host, self.port, key)

    def with_headers(self, **headers: str) -> "Web":
        """Return the same caller with further headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Web(self.host, self.port, self.key, {**self.headers, **named})

    def ask(self, method: str, path: str, body: object = None) -> Answered:
        """Send one request and read its whole answer."""
        headers = dict(self.headers)
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if sent is not None:
            headers.setdefault("Content-Type", "application/json")
        connection = HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, told, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answered:
        """Ask with GET."""
        return self.ask("GET", path)

    def post(self, path: str, body: object) -> Answered:
        """Ask with POST."""
        return self.ask("POST", path, body)


@contextmanager
def served(
    conninfo: str,
    socket: Path | None = None,
    settings: HttpSettings | None = None,
    sessions: int = 4,
) -> Iterator[Web]:
    """Serve a house on a free port."""
    stopping, told = threading.Event(), Queue[str]()
    run = HttpRun(
        host="127.0.0.1",
        port=0,
        socket=socket,
        sessions=sessions,
        settings=settings or HttpSettings(),
    )
    running = threading.Thread(target=run_http, args=(conninfo, run, told.put, stopping))
    running.start()
    try:
        yield Web("127.0.0.1", int(told.get(timeout=30).rpartition(":")[2]))
    finally:
        stopping.set()
        running.join(30)


def new_user(session: Session, *roles: str, email: str | None = None) -> str:
    """Open a user with roles; return the id."""
    user_id = open_user(
        session,
        email=email or f"{new_id_text()}@example.org",
        client_class=ClientClass.RETAIL,
        kyc_level=2,
    )
    for role in roles:
        grant_role(session, user_id, role)
    return user_id


def key_of(session: Session, user_id: str, scopes: Sequence[Scope] = ALL_SCOPES) -> str:
    """Make a key for a user; return its secret."""
    made = create_key(
        session,
        user_id,
        KeyTerms(name="test", scopes=frozenset(scopes)),
        actor="tests",
        reason="to test",
    )
    return made.secret
