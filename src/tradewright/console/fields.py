"""What a person writes into a field, read strictly: ids, days, numbers, targets and reasons."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tradewright.console.model import Visit
from tradewright.console.request import malformed
from tradewright.core.clock import utc_now
from tradewright.core.errors import InputError
from tradewright.core.money import read_number
from tradewright.risk.limits import Scope, Target

REASON_LENGTH_MAX = 500


def identifier(text: str) -> str:
    """Return a UUID as it is written everywhere.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    try:
        return str(UUID(text))
    except ValueError:
        raise _not("an id", text, "An id is a UUID, such as 0199c1d2-7f0a-7e3b-9a51-…") from None


def is_identifier(text: str) -> bool:
    """Tell whether a text is a UUID, in any of the ways to write one."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def asked_identifier(visit: Visit, name: str) -> str | None:
    """Return the id that is asked for, if one is."""
    word = visit.word(name)
    return None if word is None else identifier(word)


def reason_of(visit: Visit) -> str:
    """Return the reason that a form gives; who changes something says why.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    reason = visit.said("reason")
    if not reason:
        raise malformed("no reason", "Who changes something says why; it is kept.")
    if len(reason) > REASON_LENGTH_MAX:
        raise malformed(
            f"a reason of {len(reason)} characters", f"At most {REASON_LENGTH_MAX} are kept."
        )
    return reason


def target_of(visit: Visit) -> Target:
    """Return for whom or what something is to hold.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    scope, name = visit.said("scope"), visit.said("target")
    if scope not in set(Scope):
        raise _not("a scope", scope, f"It is one of {', '.join(Scope)}.")
    if Scope(scope) is Scope.ALL:
        if name:
            raise malformed(f'the name "{name}" for all', "What holds for all names nothing.")
        return Target()
    if not name:
        raise malformed(f"no name of the {scope}", "It says for whom or what this is to hold.")
    return Target(Scope(scope), identifier(name) if scope == Scope.ACCOUNT else name)


def day_of(visit: Visit, name: str, otherwise: date) -> date:
    """Return a day that is asked for, of UTC.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    word = visit.word(name)
    if word is None:
        return otherwise
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise _not("a day", word, "A day is written as 2026-01-31.") from None


class Days(NamedTuple):
    """Days of UTC, both of them included."""

    since: date
    until: date

    @property
    def begins(self) -> datetime:
        """Return the first instant."""
        return datetime.combine(self.since, time(), UTC)

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """Return between which ids stands what is of these days, and of an hour before and after.

        An id begins with the milliseconds since 1970 at which it was made (RFC 9562, section 5.7).
        """
        first, last = self.begins - _MADE_APART_MAX, self.ends + _MADE_APART_MAX
        return _id_at(first), _id_at(last)

    @property
    def ends(self) -> datetime:
        """Return the instant at which they are over."""
        return datetime.combine(self.until, time(), UTC) + timedelta(days=1)


_MADE_APART_MAX = timedelta(hours=1)
"""An id and its row's time are of two clocks, and a row may have waited."""


def _id_at(instant: datetime) -> UUID:
    milliseconds = max(0, int(instant.timestamp() * 1000))
    return UUID(int=milliseconds << 80)


def days_of(visit: Visit) -> Days:
    """Return the days that are asked for; today without any.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    today = utc_now().date()
    until = day_of(visit, "until", today)
    days = Days(day_of(visit, "since", until), until)
    if days.since > until or until == date.max:
        raise malformed(
            f"the days from {days.since} to {until}", "The first is not after the last."
        )
    return days


def number_of(visit: Visit, name: str) -> Decimal | None:
    """Return a number that is asked for, exact as it is written.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    word = visit.word(name)
    if word is None:
        return None
    number = read_number(word)
    if number is None:
        raise _not("a number", word, "A number is written as 12.5 or -12.5.")
    return number


def choice_of(visit: Visit, name: str, allowed: Iterable[object]) -> str | None:
    """Return a word that is asked for, if it is one of those allowed.

    Raises:
        InputError: CONSOLE_FORM_MALFORMED.

    """
    word, words = visit.word(name), [str(one) for one in allowed]
    if word is not None and word not in words:
        raise _not(f"a {name}", word, f"It is one of {', '.join(words)}.")
    return word


def _not(kind: str, text: str, why: str) -> InputError:
    return malformed(f'"{text[:80]}", which is not {kind}', why)
