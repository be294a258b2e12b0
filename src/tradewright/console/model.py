"""Values of the console: who looks at it, what is asked, what a page shows and what a form did.

A page is a function of a visit that returns what is to be shown; a form is one that changes
something by the rooms' own services and returns where to go on. Neither knows of HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from tradewright.access import Action, Caller
from tradewright.console.lookout import Lookout
from tradewright.postgres.connect import Session
from tradewright.wiring import House

Form = Mapping[str, tuple[str, ...]]
"""What a form says: the values under each name, as they were sent."""


def first(form: Form, name: str) -> str:
    """Return what a form says first under a name, or nothing."""
    return "".join(form.get(name, ())[:1])


class Method(StrEnum):
    """Looking changes nothing; what a form sends may."""

    LOOK = "GET"
    SEND = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request: by whom, for what, on which session of the database, in autocommit."""

    house: House
    lookout: Lookout
    caller: Caller
    session: Session
    path: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=dict)

    def word(self, name: str) -> str | None:
        """Return what is asked for under a name; None when that is nothing."""
        return self.asked.get(name, "").strip() or None

    def said(self, name: str) -> str:
        """Return what the form says under a name, without blanks around it."""
        return first(self.form, name).strip()


class Shown(NamedTuple):
    """What a page shows: a template and its facts."""

    template: str
    facts: Mapping[str, Any]


class Done(NamedTuple):
    """What a form has done, as a key of `TOLD`, and the page to go on with."""

    place: str
    what: str


class Led(NamedTuple):
    """Where a page leads on at once: another page of the console."""

    place: str


TOLD: Mapping[str, str] = {
    "acknowledged": "Acknowledged.",
    "approved": "The payment is approved.",
    "sent_back": "It is sent back: it leaves suspense when its provider tells of it.",
    "checked": "Every law was held against the database.",
    "halted": "Halted: nothing is opened there any more, and what rested is canceled.",
    "moved": "The circuit breaker is moved.",
    "reduced": "Positions there may only be reduced now.",
    "refused": "The payment is refused.",
    "resumed": "Trading is resumed there.",
}
"""What is told after a form; an address names the key alone, so nobody can put words into it."""


class Page(NamedTuple):
    """A page or a form: what its visitor must be allowed, where it is, and the work behind it.

    A page of `Method.LOOK` cannot write: its session of the database refuses to.
    """

    action: Action
    path: str
    work: Callable[[Visit], Shown | Done | Led]
    method: Method = Method.LOOK
