"""Asking an engine for what a client wants done: the command, its key, and for how long to wait.

The command is the one that `tradewright engine send` would send; its key makes it safe to repeat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from tradewright.access import Caller
from tradewright.core.errors import ErrorCode, InputError, StateError, TradewrightError
from tradewright.server.http.callers import Calling
from tradewright.server.http.engine_line import EngineLine
from tradewright.server.http.house import house_of

SECONDS = 5.0
"""For so long an answer is waited for where the client names no deadline."""

DEADLINE_MS_MAX = 30_000


def asker(
    request: Request,
    response: Response,
    calling: Calling,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern="^[A-Za-z0-9._:-]{1,64}$",
            description="The key of the command, where the body names none.",
        ),
    ] = None,
    deadline_ms: Annotated[
        int | None,
        Header(
            alias="Deadline-Ms",
            ge=1,
            le=DEADLINE_MS_MAX,
            description="For how long to wait; then the outcome is told as unknown (504).",
        ),
    ] = None,
) -> "Asker":
    """Return what asks the engine for one request."""
    seconds = SECONDS if deadline_ms is None else deadline_ms / 1000
    return Asker(request, response, calling, key, seconds)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks the engine for one command, under which key, and for how long it waits."""

    request: Request
    response: Response
    calling: Caller
    key: str | None
    seconds: float

    def key_of(self, named: UUID | str | None, what: str) -> str:
        """Return the key of the command, from its body or the header; both must agree.

        Raises:
            InputError: HTTP_REQUEST_MALFORMED when there is none, or there are two.

        """
        keys = {str(key) for key in (named, self.key) if key is not None}
        if len(keys) == 1:
            return keys.pop()
        raise InputError(
            ErrorCode.HTTP_REQUEST_MALFORMED,
            f"the request has {'two keys' if keys else 'no key'}",
            why=f"Each command has one, as {what} or in the header Idempotency-Key, "
            "so that it may be sent again.",
            hint=f"Give {what}.",
        )

    def ask(
        self, word: str, fields: Mapping[str, object], *, taken_away: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Give a command to the engine; return its report. What is None is left out of it.

        Fields that are `taken_away` are said to be nothing.

        Raises:
            StateError: ENGINE_UNREACHABLE, also where the server has no engine.
            DatabaseError: ENGINE_OUTCOME_UNKNOWN.
            TradewrightError: what the engine refuses it with.

        """
        said = {**_said(word, fields), **dict.fromkeys(taken_away)}
        return self._line().ask(said, seconds=self.seconds)

    def ask_all(
        self, word: str, fields: Sequence[Mapping[str, object]]
    ) -> list[dict[str, Any] | TradewrightError]:
        """Give the same command for several things; return what became of each.

        Raises:
            StateError: ENGINE_UNREACHABLE.

        """
        said = [_said(word, each) for each in fields]
        return self._line().ask_all(said, seconds=self.seconds) if said else []

    def _line(self) -> EngineLine:
        line = house_of(self.request).line
        if line is None:
            raise StateError(
                ErrorCode.ENGINE_UNREACHABLE,
                "no engine takes commands from here",
                why="This server was started without the socket of one. Nothing was done.",
                hint="Ask a server that has one, or start it with --socket.",
            )
        return line

    def made(self, report: Mapping[str, Any]) -> None:
        """Say whether something was made now (201), or had been before (200)."""
        self.response.status_code = 200 if report.get("is_replay") else 201


def _said(word: str, fields: Mapping[str, object]) -> dict[str, object]:
    return {"command": word, **{name: one for name, one in fields.items() if one is not None}}


Asking = Annotated[Asker, Depends(asker)]
