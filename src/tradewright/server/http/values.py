"""How values look in JSON: amounts as texts of plain decimals, times in UTC with microseconds.

Answers are made of the rooms' own values by their field names; bodies take no field that is not
named, so a word that is misspelt is refused and not passed over.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_DIGITS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def written(instant: datetime) -> str:
    """Return a time as RFC 3339 in UTC, with microseconds."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def exact(amount: Decimal) -> str:
    """Return an amount in digits, every one of them, but for noughts that end it."""
    digits = f"{amount:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def _read_instant(said: object) -> datetime:
    if not isinstance(said, str) or not _INSTANT.fullmatch(said):
        raise ValueError("a time is RFC 3339 text with its offset: 2026-01-13T09:30:00Z")
    try:
        return datetime.fromisoformat(said).astimezone(UTC)
    except OverflowError:
        raise ValueError("a time lies in the years 1 to 9999 of UTC") from None


def _read(said: object) -> Decimal:
    if not isinstance(said, str) or not _DIGITS.fullmatch(said):
        raise ValueError('a number is written in digits, as text: "1.50"')
    return Decimal(said)


Amount = Annotated[
    Decimal,
    PlainSerializer(exact, return_type=str),
    Field(
        json_schema_extra={
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "examples": ["1000.5"],
        }
    ),
]
"""A number of an answer."""

GivenAmount = Annotated[
    Decimal,
    BeforeValidator(_read, json_schema_input_type=str),
    PlainSerializer(exact, return_type=str),
    Field(json_schema_extra={"type": "string", "pattern": f"^{_DIGITS.pattern}$"}),
]
"""A number of a body: text, exact as it is written."""

Instant = Annotated[
    datetime,
    PlainSerializer(written, return_type=str),
    Field(json_schema_extra={"format": "date-time", "examples": ["2026-01-13T09:30:00.000000Z"]}),
]
"""A time of an answer."""

GivenInstant = Annotated[
    datetime,
    BeforeValidator(_read_instant, json_schema_input_type=str),
    PlainSerializer(written, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
"""A time of a body: with its offset, since a time without one would be the server's own."""

Key = Annotated[str, Field(pattern="^[A-Za-z0-9._:-]{1,64}$")]
"""A key that a client makes: 1 to 64 letters, digits, and . _ : -"""

Symbol = Annotated[str, Field(pattern="^[A-Z0-9]{3,12}$")]
"""An instrument."""

Words = Annotated[str, Field(pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$", max_length=500)]
"""A reason, in words."""

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


class Answer(BaseModel):
    """What a route answers with, read off a value of a room."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Body(BaseModel):
    """What a route is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def text(row_id: UUID | None) -> str | None:
    """Return an id as the rooms take it."""
    return None if row_id is None else str(row_id)
