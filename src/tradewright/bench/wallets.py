"""The wallets of the ledger's benchmark: thousands to a million, opened in bulk.

Users have ids that a script can compute from a number, so that pgbench draws wallets without a
look-up. Each wallet is opened empty, as the guards demand, and funded through the ledger's batch.
"""

from collections.abc import Sequence
from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode, Movement, house_holder_ids, post_movements
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.wiring import House

USER_ID = "b0000000-0000-7000-8000-{number}"
"""The id of a user by a number of twelve digits, as queries.sql makes it."""

FIRST_NUMBER = 100_000_000_001

FUNDS = Decimal(1_000_000)
_OPENED_AT_ONCE = 20_000
_FUNDED_AT_ONCE = 1_000

_TIDY = "VACUUM (ANALYZE) {}"


def open_wallets(house: House, *, count: int, funded: int) -> list[str]:
    """Open `count` wallets, fund the first `funded`, and return the holder ids of those."""
    queries = load_queries("tradewright.bench")
    with house.session() as session:
        for first in range(1, count + 1, _OPENED_AT_ONCE):
            run = {"first": first, "last": min(count, first + _OPENED_AT_ONCE - 1)}
            with session.transaction():
                for name in ("open_bench_users", "open_bench_wallets", "open_bench_holders"):
                    session.execute(queries[name], run)
    with house.session(autocommit=True) as session:
        for table in ("users", "user_balances", "ledger_holders"):
            session.execute(_TIDY.format(table).encode())
        rows = session.execute(queries["bench_wallet_ids"], {"count": funded}).fetchall()
    wallets = [str(row[0]) for row in rows]
    with house.session(writer=True) as session:
        for place in range(0, len(wallets), _FUNDED_AT_ONCE):
            _fund(session, wallets[place : place + _FUNDED_AT_ONCE])
    return wallets


def _fund(session: Session, wallets: Sequence[str]) -> None:
    with session.transaction():
        clearing = house_holder_ids(session, "USD")[HouseCode.CLEARING]
        movements = [
            Movement(
                transaction_id=new_id_text(),
                operation="credit",
                debit_id=clearing,
                credit_id=wallet,
                currency="USD",
                amount=FUNDS,
            )
            for wallet in wallets
        ]
        post_movements(session, movements)
