"""What comes in over HTTP, read with limits, before anything is asked of the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request

from tradewright.console.model import Form
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError

ROOT = "/console"
"""Where the console is, below where the server is."""

FORM_BYTES_MAX = 16_384
_FIELDS_MAX = 1_000


class Asked(NamedTuple):
    """A request as far as the console looks at it; `root` is where the console is.

    `looks_again`: a page has asked for itself, and nobody has done anything.
    """

    root: str
    path: str
    query: str
    parameters: Mapping[str, str]
    asked: Mapping[str, str]
    cookies: Mapping[str, str]
    address: str
    is_secure: bool
    is_from_elsewhere: bool
    looks_again: bool
    read_at: datetime
    body: bytes


async def read_request(request: Request) -> Asked:
    """Read a request; of a body no more than a form may be long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise _too_long()
    root = request.scope.get("root_path", "") + ROOT
    _require_text(request.query_params)
    return Asked(
        root=root,
        path=request.scope["path"].removeprefix(root),
        query=request.url.query,
        parameters=request.path_params,
        asked=request.query_params,
        cookies=request.cookies,
        address=request.client.host if request.client else "",
        is_secure=request.url.scheme == "https",
        is_from_elsewhere=request.headers.get("sec-fetch-site", "same-origin")
        not in {"same-origin", "none"},
        read_at=utc_now(),
        looks_again="x-looks-again" in request.headers,
        body=body,
    )


def _require_text(asked: Mapping[str, str]) -> None:
    if any("\x00" in word for pair in asked.items() for word in pair):
        raise InputError(
            ErrorCode.CONSOLE_FORM_MALFORMED,
            "the address says a character of no text (U+0000)",
            why="Nothing that can be looked for has it.",
            hint="Leave it out, and ask again.",
        )


def form_of(asked: Asked) -> Form:
    """Return what a form says.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    try:
        text = asked.body.decode()
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise InputError(
            ErrorCode.CONSOLE_FORM_MALFORMED,
            "the form cannot be read",
            why="A form is sent as application/x-www-form-urlencoded in UTF-8.",
            hint="Send it again from its page.",
        ) from None
    if any("\x00" in value for name, values in found.items() for value in (name, *values)):
        raise malformed("a character of no text (U+0000)", "No field takes it.")
    return {name: tuple(values) for name, values in found.items()}


def malformed(what: str, why: str) -> InputError:
    """Return the error for a field that says what it cannot."""
    return InputError(
        ErrorCode.CONSOLE_FORM_MALFORMED,
        f"the form says {what}",
        why=why,
        hint="Go back, correct it, and send it again.",
    )


def _too_long() -> InputError:
    return InputError(
        ErrorCode.CONSOLE_FORM_MALFORMED,
        f"the form is longer than {FORM_BYTES_MAX} bytes",
        why="No form of the console needs so much.",
        hint="Shorten what is written in it.",
    )
