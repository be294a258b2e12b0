"""kill -9 in the middle of a kept day, of the server and of the demo: nothing answered is lost."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.trading_day import Ended, finish, run, start, write_quotes
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer

ORDERS = 200
LAWS_AT_LEAST = 15


@pytest.fixture
def quotes(tmp_path: Path) -> Path:
    return write_quotes(tmp_path / "day.csv", 1_600)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of a kept day; its server is stopped and removed afterwards."""
    yield tmp_path / "kept"
    server = EmbeddedServer(tmp_path / "kept" / "server")
    if server.home.exists():
        server.stop("immediate")
        server.remove()


def begin(quotes: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a day that is to be kept, and wait until a part of its orders has been answered."""
    process = start(
        *("demo", "--quotes", str(quotes), "--orders", str(ORDERS), "--traders", "20"),
        *("--keep", str(folder), "--json"),
    )
    deadline = monotonic_seconds() + 90
    while len(acknowledged(folder)) < ORDERS // 5:
        assert process.poll() is None, process.communicate()
        assert monotonic_seconds() < deadline, "the day did not get under way"
        pause(0.01)
    return process


def acknowledged(folder: Path) -> set[str]:
    log = folder / "acknowledged.log"
    text = log.read_text() if log.exists() else ""
    return set(text[: text.rfind("\n") + 1].split())


def key_of_wish(key: str) -> str:
    """Return the key without what tells an order's alternatives and ways out from it."""
    account, _, order = key.rpartition("/")
    return f"{account}/{'-'.join(order.split('-')[:2])}"


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def check(resumed: Ended, folder: Path, answered_before: set[str]) -> None:
    """Hold the resumed day against what its clients had been told before the crash."""
    assert resumed.code == 0, resumed.out + resumed.err
    summary = resumed.json
    assert len(answered_before) < ORDERS, "the crash came too late to prove anything"
    assert answered_before <= acknowledged(folder)
    assert summary["acknowledged"] == len(acknowledged(folder)) >= ORDERS
    assert len({key_of_wish(key) for key in acknowledged(folder)}) == ORDERS
    assert summary["acknowledged_lost"] == 0
    assert len(summary["invariants"]) >= LAWS_AT_LEAST
    assert all(law["broken"] == 0 for law in summary["invariants"].values())
    with EmbeddedServer(folder / "server") as server, connect(server.conninfo("tradewright")) as db:
        booked = db.execute("SELECT account_id || '/' || client_order_id FROM orders").fetchall()
        assert answered_before <= {row[0] for row in booked}
        in_flight = db.execute("SELECT count(*) FROM orders WHERE is_routed").fetchone()
        assert in_flight == (0,)


def test_a_killed_server_ends_the_day_with_an_error_and_the_day_is_resumed(
    quotes: Path, folder: Path
) -> None:
    process = begin(quotes, folder)
    EmbeddedServer(folder / "server").kill()
    ended = finish(process)
    answered = acknowledged(folder)
    assert ended.code == 1
    error = ended.json["error"]
    assert error["code"] in {"DATABASE_UNREACHABLE", "DATABASE_CONNECTION_LOST"}
    assert error["hint"]
    check(run("demo", "--keep", str(folder), "--resume", "--json"), folder, answered)


def test_a_killed_demo_is_resumed_on_the_server_that_outlived_it(
    quotes: Path, folder: Path
) -> None:
    kill(begin(quotes, folder))
    answered = acknowledged(folder)
    check(run("demo", "--keep", str(folder), "--resume", "--json"), folder, answered)


def test_a_killed_demo_and_server_are_resumed_by_a_start_on_the_same_folder(
    quotes: Path, folder: Path
) -> None:
    process = begin(quotes, folder)
    kill(process)
    EmbeddedServer(folder / "server").kill()
    answered = acknowledged(folder)
    # What was asked for first is asked for again, whatever this start says.
    check(run("demo", "--keep", str(folder), "--orders", "7", "--json"), folder, answered)
    again = run("demo", "--keep", str(folder), "--resume", "--json")
    assert again.code == 1
    assert again.json["error"]["code"] == "DEMO_DAY_FINISHED"
    assert again.json["error"]["hint"].startswith("Choose another folder")


def test_a_day_that_never_began_cannot_be_resumed(tmp_path: Path) -> None:
    ended = run("demo", "--keep", str(tmp_path / "nowhere"), "--resume", "--json")
    assert ended.code == 1
    assert ended.json["error"]["code"] == "DEMO_NOTHING_TO_RESUME"
    assert ended.json["error"]["hint"] == "Give that folder with --keep."
    assert not (tmp_path / "nowhere").exists()
