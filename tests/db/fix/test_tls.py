"""TLS: an order goes over it, and a provider that is not the one it says is never spoken to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.fix_floor import CODE, ORDERS, Deaf, FixFloor, until
from tradewright.liquidity.fix.caller import Endpoint
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.postgres.connect import Session, connect

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Of localhost and of nobody else, until 2120, with its key: it protects nothing."""


def carry(giver: socket.socket, taker: socket.socket) -> None:
    """Carry bytes from one to the other until either hangs up."""
    with suppress(OSError):
        while data := giver.recv(4096):
            taker.sendall(data)
    for end in (giver, taker):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def terminator(port: int) -> Iterator[int]:
    """Take TLS on a port of its own and pass it on in the clear, as a proxy before a provider."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), plain:
                plain.settimeout(20)
                with (
                    context.wrap_socket(plain, server_side=True) as secure,
                    socket.create_connection(("127.0.0.1", port)) as inner,
                ):
                    back = threading.Thread(target=carry, args=(inner, secure))
                    back.start()
                    carry(secure, inner)
                    back.join()

    threads.append(threading.Thread(target=serve, daemon=True))
    threads[0].start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        threads[0].join(30)


@pytest.mark.parametrize(
    ("host", "is_trusted", "refusal"),
    [
        ("localhost", True, None),
        ("localhost", False, "certificate verify failed"),
        ("127.0.0.1", True, "IP address mismatch"),
    ],
)
def test_a_session_needs_a_certificate_of_that_host_by_somebody_trusted(
    engine_database: str,
    engine: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    host: str,
    is_trusted: bool,
    refusal: str | None,
) -> None:
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    provider_id = stage.floor.one("SELECT id::text FROM liquidity_providers WHERE code = %s", CODE)
    with stage.provider() as acceptor, terminator(acceptor.ports[0]) as port:
        gateway = FixGateway(
            CODE,
            PostgresStore(lambda: connect(engine_database, autocommit=True), provider_id, ORDERS),
            Endpoint(host=host, port=port, identity=ORDERS),
        )
        gateway.open(Deaf())
        until(lambda: gateway.why_not if refusal else gateway.is_ready)
        is_ready, why = gateway.is_ready, gateway.why_not
        gateway.close()
    assert is_ready is (refusal is None)
    assert (refusal or "") in why
