"""How a client performs its commands over HTTP: each until its outcome is known.

A request whose answer was lost, or was told to be unknown, may have been booked or not; the client
sends it again under the same key to the other front. Nothing here knows the right outcome.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.processes import serve_requests
from tradewright.soak.house.asking import Asked, Memory, Request, contradicting, report_of
from tradewright.soak.house.commands import Command, CommandStream, Kind
from tradewright.soak.house.stage import Seat
from tradewright.soak.trading.asking import Outcome

RESOLVE_SECONDS_MAX = 90
ANSWER_SECONDS_MAX = 40
_PAUSE_SECONDS = 0.05
TOO_MANY = 429
_NOTHING_WAS_DONE = frozenset({TOO_MANY, 503})
"""Answers that say that the request was not taken: it is sent again, and nothing is unknown."""


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """What one client asked for, and why requests were sent again: by code, or `no answer`."""

    asked: Sequence[Asked]
    again: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    told: Mapping[str, Any]


@dataclass(slots=True)
class Performer:
    """Performs the commands of one client, one after the other, and keeps what came of them."""

    ports: Sequence[int]
    seats: Sequence[Seat]
    again: Counter[str] = field(default_factory=Counter)
    lines: dict[int, HTTPConnection] = field(default_factory=dict)

    def perform(self, memory: Memory, command: Command) -> None:
        """Perform a command until its outcome is known."""
        asked = Asked(command, Outcome(command.number))
        memory.asked.append(asked)
        asked.request = self._request(memory, asked)
        if asked.request is None:
            return
        outcome = asked.outcome
        outcome.sent, outcome.word = asked.request.sent, "unresolved"
        deadline, turn = monotonic_seconds() + RESOLVE_SECONDS_MAX, command.pick
        while outcome.word == "unresolved" and monotonic_seconds() < deadline:
            self._try(turn, asked, asked.request)
            turn += 1

    def close(self) -> None:
        """Close every connection."""
        for line in self.lines.values():
            line.close()
        self.lines.clear()

    def _request(self, memory: Memory, asked: Asked) -> Request | None:
        command = asked.command
        if command.kind in {Kind.REPEAT, Kind.CONTRADICT}:
            asked.target = memory.target(command)
            if asked.target is None or asked.target.request is None:
                return None
            first = asked.target.request
            return first if command.kind is Kind.REPEAT else contradicting(first)
        held = self._held(command) if command.kind is Kind.CLOSE else []
        return memory.request(command, held)

    def _try(self, turn: int, asked: Asked, request: Request) -> None:
        """Send a request once to the front whose turn it is."""
        answer = self._ask(turn, "POST", request.path, request.seat, request.body)
        outcome = asked.outcome
        if answer is None or answer.status >= 500 or answer.status == TOO_MANY:
            self.again["no answer" if answer is None else str(answer.told["code"])] += 1
            outcome.unknowns += answer is None or answer.status not in _NOTHING_WAS_DONE
            pause(_PAUSE_SECONDS)
        elif answer.status >= 400:
            outcome.word, outcome.code = "refused", str(answer.told.get("code", ""))
            asked.status = answer.status
        else:
            outcome.word, outcome.report = "done", report_of(request, answer.told)
            outcome.was_committed = outcome.unknowns > 0 and answer.status == 200
            asked.status = answer.status

    def _held(self, command: Command) -> Sequence[Mapping[str, Any]]:
        """Ask what is open in an account, of whichever front is there."""
        path = f"/v1/positions?account_id={self.seats[command.seat].account_id}"
        for turn in range(len(self.ports)):
            answer = self._ask(command.pick + turn, "GET", path, command.seat)
            if answer is not None and answer.status == 200:
                return list(answer.told["positions"])
        return []

    def _ask(
        self,
        turn: int,
        method: str,
        path: str,
        seat: int,
        body: Mapping[str, Any] | None = None,
    ) -> Answer | None:
        """Send a request to a front; return its answer, or None when it was lost."""
        port = self.ports[turn % len(self.ports)]
        line = self.lines.get(port) or HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
        self.lines[port] = line
        headers = {"Authorization": f"Bearer {self.seats[seat].key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if body is None else json.dumps(body)
        with suppress(OSError, HTTPException, ValueError):
            line.request(method, path, sent, headers)
            answer = line.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        self.lines.pop(port).close()
        return None


def serve_client(pipe: Connection, performer: Performer, seed: int, client: int) -> None:
    """Run in a process: perform commands for each number of seconds that arrives, until None."""
    stream = iter(CommandStream(seed, client, len(performer.seats)))
    memory = Memory(performer.seats)

    def perform_for(seconds: float) -> ClientRecord:
        end = monotonic_seconds() + seconds
        while monotonic_seconds() < end:
            for command in islice(stream, 1):
                performer.perform(memory, command)
        performer.close()
        return ClientRecord(memory.asked, performer.again)

    serve_requests(pipe, perform_for)
