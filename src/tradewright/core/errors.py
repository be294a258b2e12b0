"""The error tree: every failure that a user may read is one of these.

    TradewrightError
    ├── InputError          what was given cannot be accepted; nothing was changed
    ├── StateError          what was asked for does not fit the state it met
    ├── MoneyError          a movement of money was refused by the ledger
    ├── DatabaseError       the server refused, failed or could not be reached
    │   └── RetryableError  the same transaction may succeed if it is run again
    ├── MigrationError      a migration cannot be found, read, applied or rolled back
    └── InternalError       a law of the house is broken: a defect, not a use

An error carries a code (`CATEGORY_CONDITION`), *what* happened (a short fact), *why* (facts in
sentences), a *hint* (what to do, beginning with a verb) and the facts as values. The command
line, HTTP and the console render the same object. Codes are documented in
docs/reference/error-codes.md; a test keeps the list and the page equal.
"""

from collections.abc import Mapping
from functools import partial

from tradewright.core.error_codes import ErrorCode

__all__ = [
    "DatabaseError",
    "ErrorCode",
    "InputError",
    "InternalError",
    "MigrationError",
    "MoneyError",
    "RetryableError",
    "StateError",
    "TradewrightError",
]


class TradewrightError(Exception):
    """A failure in words for its reader.

    `what` is a short fact without a full stop, naming the kind of object, its quoted name and the
    real values; `why` gives the facts behind it in sentences; `hint` begins with a verb.
    """

    def __init__(
        self,
        code: ErrorCode,
        what: str,
        *,
        why: str = "",
        hint: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.hint = hint
        self.facts = dict(facts or {})

    def __str__(self) -> str:
        return self.render()

    def __reduce__(self) -> tuple[object, ...]:
        words = partial(type(self), why=self.why, hint=self.hint, facts=self.facts)
        return (words, (self.code, self.what))

    def render(self) -> str:
        """Return the error as lines of text: the fact with its code, why, and what to do."""
        lines = [f"{self.what} [{self.code}]"]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return the error as JSON-ready values; facts are given as text."""
        return {
            "code": str(self.code),
            "what": self.what,
            "why": self.why,
            "hint": self.hint,
            "facts": {key: str(value) for key, value in self.facts.items()},
        }


class InputError(TradewrightError):
    """What was given cannot be accepted; nothing was changed."""


class StateError(TradewrightError):
    """What was asked for does not fit the state it met; nothing was changed."""


class MoneyError(TradewrightError):
    """A movement of money was refused by the ledger; nothing was moved."""


class DatabaseError(TradewrightError):
    """The server refused, failed or could not be reached."""


class RetryableError(DatabaseError):
    """The same transaction may succeed if it is run again as a whole."""


class MigrationError(TradewrightError):
    """A migration cannot be found, read, applied or rolled back."""


class InternalError(TradewrightError):
    """A law of the house is broken: a defect to be reported, not a use to be corrected."""
