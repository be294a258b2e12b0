"""The record itself: migrated twice, tampered with, and numbered beyond 32 bits."""

from decimal import Decimal

import pytest

from tests.cast import open_user, open_wallet, play, value
from tests.conftest import migrate_engine
from tests.floor import row_counts
from tradewright import audit, ledger
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session

TWO_TO_THE_31 = 2**31


def test_migrating_twice_changes_no_row(engine: Session, engine_database: str) -> None:
    """Case 23: limits too stand there once for each level, kind and currency."""
    play(engine)
    before = row_counts(engine)
    migrate_engine(engine_database)
    assert row_counts(engine) == before
    distinct = "SELECT count(DISTINCT (kyc_level, kind)) FROM payment_limits"
    assert value(engine, distinct) == value(engine, "SELECT count(*) FROM payment_limits")


@pytest.mark.parametrize(
    "change",
    [
        "amount = amount + 0.01",
        "available_after = available_after + 0.01",
        "available_before = available_before - 0.01",
        "reserved_after = reserved_after + 0.01",
        "effect = 'debit'",
        "version = version + 100",
        "user_id = uuidv7()",
        "currency = 'EUR'",
        "created_at = created_at - interval '1 day'",
        "transfer_id = uuidv7()",
    ],
)
def test_an_old_entry_that_was_altered_is_named(engine: Session, change: str) -> None:
    """Case 33: behind all guards, in one field of one entry; a law names the holder."""
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id)
    for _ in range(4):
        ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=new_id_text())
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        f"UPDATE balance_ledger SET {change} WHERE holder_id = %s AND version = 3".encode(),
        (wallet_id,),
    )
    broken = [law for law in audit.check_laws(engine).values() if law.broken]
    named = {str(row.get("holder_id", row.get("row_id"))) for law in broken for row in law.examples}
    assert wallet_id in named


def test_a_holder_goes_on_beyond_two_to_the_31_entries(engine: Session) -> None:
    """Case 46."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    engine.execute("SET session_replication_role = replica")
    for table in ("balance_ledger", "user_balances"):
        engine.execute(f"UPDATE {table} SET version = {TWO_TO_THE_31}".encode())
    engine.execute("RESET session_replication_role")
    reply = ledger.credit(engine, user_id, "USD", Decimal(5), transaction_id=new_id_text())
    assert reply.version == TWO_TO_THE_31 + 1
