"""The journal of one batch: movements over locked holders, written as one set of rows.

A batch locks its holders (`store.lock_wallets`, or its own query for accounts), makes its
movements here with running balances, and writes them in three statements: transfers with their
entries, then the balances of wallets and of accounts. The database's guards refuse balances that
the entries do not explain, so a mistake here cannot be committed.
"""

from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger.model import Hold, Holder, HolderKind, HouseCode
from tradewright.postgres.arrays import columns
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

_ENTRY = (
    "holder_ids",
    "versions",
    "user_ids",
    "currencies",
    "transaction_ids",
    "operations",
    "changes",
    "available_before",
    "reserved",
    "transfer_ids",
    "transfer_operations",
    "other_ids",
)

_BETWEEN_HOUSES = (
    "transaction_ids",
    "operations",
    "givers",
    "receivers",
    "currencies",
    "amounts",
)
_ENTRY_WITH_HOLD = (*_ENTRY, "effects", "reserved_after", "hold_ids")
_MADE = tuple(
    f"made_{name}"
    for name in ("ids", "holder_ids", "purposes", "amounts", "remaining", "expires_at")
)
_DRAWN = ("drawn_ids", "drawn_remaining")

_Transfer = tuple[str, str | None, str]
"""A transfer's id, its operation if this entry brings it, and the other side of it."""


class Journal:
    """Collects the transfers and entries of one batch."""

    def __init__(self) -> None:
        self._entries: list[tuple[object, ...]] = []
        self._holders: dict[str, Holder] = {}
        self._between_houses: list[tuple[object, ...]] = []
        self._transfer_count = 0
        self._holds: dict[str, Hold] = {}

    @property
    def transfer_count(self) -> int:
        """Return how many transfers the batch has made."""
        return self._transfer_count

    def receive(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, source: str
    ) -> None:
        """Move `amount` from the house holder `source` to `holder`."""
        self._enter(holder, amount, (transaction_id, operation), self._new(operation, source))

    def give(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, sink: str
    ) -> None:
        """Move `amount` from `holder` to the house holder `sink`."""
        self._enter(holder, -amount, (transaction_id, operation), self._new(operation, sink))

    def pass_on(
        self, giver: Holder, receiver: Holder, amount: Decimal, *, transaction_id: str
    ) -> None:
        """Move `amount` between two client holders; the operations say in which direction."""
        transfer = self._new(f"{giver.kind}_to_{receiver.kind}", receiver.id)
        self._enter(giver, -amount, (transaction_id, "transfer_out"), transfer)
        brought = (transfer[0], None, giver.id)
        self._enter(receiver, amount, (transaction_id, "transfer_in"), brought)

    def between_houses(
        self, giver: HouseCode, receiver: HouseCode, money: Money, *, key: tuple[str, str]
    ) -> None:
        """Move money between two of the house's holders of a currency.

        `key` is the transaction id and the operation. House holders keep no balance, so nothing
        here finds out a repeat: a row of the batch must do that.
        """
        self._transfer_count += 1
        self._between_houses.append((*key, giver, receiver, money.currency, money.amount))

    def set_aside(self, holder: Holder, hold: Hold, *, transaction_id: str) -> None:
        """Set a new hold's amount of a wallet aside."""
        self._draw(holder, hold, (-hold.amount, hold.amount), (transaction_id, "reserve"))

    def give_back(
        self, holder: Holder, hold: Hold, amount: Decimal, *, transaction_id: str
    ) -> None:
        """Give `amount` of a hold back to its wallet."""
        hold.remaining -= amount
        self._draw(holder, hold, (amount, -amount), (transaction_id, "release"))

    def take(
        self, holder: Holder, hold: Hold, amount: Decimal, *, transaction_id: str, sink: str
    ) -> None:
        """Move `amount` of a hold to the house holder `sink`."""
        hold.remaining -= amount
        changes = (Decimal(0), -amount)
        self._draw(holder, hold, changes, (transaction_id, "capture"), self._new("capture", sink))

    def write(self, statements: Statements) -> None:
        """Write everything in the caller's transaction; the holders must still be locked by it."""
        if self._between_houses:
            query = load_queries("tradewright.ledger")["move_between_houses_at_once"]
            statements.execute(query, columns(_BETWEEN_HOUSES, self._between_houses))
        if not self._entries:
            return
        if self._holds:
            self._write_with_holds(statements)
        else:
            query = load_queries("tradewright.ledger")["write_movements"]
            statements.execute(query, columns(_ENTRY, self._entries))
        self._write_balances(statements, HolderKind.ACCOUNT)
        self._write_balances(statements, HolderKind.WALLET)

    def _write_balances(self, statements: Statements, kind: HolderKind) -> None:
        """Write the balances of one kind of holder; wallets by place, which saves a walk each."""
        moved = sorted(
            (holder for holder in self._holders.values() if holder.kind is kind),
            key=lambda holder: holder.id,
        )
        if not moved:
            return
        query = f"update_{kind}_balances"
        figures: dict[str, list[object]] = {
            "ids": [holder.id for holder in moved],
            "balances": [holder.available for holder in moved],
            "versions": [holder.version for holder in moved],
        }
        if kind is HolderKind.WALLET:
            figures["places"] = [holder.place for holder in moved]
            if self._holds:
                query = "update_wallet_balances_and_reserved"
                figures["reserved"] = [holder.reserved for holder in moved]
        statements.execute(load_queries("tradewright.ledger")[query], figures)

    def _write_with_holds(self, statements: Statements) -> None:
        """Write all entries and holds by one statement, whose guards see both."""
        holds = sorted(self._holds.values(), key=lambda hold: hold.id)
        made = [
            (h.id, h.holder_id, h.purpose, h.amount, h.remaining, h.expires_at)
            for h in holds
            if h.is_new
        ]
        rows = [
            row if len(row) == len(_ENTRY_WITH_HOLD) else (*row, None, row[8], None)
            for row in self._entries
        ]
        statements.execute(
            load_queries("tradewright.ledger")["write_entries_and_holds"],
            {
                **columns(_ENTRY_WITH_HOLD, rows),
                **columns(_MADE, made),
                **columns(_DRAWN, [(h.id, h.remaining) for h in holds if not h.is_new]),
            },
        )

    def _draw(
        self,
        holder: Holder,
        hold: Hold,
        changes: tuple[Decimal, Decimal],
        movement: tuple[str, str],
        transfer: tuple[str | None, str | None, str | None] = (None, None, None),
    ) -> None:
        """Enter a change of available and reserved money by a hold."""
        before, reserved = holder.available, holder.reserved
        holder.available, holder.reserved = before + changes[0], reserved + changes[1]
        holder.version += 1
        self._holders[holder.id], self._holds[hold.id] = holder, hold
        kept = (holder.id, holder.version, holder.user_id, holder.currency)
        figures = (changes[0], before, reserved)
        drawn = (movement[1], holder.reserved, hold.id)
        self._entries.append((*kept, *movement, *figures, *transfer, *drawn))

    def _new(self, operation: str, other_id: str) -> _Transfer:
        self._transfer_count += 1
        return new_id_text(), operation, other_id

    def _enter(
        self, holder: Holder, change: Decimal, movement: tuple[str, str], transfer: _Transfer
    ) -> None:
        before = holder.available
        holder.available = before + change
        holder.version += 1
        self._holders[holder.id] = holder
        self._entries.append(
            (
                holder.id,
                holder.version,
                holder.user_id,
                holder.currency,
                *movement,
                change,
                before,
                holder.reserved,
                *transfer,
            )
        )
