"""A client of a running engine's line: one command, one answer, within a deadline.

Each command has a connection of its own, so a slow one holds nobody up. Until a command was sent
it is certain that nothing was done; from then on, without an answer, nothing is: that is told as
unknown, and the same command under the same key asks what became of it.
"""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import DatabaseError, ErrorCode, StateError, TradewrightError

_ANSWER_BYTES_MAX = 1_048_576
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class EngineLine:
    """Where an engine takes commands."""

    socket: Path

    def ask(self, command: Mapping[str, object], *, seconds: float) -> dict[str, Any]:
        """Give a command to the engine and return its report.

        Raises:
            StateError: ENGINE_UNREACHABLE; nothing was done.
            DatabaseError: ENGINE_OUTCOME_UNKNOWN; it may have been done, or may yet be.
            TradewrightError: what the engine refuses it with.

        """
        (answer,) = self.ask_all([command], seconds=seconds)
        if isinstance(answer, TradewrightError):
            raise answer
        return answer

    def ask_all(
        self, commands: Sequence[Mapping[str, object]], *, seconds: float
    ) -> list[dict[str, Any] | TradewrightError]:
        """Give commands to the engine one after the other; return what became of each.

        Raises:
            StateError: ENGINE_UNREACHABLE; nothing was done.

        """
        ends_at = monotonic_seconds() + seconds
        answers: list[bytes] = []
        why = "the engine has hung up"
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            try:
                line.connect(str(self.socket))
            except OSError as error:
                raise _unreachable(error) from None
            try:
                line.sendall(b"".join(json.dumps(one).encode() + b"\n" for one in commands))
                answers.extend(_answers(line, len(commands), ends_at))
            except OSError as error:
                why = str(error.strerror or error)
        unknown = [_unknown(why, seconds) for _ in commands[len(answers) :]]
        return [*(_report(each, seconds) for each in answers), *unknown]

    def is_there(self, *, seconds: float = 1) -> bool:
        """Return whether an engine listens."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            try:
                line.connect(str(self.socket))
            except OSError:
                return False
        return True


def _answers(line: socket.socket, count: int, ends_at: float) -> Iterator[bytes]:
    """Read so many lines; fewer when the engine hangs up before."""
    read = bytearray()
    while count and len(read) < _ANSWER_BYTES_MAX:
        line.settimeout(max(ends_at - monotonic_seconds(), 0.001))
        chunk = line.recv(_CHUNK_BYTES)
        if not chunk:
            return
        read += chunk
        *whole, rest = read.split(b"\n")
        yield from map(bytes, whole)
        count, read = count - len(whole), rest


def _report(answer: bytes, seconds: float) -> dict[str, Any] | TradewrightError:
    """Return what an answer says; one that says nothing known leaves the outcome unknown."""
    try:
        said = json.loads(answer)
        report: dict[str, Any] | None = said.get("report")
        return _refusal(said["error"]) if report is None else report
    except (ValueError, KeyError, TypeError, AttributeError):
        return _unknown("its answer cannot be read", seconds)


def _refusal(told: Mapping[str, Any]) -> TradewrightError:
    return TradewrightError(
        ErrorCode(told["code"]),
        told["what"],
        why=told["why"],
        hint=told["hint"],
        facts=told["facts"],
    )


def _unreachable(error: OSError) -> StateError:
    return StateError(
        ErrorCode.ENGINE_UNREACHABLE,
        "no engine takes commands now",
        why=f"The system says: {error.strerror or error}. Nothing was done.",
        hint="Ask again soon; start one with tradewright engine run --socket.",
    )


def _unknown(why: str, seconds: float) -> DatabaseError:
    return DatabaseError(
        ErrorCode.ENGINE_OUTCOME_UNKNOWN,
        f"the engine has not answered within {seconds:g} seconds",
        why=f"It was sent the command; then: {why}. It may have been done, or may yet be.",
        hint="Send the same again under the same key: what was done is answered, not done twice.",
    )
