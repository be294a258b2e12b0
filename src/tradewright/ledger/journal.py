"""The journal of one batch: movements over locked holders, written as one set of rows.

A batch locks its holders (`store.lock_wallets`, or its own query for accounts), makes its
movements here with running balances, and writes them in four statements: transfers and entries by
COPY, then the balances of wallets and of accounts. The database's guards refuse balances that the
entries do not explain, so a mistake here cannot be committed.
"""

from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.postgres.connect import Session
from tradewright.postgres.copy_rows import copy_rows
from tradewright.postgres.queries import load_queries


class Journal:
    """Collects the transfers and entries of one batch."""

    def __init__(self) -> None:
        self._transfers: list[str] = []
        self._entries: list[str] = []
        self._holders: dict[str, Holder] = {}

    @property
    def transfer_count(self) -> int:
        """Return how many transfers the batch has made."""
        return len(self._transfers)

    def receive(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, source: str
    ) -> None:
        """Move `amount` from the house holder `source` to `holder`."""
        transfer = self._transfer(
            transaction_id, operation, source, holder.id, f"{holder.currency}\t{amount}"
        )
        self._enter(holder, amount, transfer, f"{transaction_id}\t{operation}\tcredit")

    def give(
        self, holder: Holder, amount: Decimal, *, transaction_id: str, operation: str, sink: str
    ) -> None:
        """Move `amount` from `holder` to the house holder `sink`."""
        transfer = self._transfer(
            transaction_id, operation, holder.id, sink, f"{holder.currency}\t{amount}"
        )
        self._enter(holder, -amount, transfer, f"{transaction_id}\t{operation}\tdebit")

    def pass_on(
        self, giver: Holder, receiver: Holder, amount: Decimal, *, transaction_id: str
    ) -> None:
        """Move `amount` between two client holders; the operations say in which direction."""
        operation = f"{giver.kind}_to_{receiver.kind}"
        transfer = self._transfer(
            transaction_id, operation, giver.id, receiver.id, f"{giver.currency}\t{amount}"
        )
        self._enter(giver, -amount, transfer, f"{transaction_id}\ttransfer_out\tdebit")
        self._enter(receiver, amount, transfer, f"{transaction_id}\ttransfer_in\tcredit")

    def write(self, connection: Session) -> None:
        """Write everything in the caller's transaction; the holders must still be locked by it."""
        if not self._transfers:
            return
        queries = load_queries("tradewright.ledger")
        copy_rows(connection, queries["copy_transfers"], self._transfers)
        copy_rows(connection, queries["copy_entries"], self._entries)
        for kind, query in (
            (HolderKind.ACCOUNT, "update_account_balances"),
            (HolderKind.WALLET, "update_wallet_balances"),
        ):
            moved = sorted(
                (holder for holder in self._holders.values() if holder.kind is kind),
                key=lambda holder: holder.id,
            )
            if moved:
                connection.execute(
                    queries[query],
                    {
                        "ids": [holder.id for holder in moved],
                        "balances": [holder.available for holder in moved],
                        "versions": [holder.version for holder in moved],
                    },
                )

    def _transfer(
        self, transaction_id: str, operation: str, debit_id: str, credit_id: str, money: str
    ) -> str:
        transfer_id = new_id_text()
        self._transfers.append(
            f"{transfer_id}\t{transaction_id}\t{operation}\t{debit_id}\t{credit_id}\t{money}\n"
        )
        return transfer_id

    def _enter(self, holder: Holder, change: Decimal, transfer_id: str, purpose: str) -> None:
        before = holder.available
        holder.available = after = before + change
        holder.version += 1
        self._holders[holder.id] = holder
        self._entries.append(
            f"{holder.id}\t{holder.version}\t{holder.user_id}\t{holder.currency}\t{purpose}\t"
            f"{abs(change)}\t{before}\t{after}\t{holder.reserved}\t{holder.reserved}\t"
            f"{transfer_id}\n"
        )
