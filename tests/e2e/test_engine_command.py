"""An engine run by its command, over real sockets: to a FIX provider, and to clients."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fix_floor import CODE, FixFloor, theirs, until
from tests.floor import Floor, pair
from tradewright.core.clock import pause
from tradewright.core.ids import new_id_text
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Fault
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.fix.connections import Connection, Purpose, set_connection
from tradewright.postgres.connect import Session
from tradewright.trading.registry import list_instrument

FAULTS = [Fault.NONE, Fault.PIECES, Fault.SILENT, Fault.GAP, Fault.PARTIAL, Fault.REJECT]


@dataclass(slots=True)
class Running:
    """An engine that was started by its command, with what it has told so far."""

    process: "subprocess.Popen[str]"
    told: Path

    def events(self) -> list[dict[str, Any]]:
        """Return the events that it has told."""
        return [json.loads(line) for line in self.told.read_text().splitlines(keepends=True)]

    def has_told(self, event: str) -> bool:
        """Return whether it has told an event."""
        assert self.process.poll() is None, self.told.read_text()
        return any(each["event"] == event for each in self.events())

    def stop(self) -> int:
        """Ask it to stop (SIGTERM); return how it has exited."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@dataclass(slots=True)
class House:
    """A stage whose provider is connected in the database, and the place of the engine's socket."""

    stage: FixFloor
    folder: Path

    @property
    def place(self) -> Path:
        """Return where orders are taken."""
        return self.folder / "orders.sock"

    @contextmanager
    def engine(self, words: Sequence[str] = ("--symbol", "EURUSD")) -> Iterator[Running]:
        """Run an engine until it stands; kill it at the end if it has not stopped."""
        told = self.folder / f"{new_id_text()}.log"
        with told.open("w") as output:
            process = run("engine", "run", "--socket", str(self.place), "--json", *words)
            started = subprocess.Popen(
                process,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(self.stage.conninfo),
            )
        try:
            running = Running(started, told)
            until(lambda: running.has_told("logged_on"))
            yield running
        finally:
            started.kill()
            started.wait(30)

    def order(self, key: str | None = None, **fields: object) -> dict[str, object]:
        """Return an order to buy as it is written on the line."""
        usual = {"account_id": self.stage.account, "symbol": "EURUSD", "side": "buy"}
        key = key or new_id_text()
        return {"command": "submit_order", "client_order_id": key, "quantity": "10000"} | (
            usual | fields
        )

    def send(self, lines: Sequence[dict[str, object]]) -> tuple[int, list[dict[str, Any]]]:
        """Send lines by the command; return how it exited and what it printed."""
        sent = subprocess.run(
            run("engine", "send", str(self.place)),
            input="".join(json.dumps(line) + "\n" for line in lines),
            env=environment(self.stage.conninfo),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return sent.returncode, [json.loads(line) for line in sent.stdout.splitlines()]

    @contextmanager
    def sending(self, lines: Sequence[dict[str, object]]) -> Iterator[None]:
        """Send lines in a process of its own, which ends when all are answered or none can be."""
        with subprocess.Popen(
            run("engine", "send", str(self.place), "-"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(self.stage.conninfo),
        ) as sender:
            try:
                assert sender.stdin is not None
                sender.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
                sender.stdin.close()
                yield
                sender.wait(60)
            finally:
                sender.kill()

    def priced(self, symbol: str = "EURUSD") -> None:
        """Wait until the engine has a price to deal on."""
        asked = partial(self.order, symbol=symbol)
        until(lambda: self.send([asked()])[1][0].get("report", {}).get("is_routed"))


def run(*words: str) -> list[str]:
    return [sys.executable, "-m", "tradewright", *words]


def environment(conninfo: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": conninfo, "PYTHONPATH": os.pathsep.join(sys.path)}


def send_all(client: socket.socket, lines: bytes) -> None:
    with suppress(OSError):
        client.sendall(lines)


def connect_provider(stage: FixFloor) -> None:
    """Say in the database where the provider of a stage is."""
    for purpose, port in zip((Purpose.ORDERS, Purpose.QUOTES), stage.ports, strict=True):
        set_connection(
            stage.floor.session,
            Connection(
                provider=CODE,
                purpose=purpose,
                host="127.0.0.1",
                port=port,
                sender="HOUSE",
                target="LP",
                heartbeat_seconds=1,
                uses_tls=False,
            ),
        )


@contextmanager
def opened(
    conninfo: str, session: Session, folder: Path, faults: Sequence[Fault] = (Fault.NONE,)
) -> Iterator[tuple[House, FixAcceptor]]:
    """Open a house whose provider listens."""
    stage = FixFloor.opened(conninfo, session, folder, faults)
    with stage.provider() as acceptor:
        connect_provider(stage)
        yield House(stage, folder), acceptor


def figures(running: Running) -> dict[tuple[str, str], float]:
    """Return the figures that an engine shows, by name and label."""
    place = next(each for each in running.events() if each["event"] == "figures")["address"]
    with closing(urllib.request.urlopen(place, timeout=30)) as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (one.name, next(iter(one.labels.values()), "")): one.value
            for family in families
            for one in family.samples
        }


def is_asked(acceptor: FixAcceptor, wanted: int) -> bool:
    return acceptor.asked_count >= wanted


def test_an_engine_deals_what_another_process_sends_and_stops_when_it_is_told_to(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, acceptor):
        with house.engine(("--symbol", "EURUSD", "--metrics", "127.0.0.1:0")) as running:
            assert stat.S_IMODE(house.place.stat().st_mode) == 0o600
            house.priced()
            status, answers = house.send([house.order() for _ in range(5)])
            assert (status, len(answers)) == (0, 5)
            assert all(each["report"]["is_routed"] for each in answers)
            until(partial(is_asked, acceptor, 6))
            until(lambda: not house.stage.floor.rows("SELECT FROM orders WHERE is_routed"))
            told = figures(running)
            assert running.stop() == 0
        assert told["tradewright_engine_booked_total", "order"] == 6
        assert told["tradewright_engine_provider_ready", CODE] == 1
        assert told["tradewright_engine_tradable", "EURUSD"] == 1
        assert told["tradewright_engine_answer_seconds_count", ""] >= 6
        assert [each["event"] for each in running.events()] == [
            "figures",
            "started",
            "logged_on",
            "stopping",
            "stopped",
        ]
        assert theirs(acceptor) == house.stage.ours()
        assert not house.place.exists()
    dealt = house.stage.floor.one("SELECT count(*) FROM orders WHERE status = 'filled'")
    assert dealt == 6
    assert house.stage.floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("words", "follows"), [((), True), (("--symbol", "EURUSD"), False)], ids=["all", "named"]
)
def test_an_engine_asks_for_the_prices_of_what_is_listed_while_it_runs(
    engine_database: str, engine: Session, tmp_path: Path, words: tuple[str, ...], *, follows: bool
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, acceptor):
        acceptor.set_price("USDCAD", Price(Decimal("1.39990"), Decimal("1.40000")))
        with house.engine(words) as running:
            house.priced()
            list_instrument(engine, pair("USDCAD"))
            if follows:
                house.priced("USDCAD")
            else:
                pause(2)
                (answer,) = house.send([house.order(symbol="USDCAD")])[1]
                assert answer["report"]["refusal_code"] == "ORDER_PRICE_STALE"
            until(lambda: not house.stage.floor.rows("SELECT FROM orders WHERE is_routed"))
            assert running.stop() == 0
        assert theirs(acceptor) == house.stage.ours()
    assert house.stage.floor.broken_laws() == {}


def test_killing_an_engine_loses_and_doubles_nothing(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    keys: list[str] = []
    with opened(engine_database, engine, tmp_path, FAULTS) as (house, acceptor):
        lines: list[dict[str, object]] = []
        for wanted in (6, 8, 8):
            new = [new_id_text() for _ in range(20)]
            keys += new
            lines += [house.order(key) for key in new]
            with house.engine() as running:
                house.priced()
                before = acceptor.asked_count
                with house.sending(lines):
                    until(partial(is_asked, acceptor, before + wanted))
                    running.process.kill()
        with house.engine() as running:
            house.priced()
            _, answers = house.send(lines)
            assert [each["report"]["client_order_id"] for each in answers] == keys
            until(lambda: not house.stage.floor.rows("SELECT FROM orders WHERE is_routed"))
            assert running.stop() == 0
        assert theirs(acceptor) == house.stage.ours()
    assert house.stage.aside() == []
    assert house.stage.floor.broken_laws() == {}


def test_what_was_taken_is_booked_and_answered_before_an_engine_stops(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, _), house.engine() as running:
        house.priced()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(house.place))
            keys = [new_id_text() for _ in range(4_000)]
            lines = "".join(json.dumps(house.order(key)) + "\n" for key in keys)
            Thread(target=send_all, args=(client, lines.encode()), daemon=True).start()
            answers = client.makefile("rb")
            assert b"report" in answers.readline()
            running.process.send_signal(signal.SIGTERM)
            rest = answers.read().splitlines()
            assert running.process.wait(60) == 0
        asked = house.stage.floor.one(
            "SELECT count(*) FROM orders WHERE client_order_id = ANY(%s)", keys
        )
        assert len(rest) + 1 == asked
        assert all(b'"report"' in each for each in rest)
    assert house.stage.floor.broken_laws() == {}


def test_lines_are_sent_and_answered_as_they_come(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, _), house.engine() as running:
        house.priced()
        sending = subprocess.Popen(
            run("engine", "send", str(house.place)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(engine_database),
        )
        assert sending.stdin is not None
        assert sending.stdout is not None
        for _ in range(2):
            sending.stdin.write(json.dumps(house.order()) + "\n")
            sending.stdin.flush()
            assert "report" in json.loads(sending.stdout.readline())
        running.process.kill()
        assert sending.wait(30) == 1
        _, told = sending.communicate()
    assert "[ENGINE_UNREACHABLE]" in told


def test_a_line_that_is_no_command_is_refused_and_the_next_one_is_taken(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, _), house.engine():
        house.priced()
        wrong: list[dict[str, object]] = [
            {"command": "stop_out", "account_id": house.stage.account},
            house.order(quantty="1"),
            house.order(origin="stop_out"),
            house.order(quantity="many"),
            {"account_id": house.stage.account},
        ]
        status, answers = house.send([*wrong, house.order(account_id="1"), house.order()])
    assert status == 1
    codes = [each.get("error", {}).get("code") for each in answers]
    assert codes == ["INPUT_COMMAND_MALFORMED"] * 5 + ["INPUT_ID_MALFORMED", None]


def test_two_engines_never_share_a_socket(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with opened(engine_database, engine, tmp_path) as (house, _), house.engine():
        second = subprocess.run(
            run("engine", "run", "--socket", str(house.place), "--json"),
            env=environment(engine_database),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert json.loads(second.stdout)["error"]["code"] == "ENGINE_SOCKET_TAKEN"
        house.priced()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run",), "PROVIDER_NOT_CONNECTED"),
        (("run", "--provider", "LP-NONE"), "PROVIDER_NOT_CONNECTED"),
        (("run", "--symbol", "EURXXX"), "INSTRUMENT_UNKNOWN"),
        (("run", "--socket", "./missing/orders.sock"), "ENGINE_SOCKET_UNUSABLE"),
        (("send", "./nobody.sock"), "ENGINE_UNREACHABLE"),
    ],
)
def test_what_cannot_be_run_or_reached_says_so(
    floor: Floor, tmp_path: Path, words: Sequence[str], code: str
) -> None:
    told = subprocess.run(
        run("engine", *words),
        env=environment(floor.conninfo),
        cwd=tmp_path,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert f"[{code}]" in told.stderr
    assert "hint:" in told.stderr


def test_a_file_in_the_place_of_the_socket_is_left_as_it_is(floor: Floor, tmp_path: Path) -> None:
    precious = tmp_path / "orders.jsonl"
    precious.write_text("precious")
    told = subprocess.run(
        run("engine", "run", "--socket", str(precious)),
        env=environment(floor.conninfo),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert precious.read_text() == "precious"
