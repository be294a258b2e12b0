"""The house's own commands as processes of their own, started, killed and started again.

Each writes what it tells into a file. A `Program` runs all the time, and is started again when it
has ended by itself, as a service manager does; one that does not say that the database was away has
failed. `again_and_again` is what cron does, and what a service manager does.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, InternalError

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Program:
    """One command that is to run all the time; `failures` says how it ended unasked.

    It may be killed from one thread while another looks after it.
    """

    name: str
    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    kills: int = 0
    failures: list[str] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None
    _runs: int = 0
    _lock: RLock = field(default_factory=RLock)

    @property
    def told(self) -> Path:
        """Return the file of what the present run tells."""
        return self.folder / f"{self.name}-{self._runs}.log"

    def start(self, *more: str) -> None:
        """Start it; `more` words are for this run and those after it."""
        self.words = [*self.words, *more]
        self._runs += 1
        with self.told.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewright", *self.words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )

    def fact(self, name: str) -> Any:
        """Wait until it tells a fact in a line of JSON, and return it.

        Raises:
            InternalError: INTERNAL_DEFECT when it ends before, or says nothing in time.

        """
        deadline = monotonic_seconds() + START_SECONDS_MAX
        while monotonic_seconds() < deadline and not self._has_ended():
            for told in self._facts():
                if name in told:
                    return told[name]
            pause(_PAUSE_SECONDS)
        raise InternalError(
            ErrorCode.INTERNAL_DEFECT,
            f"{self.name} did not start",
            why=self.told.read_text(errors="replace")[-2_000:],
            hint="Run the command by hand.",
            facts={"words": list(self.words)},
        )

    def kill(self) -> None:
        """Kill it as a power cut would (SIGKILL), and start it again."""
        with self._lock:
            self._note_end()
            self._send(signal.SIGKILL)
            self.kills += 1
            self.start()

    def look_after(self) -> None:
        """Start it again if it has ended by itself."""
        with self._lock:
            if self._process is not None and self._note_end():
                self.start()

    def stop(self) -> None:
        """Ask it to stop (SIGTERM); one that does not in time, or not well, has failed."""
        if self._note_end() or self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.failures.append(f"{self.name} did not stop within {STOP_SECONDS_MAX} s")
            self._send(signal.SIGKILL)
        else:
            if code:
                self._note(f"{self.name} ended with {code} when it was told to stop")
        self._process = None

    def run_once(self) -> int:
        """Run it to its end; return its exit code."""
        self.start()
        return self._process.wait() if self._process is not None else 0

    def interrupt(self) -> None:
        """Kill it if it runs, and do not start it again."""
        if not self._has_ended():
            self._send(signal.SIGKILL)
            self.kills += 1

    def end(self) -> None:
        """End it at once, if it still runs."""
        if self._process is not None:
            self._send(signal.SIGKILL)
            self._process = None

    def _facts(self) -> Iterator[dict[str, Any]]:
        """Give every whole line of JSON that it has told."""
        for line in self.told.read_bytes().splitlines(keepends=True):
            if line.startswith(b"{") and line.endswith(b"\n"):
                yield json.loads(line)

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _note_end(self) -> bool:
        """Return whether it has ended by itself, and note that unless the database was away."""
        if not self._has_ended():
            return False
        if self._process is not None and b"DATABASE_UNREACHABLE" not in self.told.read_bytes():
            self._note(f"{self.name} ended by itself with {self._process.returncode}")
        return True

    def _note(self, what: str) -> None:
        last = self.told.read_text(errors="replace").strip().splitlines()[-1:]
        self.failures.append(": ".join([what, *last]))

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()


@contextmanager
def again_and_again(work: Callable[[], object], *, every_seconds: float) -> Iterator[None]:
    """Do something every few seconds, in a thread, until this is left."""
    over = Event()

    def run() -> None:
        while not over.wait(every_seconds):
            work()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
