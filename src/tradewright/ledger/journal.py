"""The journal of one batch: movements over locked holders, written as one set of rows.

A batch locks its holders (`store.lock_wallets`, or its own query for accounts), makes its
movements here with running balances, and writes them in four statements: transfers, entries, then
the balances of wallets and of accounts. The database's guards refuse balances that the
entries do not explain, so a mistake here cannot be committed.
"""

from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.postgres.arrays import columns
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

_TRANSFER = (
    "ids",
    "transaction_ids",
    "operations",
    "debit_ids",
    "credit_ids",
    "currencies",
    "amounts",
)
_ENTRY = (
    "holder_ids",
    "versions",
    "user_ids",
    "currencies",
    "transaction_ids",
    "operations",
    "effects",
    "amounts",
    "available_before",
    "available_after",
    "reserved",
    "transfer_ids",
)


class Journal:
    """Collects the transfers and entries of one batch."""

    def __init__(self) -> None:
        self._transfers: list[tuple[object, ...]] = []
        self._entries: list[tuple[object, ...]] = []
        self._holders: dict[str, Holder] = {}

    @property
    def transfer_count(self) -> int:
        """Return how many transfers the batch has made."""
        return len(self._transfers)

    def receive(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, source: str
    ) -> None:
        """Move `amount` from the house holder `source` to `holder`."""
        movement = (transaction_id, operation)
        transfer = self._transfer(movement, (source, holder.id), (holder.currency, amount))
        self._enter(holder, amount, movement, transfer)

    def give(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, sink: str
    ) -> None:
        """Move `amount` from `holder` to the house holder `sink`."""
        movement = (transaction_id, operation)
        transfer = self._transfer(movement, (holder.id, sink), (holder.currency, amount))
        self._enter(holder, -amount, movement, transfer)

    def pass_on(
        self, giver: Holder, receiver: Holder, amount: Decimal, *, transaction_id: str
    ) -> None:
        """Move `amount` between two client holders; the operations say in which direction."""
        movement = (transaction_id, f"{giver.kind}_to_{receiver.kind}")
        transfer = self._transfer(movement, (giver.id, receiver.id), (giver.currency, amount))
        self._enter(giver, -amount, (transaction_id, "transfer_out"), transfer)
        self._enter(receiver, amount, (transaction_id, "transfer_in"), transfer)

    def write(self, statements: Statements) -> None:
        """Write everything in the caller's transaction; the holders must still be locked by it."""
        if not self._transfers:
            return
        queries = load_queries("tradewright.ledger")
        statements.execute(queries["write_transfers"], columns(_TRANSFER, self._transfers))
        statements.execute(queries["write_entries"], columns(_ENTRY, self._entries))
        for kind, query in (
            (HolderKind.ACCOUNT, "update_account_balances"),
            (HolderKind.WALLET, "update_wallet_balances"),
        ):
            moved = sorted(
                (holder for holder in self._holders.values() if holder.kind is kind),
                key=lambda holder: holder.id,
            )
            if moved:
                statements.execute(
                    queries[query],
                    {
                        "ids": [holder.id for holder in moved],
                        "balances": [holder.available for holder in moved],
                        "versions": [holder.version for holder in moved],
                    },
                )

    def _transfer(
        self, movement: tuple[str, str], holders: tuple[str, str], money: tuple[str, Decimal]
    ) -> str:
        transfer_id = new_id_text()
        self._transfers.append((transfer_id, *movement, *holders, *money))
        return transfer_id

    def _enter(
        self, holder: Holder, change: Decimal, movement: tuple[str, str], transfer_id: str
    ) -> None:
        before = holder.available
        holder.available = after = before + change
        holder.version += 1
        self._holders[holder.id] = holder
        self._entries.append(
            (
                holder.id,
                holder.version,
                holder.user_id,
                holder.currency,
                *movement,
                "credit" if change > 0 else "debit",
                abs(change),
                before,
                after,
                holder.reserved,
                transfer_id,
            )
        )
