"""A database restored from a dump: its server numbers transactions from below its seals."""

import re
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.cast import open_user, open_wallet
from tests.conftest import migrate_engine
from tradewright import audit, ledger
from tradewright.core.errors import ErrorCode, StateError
from tradewright.ledger import sealing
from tradewright.postgres.binaries import server_user
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.refusals import translate

SEALS: list[Callable[[Session], object]] = [sealing.seal, audit.seal]


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer.temporary({"fsync": "off"}) as server:
        _count_from(server, 5)
        server.create_database("house")
        migrate_engine(server.conninfo("house"))
        yield server


def _count_from(server: EmbeddedServer, epoch: int) -> None:
    """Let the server number transactions from an epoch on, as one that a dump went to would."""
    server.stop()
    user = server_user()
    subprocess.run(
        [str(server.binary("pg_resetwal")), f"--epoch={epoch}", str(server.data)],
        check=True,
        capture_output=True,
        cwd=server.home,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
    )
    server.start()


def _refusal(session: Session, seal: Callable[[Session], object]) -> StateError:
    with pytest.raises(psycopg.Error) as caught:
        seal(session)
    error = translate(caught.value)
    assert isinstance(error, StateError)
    return error


def _require_laws(session: Session) -> None:
    ledger.roll_up_house_balances(session)
    audit.require_laws(audit.check_laws(session))


def test_a_restored_server_refuses_to_seal_accuses_nobody_and_seals_on_when_it_counts_on(
    server: EmbeddedServer,
) -> None:
    with connect(server.conninfo("house"), autocommit=True) as session:
        user_id = open_user(session)
        open_wallet(session, user_id, "100")
        for seal in SEALS:
            seal(session)
    _count_from(server, 0)
    with connect(server.conninfo("house"), autocommit=True) as session:
        for seal in SEALS:
            error = _refusal(session, seal)
            assert error.code == ErrorCode.RECORD_RESTORED
            assert error.why
        _require_laws(session)
        epoch = re.search(r"--epoch=(\d+)", error.hint)
    assert epoch is not None
    _count_from(server, int(epoch[1]))
    with connect(server.conninfo("house"), autocommit=True) as session:
        open_wallet(session, user_id, "3")
        open_user(session)
        assert sealing.seal(session) == (1, 1)
        assert audit.seal(session) > 0
        assert sealing.verify(session).is_good
        assert audit.verify(session).is_good
        _require_laws(session)


def test_what_a_restored_server_writes_is_not_accused_and_what_was_sealed_still_is(
    server: EmbeddedServer,
) -> None:
    with connect(server.conninfo("house"), autocommit=True) as session:
        user_id = open_user(session)
        open_wallet(session, user_id, "100")
        for seal in SEALS:
            seal(session)
    _count_from(server, 0)
    with connect(server.conninfo("house"), autocommit=True) as session:
        open_wallet(session, user_id, "3")
        open_user(session)
        _require_laws(session)
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE transfers SET operation = 'gift' WHERE amount = 100")
        session.execute("UPDATE audit_log SET actor = 'x' WHERE seq = 1")
        assert not sealing.verify(session).is_good
        assert not audit.verify(session).is_good
