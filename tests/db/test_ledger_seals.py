"""Case 33: of what was sealed of the ledger, the first entry that was touched is named."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from tests.cast import Cast, open_user, open_wallet, play, value
from tests.conftest import OpenSession
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger import HouseCode, credit, house_holder_ids, move_between_houses, sealing
from tradewright.ledger.sealing import FaultKind
from tradewright.postgres.connect import Session


@pytest.fixture
def cast(engine: Session) -> Cast:
    """Play a day and seal it; then let the session write past every guard, as an intruder would."""
    cast = play(engine)
    sealing.seal(engine)
    engine.execute("SET session_replication_role = replica")
    return cast


def run(database: str, *words: str) -> tuple[int, Any]:
    """Run the command with --json and return its exit status and what it printed."""
    result = CliRunner().invoke(cli, ["ledger", *words, "--json", "--database", database])
    return result.exit_code, json.loads(result.stdout)


def first_fault(session: Session) -> tuple[FaultKind, str | None, int | None]:
    """Return what verification names first: what became of it, and whose and which it is."""
    fault = sealing.verify(session).fault
    assert fault is not None
    return fault.kind, fault.holder_id, fault.version


@pytest.mark.parametrize(
    "change",
    [
        "operation = 'credix'",
        "available_after = available_after + 0.00000001",
        "created_at = created_at + interval '1 microsecond'",
        "user_id = uuidv7()",
        "hold_id = '{hold_id}'",
        "transaction_id = uuidv7()",
    ],
)
def test_one_byte_of_an_old_entry_is_named(engine: Session, cast: Cast, change: str) -> None:
    words = change.format(hold_id=cast.hold_id)
    engine.execute(
        f"UPDATE balance_ledger SET {words} WHERE holder_id = %s AND version IN (3, 5)".encode(),
        (cast.wallet_id,),
    )
    assert first_fault(engine) == (FaultKind.CHANGED, cast.wallet_id, 3)


def test_a_deleted_entry_is_named(engine: Session, cast: Cast) -> None:
    engine.execute(
        "DELETE FROM balance_ledger WHERE holder_id = %s AND version = 2", (cast.wallet_id,)
    )
    assert first_fault(engine) == (FaultKind.DELETED, cast.wallet_id, 2)


def test_a_deleted_entry_is_named_even_where_the_others_were_numbered_anew(
    engine: Session, cast: Cast
) -> None:
    place = (cast.wallet_id,)
    engine.execute("DELETE FROM balance_ledger WHERE holder_id = %s AND version = 2", place)
    engine.execute("ALTER TABLE balance_ledger DROP CONSTRAINT balance_ledger_pkey")
    engine.execute(
        "UPDATE balance_ledger SET version = version - 1 WHERE holder_id = %s AND version > 2",
        place,
    )
    assert first_fault(engine) == (FaultKind.DELETED, cast.wallet_id, 2)


def test_an_inserted_entry_is_named_where_the_others_made_room_for_it(
    engine: Session, cast: Cast
) -> None:
    engine.execute("ALTER TABLE balance_ledger DROP CONSTRAINT balance_ledger_pkey")
    place = (cast.wallet_id,)
    engine.execute(
        "UPDATE balance_ledger SET version = version + 1 WHERE holder_id = %s AND version >= 3",
        place,
    )
    _copy_entry(engine, cast, 4, 3)
    assert first_fault(engine) == (FaultKind.INSERTED, cast.wallet_id, 3)


def test_an_entry_slipped_in_beside_another_is_named(engine: Session, cast: Cast) -> None:
    engine.execute("ALTER TABLE balance_ledger DROP CONSTRAINT balance_ledger_pkey")
    _copy_entry(engine, cast, 1, 1)
    assert first_fault(engine) == (FaultKind.INSERTED, cast.wallet_id, 1)


def _copy_entry(session: Session, cast: Cast, from_version: int, to_version: int) -> None:
    session.execute(
        "INSERT INTO balance_ledger SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'version', %s::bigint, 'transaction_id', uuidv7()))).* FROM balance_ledger AS e"
        " WHERE e.holder_id = %s AND e.version = %s",
        (to_version, cast.wallet_id, from_version),
    )


def test_swapped_entries_are_named(engine: Session, cast: Cast) -> None:
    engine.execute("ALTER TABLE balance_ledger DROP CONSTRAINT balance_ledger_pkey")
    engine.execute(
        "UPDATE balance_ledger SET version = 5 - version"
        " WHERE holder_id = %s AND version IN (2, 3)",
        (cast.wallet_id,),
    )
    fault = sealing.verify(engine).fault
    assert fault is not None
    assert (fault.kind, fault.version) == (FaultKind.MOVED, 2)
    assert fault.reason == "what was sealed here stands at version 3"


def test_the_oldest_seal_with_a_fault_is_named_first(engine: Session, cast: Cast) -> None:
    engine.execute("SET session_replication_role = origin")
    later = open_wallet(engine, open_user(engine))
    sealing.seal(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE balance_ledger SET operation = 'gift' WHERE holder_id = %s", (later,))
    assert first_fault(engine) == (FaultKind.CHANGED, later, 1)
    engine.execute(
        "UPDATE balance_ledger SET operation = 'gift' WHERE holder_id = %s AND version = 4",
        (cast.wallet_id,),
    )
    assert first_fault(engine) == (FaultKind.CHANGED, cast.wallet_id, 4)
    assert sealing.verify(engine).bad_pieces == 2


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE transfers SET operation = 'gift' WHERE id = %s", FaultKind.CHANGED),
        ("UPDATE transfers SET txid = 9000000000 WHERE id = %s", FaultKind.CHANGED),
        ("DELETE FROM transfers WHERE id = %s", FaultKind.DELETED),
    ],
)
def test_a_touched_transfer_between_houses_is_named(
    engine: Session, statement: str, kind: FaultKind
) -> None:
    house_holder_ids(engine, "USD")
    for _ in range(3):
        move_between_houses(
            engine,
            HouseCode.BANK,
            HouseCode.CLEARING,
            Money(Decimal(7), "USD"),
            key=(new_id_text(), "top_up"),
        )
    sealing.seal(engine)
    transfer_id = value(engine, "SELECT id FROM transfers ORDER BY id LIMIT 1 OFFSET 1")
    engine.execute("SET session_replication_role = replica")
    engine.execute(statement.encode(), (transfer_id,))
    fault = sealing.verify(engine).fault
    assert fault is not None
    assert (fault.kind, fault.transfer_id) == (kind, str(transfer_id))


def test_a_transfer_slipped_among_sealed_ones_is_named(engine: Session, cast: Cast) -> None:
    engine.execute("SET session_replication_role = replica")
    transfer_id = value(
        engine,
        "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id, credit_holder_id,"
        " currency, amount, txid) SELECT uuidv7(), uuidv7(), 'gift', debit_holder_id,"
        " credit_holder_id, currency, 5, txid FROM transfers LIMIT 1 RETURNING id",
    )
    fault = sealing.verify(engine).fault
    assert fault is not None
    assert (fault.kind, fault.transfer_id) == (FaultKind.INSERTED, str(transfer_id))


@pytest.mark.parametrize(
    "change",
    ["available = available + 5", "currency = 'EUR'", "user_id = uuidv7()", "version = 0"],
)
def test_a_balance_that_is_not_what_its_entries_left_is_counted(
    engine: Session, engine_database: str, cast: Cast, change: str
) -> None:
    assert sealing.verify(engine).is_good
    words = f"UPDATE user_balances SET {change} WHERE holder_id = %s"
    engine.execute(words.encode(), (cast.wallet_id,))
    found = sealing.verify(engine)
    assert (found.fault, found.wrong_balances, found.is_good) == (None, 1, False)
    result = CliRunner().invoke(cli, ["ledger", "verify", "--database", engine_database])
    assert result.exit_code == 1
    told = "1 balance is not what its entries left; next: tradewright audit laws\n"
    assert result.stdout.startswith(f"{told}1 seal over ")
    assert result.stdout.endswith(" holds; 0 entries wait\n")


def test_a_checkpoint_of_another_chain_is_not_gone_on_with(
    engine: Session, engine_database: str, cast: Cast, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    assert run(engine_database, "checkpoint", str(file))[0] == 0
    kept = file.read_text()
    engine.execute("DELETE FROM ledger_seal_segments")
    engine.execute("DELETE FROM ledger_seals")
    engine.execute("UPDATE balance_ledger SET operation = 'gift' WHERE version = 1")
    for is_sealed_anew in (False, True):
        if is_sealed_anew:
            sealing.seal(engine)
        words = ["ledger", "checkpoint", str(file), "--database", engine_database]
        result = CliRunner().invoke(cli, words)
        assert isinstance(result.exception, StateError)
        assert result.exception.code == ErrorCode.RECORD_HEADS_DIFFER
        assert file.read_text() == kept


def test_a_seal_that_says_another_time_is_named(engine: Session, cast: Cast) -> None:
    engine.execute("UPDATE ledger_seals SET sealed_at = sealed_at - interval '1 hour'")
    assert first_fault(engine) == (FaultKind.SEAL, None, None)


def test_a_rewritten_segment_is_named_as_its_seal(engine: Session, cast: Cast) -> None:
    engine.execute(
        "UPDATE balance_ledger SET operation = 'gift' WHERE holder_id = %s AND version = 4",
        (cast.wallet_id,),
    )
    engine.execute(
        "UPDATE ledger_seal_segments AS s SET entry_hashes = (SELECT string_agg("
        "ledger_entry_hash(e), ''::bytea ORDER BY version) FROM balance_ledger AS e"
        " WHERE e.holder_id = s.holder_id)"
    )
    assert first_fault(engine) == (FaultKind.SEAL, None, None)


def test_only_a_checkpoint_notices_what_was_truncated_or_sealed_anew(
    engine: Session, cast: Cast
) -> None:
    engine.execute("SET session_replication_role = origin")
    last = open_wallet(engine, open_user(engine))
    sealing.seal(engine)
    heads = sealing.export_heads(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM balance_ledger WHERE holder_id = %s", (last,))
    engine.execute("DELETE FROM transfers WHERE txid >= %s", (heads[0].to_txid,))
    engine.execute("DELETE FROM user_balances WHERE holder_id = %s", (last,))
    engine.execute("DELETE FROM ledger_seal_segments WHERE seal_seq = 2")
    engine.execute("DELETE FROM ledger_seals WHERE seq = 2")
    assert sealing.verify(engine).is_good
    gone = sealing.verify(engine, heads).fault
    assert gone is not None
    assert (gone.seq, gone.kind, "is gone" in gone.reason) == (2, FaultKind.SEAL, True)
    engine.execute("DELETE FROM ledger_seal_segments")
    engine.execute("DELETE FROM ledger_seals")
    engine.execute("UPDATE balance_ledger SET operation = 'gift' WHERE version = 1")
    engine.execute("SET session_replication_role = origin")
    sealing.seal(engine)
    assert sealing.verify(engine).is_good
    other = sealing.verify(engine, heads[:1]).fault
    assert other is not None
    assert other.reason == "it is not the seal that was exported"


def test_each_entry_and_transfer_is_sealed_once_and_new_ones_by_the_next_seal(
    engine: Session,
) -> None:
    cast = play(engine)
    counts = tuple(
        value(engine, f"SELECT count(*) FROM {table}") for table in ("balance_ledger", "transfers")
    )
    assert (sealing.seal(engine), sealing.seal(engine)) == (counts, (0, 0))
    open_wallet(engine, cast.user_id, "3")
    found = sealing.verify(engine)
    assert (found.is_good, found.entries_unsealed) == (True, 1)
    assert sealing.seal(engine) == (1, 1)
    assert [head.seq for head in sealing.export_heads(engine)] == [1, 2]
    found = sealing.verify(engine)
    assert (found.is_good, found.entries_unsealed) == (True, 0)


def test_what_is_not_committed_waits_and_is_not_skipped(
    engine: Session, open_session: OpenSession
) -> None:
    slow, user_id = open_session(), open_user(engine)
    house_holder_ids(engine, "USD")
    with slow.transaction():
        open_wallet(slow, user_id)
        open_wallet(engine, open_user(engine))
        assert sealing.seal(engine) == (1, 0)
    assert sealing.seal(engine) == (1, 2)
    assert sealing.verify(engine).is_good


def test_many_transfers_are_sealed_by_several_seals(engine: Session) -> None:
    user_id = open_user(engine)
    for _ in range(5):
        open_wallet(engine, user_id, "1")
    sealed = [
        engine.execute("SELECT entry_count, transfer_count FROM seal_ledger(2)").fetchone()
        for _ in range(4)
    ]
    assert sealed == [(5, 3), (0, 2), (None, None), (None, None)]
    assert sealing.verify(engine).is_good


def test_a_holder_with_a_gap_cannot_be_sealed(engine: Session) -> None:
    cast = play(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "DELETE FROM balance_ledger WHERE holder_id = %s AND version = 2", (cast.wallet_id,)
    )
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        sealing.seal(engine)
    assert caught.value.diag.constraint_name == "ledger_seal_segments_hash_for_each_version"


def test_a_line_that_is_no_head_is_refused_with_its_number() -> None:
    with pytest.raises(InputError) as caught:
        sealing.read_checkpoint(["", '{"seq": 1}'])
    assert caught.value.code == ErrorCode.INPUT_HEADS_MALFORMED
    assert caught.value.facts == {"line": 2}


def test_the_commands_seal_checkpoint_and_verify_work_together(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    file, user_id = str(tmp_path / "heads.jsonl"), open_user(engine)
    holder_id = open_wallet(engine, user_id)
    assert run(engine_database, "seal")[1]["entries_sealed"] == 1
    assert run(engine_database, "checkpoint", file)[1]["head_added"]["seq"] == 1
    assert run(engine_database, "checkpoint", file)[1]["head_added"] is None
    credit(engine, user_id, "USD", Decimal(5), transaction_id=new_id_text())
    run(engine_database, "seal")
    run(engine_database, "checkpoint", file)
    assert run(engine_database, "verify", "--checkpoint", file)[0] == 0
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE balance_ledger SET operation = 'gift' WHERE version = 1")
    status, found = run(engine_database, "verify", "--checkpoint", file)
    assert status == 1
    assert found["fault"]["kind"] == "changed"
    assert (found["fault"]["holder_id"], found["fault"]["version"]) == (holder_id, 1)


@pytest.mark.parametrize("words", [["seal"], ["verify"], ["checkpoint", "heads.jsonl"]])
def test_the_commands_print_for_a_person_too(
    engine: Session,
    engine_database: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    play(engine)
    for _ in range(2):
        result = CliRunner().invoke(cli, ["ledger", *words, "--database", engine_database])
        assert result.exit_code == 0
        assert result.stdout.strip()


def test_the_command_verify_tells_a_person_where_to_look(
    engine: Session, engine_database: str, cast: Cast
) -> None:
    engine.execute("UPDATE balance_ledger SET operation = 'gift' WHERE operation = 'transfer_out'")
    result = CliRunner().invoke(cli, ["ledger", "verify", "--database", engine_database])
    assert result.exit_code == 1
    assert f"of holder {cast.wallet_id}: changed: it does not say what was sealed" in result.stdout
