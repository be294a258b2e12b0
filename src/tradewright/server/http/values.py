"""How values look in JSON: amounts as texts of plain decimals, times in UTC with microseconds.

Answers are made of the rooms' own values by their field names; bodies take no field that is not
named, so a word that is misspelt is refused and not passed over.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from tradewright.core.money import read_number

_DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"


def _written(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _read(said: object) -> Decimal:
    number = read_number(said) if isinstance(said, str) else None
    if number is None:
        raise ValueError('a number is written in digits, as text: "1.50"')
    return number


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
]
"""A number of a body: text, exact as it is written."""

Instant = Annotated[
    datetime,
    PlainSerializer(_written, return_type=str),
    Field(json_schema_extra={"examples": ["2026-01-13T09:30:00.000000Z"]}),
]
"""A time of an answer."""


class Answer(BaseModel):
    """What a route answers with, read off a value of a room."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Body(BaseModel):
    """What a route is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)
