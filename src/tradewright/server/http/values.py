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


def written(instant: datetime) -> str:
    """Return a time as RFC 3339 in UTC, with microseconds."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _read(said: object) -> Decimal:
    if not isinstance(said, str) or not _DIGITS.fullmatch(said):
        raise ValueError('a number is written in digits, as text: "1.50"')
    return Decimal(said)


Amount = Annotated[
    Decimal,
    PlainSerializer(_plain, return_type=str),
    Field(json_schema_extra={"type": "string", "examples": ["1000.5"]}),
]
"""A number of an answer."""

GivenAmount = Annotated[
    Decimal,
    BeforeValidator(_read, json_schema_input_type=str),
    PlainSerializer(_plain, return_type=str),
    Field(json_schema_extra={"type": "string", "pattern": f"^{_DIGITS.pattern}$"}),
]
"""A number of a body: text, exact as it is written."""

Instant = Annotated[
    datetime,
    PlainSerializer(written, return_type=str),
    Field(json_schema_extra={"examples": ["2026-01-13T09:30:00.000000Z"]}),
]
"""A time of an answer."""


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
