"""`tradewright engine`: run an engine with the providers that are connected, and send it orders."""

import json
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import IO

import click

from tradewright.cli import options
from tradewright.cli.extras import LISTENING, require_installed
from tradewright.cli.signals import until_signal
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.target import open_database
from tradewright.server.address import Address
from tradewright.server.running import EngineRun, run_engine
from tradewright.wiring import House

PASSWORD = "TRADEWRIGHT_FIX_PASSWORD"  # noqa: S105 (a variable's name)
"""The environment's variable for every provider; with `_CODE` behind it, for one."""

CHUNK_BYTES = 65_536


@click.group("engine", epilog=options.example("tradewright engine run --socket ./orders.sock"))
def command() -> None:
    """Run an engine with the providers that are connected over FIX, and send it orders."""


@command.command(
    "run", epilog=options.example("tradewright engine run --socket ./orders.sock --writers 2")
)
@click.option(
    "--socket",
    "place",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take orders there, for whoever may open the file: you alone. Without it none are taken.",
)
@click.option(
    "--writers", default=1, show_default=True, type=click.IntRange(1, 64), help="How many write."
)
@click.option("--symbol", "symbols", multiple=True, help="Only its prices; may be given often.")
@click.option("--provider", "codes", multiple=True, help="Only this one; may be given often.")
@click.option(
    "--report-seconds", default=60.0, show_default=True, type=click.FloatRange(1), help="How often."
)
@click.option(
    "--metrics", type=LISTENING, help="Show figures for Prometheus there; port 0: a free one."
)
@options.with_database
def run_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    place: Path | None,
    writers: int,
    symbols: Sequence[str],
    codes: Sequence[str],
    *,
    report_seconds: float,
    metrics: Address | None,
) -> None:
    """Open the sessions of every provider and trade, until SIGTERM or SIGINT.

    Then what was taken is booked and answered, and the sessions are logged out; a second signal
    ends it at once, and the next start resolves what was in flight, as after a crash. Passwords are
    read from TRADEWRIGHT_FIX_PASSWORD_CODE, CODE being the provider's in capitals with _ for
    anything else, or else from TRADEWRIGHT_FIX_PASSWORD.
    """
    if metrics is not None:
        require_installed("showing figures", "prometheus_client")
    run = EngineRun(
        symbols=symbols,
        providers=codes,
        password_of=_password,
        socket=place,
        writers=writers,
        report_seconds=report_seconds,
        metrics=metrics,
    )
    tell = _teller(as_json=asked.as_json)
    with until_signal() as stopping, open_database(asked.url, asked.keep, makes=False) as database:
        run_engine(House(database.conninfo, database.server, asked.schema), run, tell, stopping)


def _password(code: str) -> str | None:
    """Return a provider's password from the environment: its own, else the one for all."""
    own = f"{PASSWORD}_{re.sub('[^A-Z0-9]', '_', code.upper())}"
    return os.environ.get(own) or os.environ.get(PASSWORD)


def _teller(*, as_json: bool) -> Callable[[str, Mapping[str, object]], None]:
    """Return what prints an event as a line, and let the house's warnings be printed so too."""
    lock = Lock()

    def tell(event: str, facts: Mapping[str, object]) -> None:
        at = f"{utc_now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        if as_json:
            line = json.dumps({"at": at, "event": event, **facts}, default=str)
        else:
            shown = (f"{name}={_shown(fact)}" for name, fact in facts.items())
            line = " ".join((at, event, *shown))
        with lock:
            click.echo(line)

    logger = logging.getLogger("tradewright")
    logger.addHandler(_Warnings(tell))
    logger.propagate = False
    return tell


class _Warnings(logging.Handler):
    """Tells what the rooms below log, as events of their own."""

    def __init__(self, tell: Callable[[str, Mapping[str, object]], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record."""
        self._tell(record.levelname.lower(), {"why": record.getMessage()})


def _shown(fact: object) -> str:
    """Return a fact as one word, quoted where it is several."""
    if isinstance(fact, (list, tuple)):
        return ",".join(str(one) for one in fact)
    text = str(fact)
    return json.dumps(text) if re.search(r'[\s"=]', text) or not text else text


@command.command(
    "send", epilog=options.example("tradewright engine send ./orders.sock orders.jsonl")
)
@click.argument("place", metavar="SOCKET", type=click.Path(path_type=Path))
@click.argument("file", type=click.File("rb"), default="-")
def send_command(place: Path, file: IO[bytes]) -> None:
    """Send commands to an engine, one JSON object a line; print its answers in the same order.

    Exit 1 when any of them was refused, or the engine went away: then send the same lines again,
    since what was done before is answered and not done twice.
    """
    refused = answered = 0
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(place))
        except OSError as error:
            raise _unreachable(place, f"The system says: {error.strerror or error}.") from None
        sending = _Sending(line, file)
        Thread(target=sending.send, daemon=True).start()
        for answer in _answers(line):
            answered += 1
            refused += b'{"error"' in answer[:8]
            click.echo(answer, nl=False)
    if not sending.is_done or answered < sending.count:
        raise _unreachable(place, f"It has answered {answered} of {sending.count} lines.")
    sys.exit(1 if refused else 0)


@dataclass(slots=True)
class _Sending:
    """Sends line by line as they come, then says that nothing follows."""

    line: socket.socket
    file: IO[bytes]
    count: int = 0
    is_done: bool = False

    def send(self) -> None:
        """Send everything; that the engine is gone is found out by who reads its answers."""
        with suppress(OSError):
            for each in _lines(self.file.fileno()):
                if each.strip():
                    self.count += 1
                    self.line.sendall(each + b"\n")
            self.is_done = True
            self.line.shutdown(socket.SHUT_WR)


def _lines(place: int) -> Iterator[bytes]:
    """Yield lines as they come; who waits here holds no lock that the end of the process needs."""
    rest = b""
    while chunk := os.read(place, CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    yield rest


def _answers(line: socket.socket) -> Iterator[bytes]:
    """Yield whole answers until the engine hangs up."""
    try:
        yield from (answer for answer in line.makefile("rb") if answer.endswith(b"\n"))
    except OSError:
        return


def _unreachable(place: Path, why: str) -> StateError:
    return StateError(
        ErrorCode.ENGINE_UNREACHABLE,
        f'no engine has answered all commands at "{place}"',
        why=why,
        hint="Start one with tradewright engine run --socket, then send the same lines again.",
        facts={"socket": str(place)},
    )
