"""The server is lost for good, its standby takes over, the engine goes on, and nothing is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Timer

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.conftest import migrate_engine
from tests.e2e.docs_session import first_failure
from tests.floor import Floor, buy, sell
from tests.standby import Standby, followed
from tests.style.house import ROOT
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, Report, SubmitOrder

SEED = 20
ORDERS = 400
SECONDS_MAX = 60
PASSING = frozenset(
    {
        *(ErrorCode.DATABASE_CONNECTION_LOST, ErrorCode.DATABASE_UNREACHABLE),
        *(ErrorCode.DATABASE_OUTCOME_UNKNOWN, ErrorCode.DATABASE_READ_ONLY),
        ErrorCode.ENGINE_TAKEN_OVER,
    }
)
"""What a command may be answered with while the server is away; it is sent again."""


def whoever_writes(primary: EmbeddedServer, standby: Standby) -> str:
    """Return how to connect to the one of two servers that takes changes."""
    hosts = [conninfo_to_dict(one.conninfo())["host"] for one in (primary, standby)]
    return make_conninfo(
        primary.conninfo("floor"),
        host=",".join(map(str, hosts)),
        target_session_attrs="read-write",
    )


def answer(result: Callable[[int], Report]) -> OrderReport | None:
    """Return what an order was answered with, or None where it must be sent again."""
    try:
        report = result(SECONDS_MAX)
    except TradewrightError as error:
        if error.code not in PASSING:
            raise
        return None
    assert isinstance(report, OrderReport)
    return report


def until_all_are_answered(
    engine: Engine, orders: list[SubmitOrder]
) -> tuple[dict[str, OrderReport], int]:
    """Send orders, again until each is answered; return the answers, and how often again."""
    answers: dict[str, OrderReport] = {}
    again = -len(orders)
    ends_at = monotonic_seconds() + SECONDS_MAX
    while left := [one for one in orders if one.client_order_id not in answers]:
        assert monotonic_seconds() < ends_at, "the engine has not come back"
        again += len(left)
        for order in left:
            found = answer(engine.submit(order).result)
            if found is not None:
                answers[order.client_order_id] = found
    return answers, again


def fail_over(primary: EmbeddedServer, standby: Standby, seconds: float) -> None:
    """Lose the primary as in a power cut; after some seconds its standby takes its place."""
    primary.kill()
    pause(seconds)
    standby.promote()


@pytest.fixture
def servers() -> Iterator[tuple[EmbeddedServer, Standby]]:
    """Give a server with an empty floor's schema, and the standby that it waits for."""
    with EmbeddedServer.temporary({"max_wal_size": "256MB"}) as primary:
        primary.create_database("floor")
        migrate_engine(primary.conninfo("floor"))
        with followed(primary) as standby:
            yield primary, standby


@pytest.mark.parametrize(
    ("seconds", "must_be_sent_again"),
    [pytest.param(0.2, False, id="at once"), pytest.param(3.0, True, id="after a while")],
)
def test_what_was_acknowledged_before_a_failover_stands_on_the_standby_once(
    servers: tuple[EmbeddedServer, Standby], seconds: float, *, must_be_sent_again: bool
) -> None:
    random = Random(SEED)  # noqa: S311 (a load, not a secret)
    with connect(servers[0].conninfo("floor"), autocommit=True) as session:
        floor = Floor.opened(whoever_writes(*servers), session)
        accounts = [floor.account() for _ in range(4)]
    sides = random.choices((buy, sell), k=ORDERS)
    orders = [side(random.choice(accounts), 1_000) for side in sides]
    with floor.engine() as engine:
        failing = Timer(random.uniform(0.1, 0.5), fail_over, (*servers, seconds))
        failing.start()
        answers, again = until_all_are_answered(engine, orders)
        failing.join()
        answers |= until_all_are_answered(engine, [buy(accounts[0], 1_000)])[0]
        assert engine.counts.reconnects, f"seed {SEED}: the server was not missed"
    assert bool(again) == must_be_sent_again
    with connect(servers[1].conninfo("floor"), autocommit=True) as session:
        floor.session = session
        kept = floor.rows(
            "SELECT client_order_id, id::text, status, filled_quantity FROM orders ORDER BY 1"
        )
        assert kept == sorted(
            (key, one.order_id, str(one.status), one.filled_quantity)
            for key, one in answers.items()
        )
        assert floor.broken_laws() == {}


def test_what_the_page_shows_runs_where_a_standby_follows(
    servers: tuple[EmbeddedServer, Standby], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", whoever_writes(*servers))
    failed = first_failure([ROOT / "docs" / "how-to" / "fail-over.md"], tmp_path)
    assert not failed, failed
