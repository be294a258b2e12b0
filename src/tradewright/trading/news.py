"""What engines tell each other: which accounts their batches have changed, so that others look.

It is told and heard by the thread of the vigil, after the commit and on the session that proves the
engine's life: a notification takes a lock of the whole server when it commits, and no batch waits
for that. It only tells where to look, so it may come twice or late. What may have been lost, with
its teller or with our session, is looked for in every account in which anything is open. `looking`
looks, `presence` is the database's side of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from tradewright.core.errors import InputError
from tradewright.core.ids import require_ids
from tradewright.trading.batch import Booked
from tradewright.trading.house_commands import HOUSE, HOUSE_CHANGED, LookAgain
from tradewright.trading.house_watch import HouseWatch
from tradewright.trading.looking import Looking
from tradewright.trading.model import Command
from tradewright.trading.presence import Presence
from tradewright.trading.watch import Watchers

TOLD_TOGETHER = 150
"""Accounts in one message: a notification holds less than 8,000 bytes."""


class News:
    """What is to be told and was heard; `note` belongs to the writers, the rest to the vigil."""

    def __init__(
        self,
        presence: Presence,
        watchers: Watchers,
        house: HouseWatch,
        lock: AbstractContextManager[object],
        propose: Callable[[Sequence[Command]], object],
    ) -> None:
        self._presence = presence
        self._looking = Looking(presence.open_session, presence.trading, watchers, house, lock)
        self._lock = lock
        self._propose = propose
        self._untold: dict[str, None] = {}

    def note(self, booked: Booked) -> None:
        """Note what a committed batch has changed, if another engine is there to be told.

        What it has set aside only the database counts into the exposure: that is read anew.
        """
        if booked.desk.changes.unsolicited:
            self._looking.look_at_house()
        if len(booked.desk.reference.engines) > 1:
            changed = dict.fromkeys(_changed_by(booked))
            with self._lock:
                self._untold.update(changed)

    def exchange(self) -> None:
        """Tell what we have changed, and look at some of what others have.

        Raises:
            psycopg.Error: the session was lost; nothing is forgotten.

        """
        self._tell()
        for text in self._presence.hear():
            if text == HOUSE_CHANGED:
                self._looking.look_at_house()
            self._looking.add(read_message(text))
        if self._presence.may_have_missed:
            self._looking.find(self._presence.accounts_at_risk())
            self._presence.may_have_missed = False
            self._propose([LookAgain(account_id=HOUSE)])
        self._looking.refresh(self._presence.reference_version())
        self._propose(self._looking.look())

    def close(self) -> None:
        """End what the thread of the vigil has left open."""
        self._looking.close()

    def _tell(self) -> None:
        with self._lock:
            untold, self._untold = self._untold, {}
        try:
            self._presence.tell([*messages(untold)])
        except BaseException:
            with self._lock:
                self._untold.update(untold)
            raise


def messages(account_ids: Iterable[str]) -> Iterator[str]:
    """Write accounts as messages that are short enough."""
    remaining = list(account_ids)
    for start in range(0, len(remaining), TOLD_TOGETHER):
        yield json.dumps(remaining[start : start + TOLD_TOGETHER])


def read_message(text: str) -> list[str]:
    """Return the accounts of a message; none of what no engine would say.

    Anybody who may connect may send one; it makes us look and do nothing else.
    """
    try:
        account_ids = [str(one) for one in json.loads(text)]
        require_ids(*account_ids)
    except (ValueError, TypeError, InputError):
        return []
    return account_ids


def _changed_by(booked: Booked) -> Iterator[str]:
    """Give the accounts that a batch has changed; all that it has read if it was booked before."""
    desk = booked.desk
    if booked.is_recovered:
        yield from desk.accounts
    for order in desk.changes.orders.values():
        yield order.account_id
    for position in (*desk.changes.positions.values(), *desk.changes.amended.values()):
        yield position.account_id
    for account in desk.accounts.values():
        if account.holder.has_moved:
            yield account.id
