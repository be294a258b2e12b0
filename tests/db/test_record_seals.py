"""Every append-only table is sealed, and of what was touched the first row is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cast import Cast, play, value
from tests.conftest import OpenSession
from tests.db.test_guards import APPEND_ONLY
from tradewright import audit
from tradewright.cli.main import cli
from tradewright.postgres.connect import Session

ROWS = "SELECT sum(row_count) FROM record_seals"
CHAINS = (
    "audit_seals",
    "ledger_seal_segments",
    "ledger_seals",
    "record_seal_segments",
    "record_seals",
)


@pytest.fixture
def cast(engine: Session) -> Cast:
    """Play a day and seal it; then let the session write past every guard, as an intruder would."""
    cast = play(engine)
    audit.seal_records(engine)
    engine.execute("SET session_replication_role = replica")
    return cast


def first_fault(session: Session) -> tuple[str | None, str | None, str]:
    """Return what verification names first: the table, the row and what became of it."""
    fault = audit.verify_records(session).fault
    assert fault is not None
    return fault.table, fault.row_key, fault.reason


def touch(session: Session, statement: str) -> None:
    session.execute(statement.encode())


def write(session: Session, count: int) -> None:
    """Write rows of an append-only table, four to a block."""
    session.execute(
        "INSERT INTO law_checks (began_at, actor, law_count, broken_count, results)"
        " SELECT clock_timestamp(), repeat('a', 1500), 1, 0, '{\"a\": {}}'"
        " FROM generate_series(1, %s)",
        (count,),
    )


def test_every_append_only_table_has_its_seal(engine: Session) -> None:
    rows = engine.execute("SELECT table_name, sealed_by FROM append_only_tables").fetchall()
    sealed: dict[str, str] = dict(rows)
    assert sealed.pop("audit_log") == "audit_seals"
    assert (sealed.pop("balance_ledger"), sealed.pop("transfers")) == ("ledger_seals",) * 2
    assert {name for name, by in sealed.items() if by == "its own chain"} == set(CHAINS)
    others = {name for name in sealed if name not in CHAINS}
    assert {sealed[name] for name in others} == {"record_seals"}
    assert others | {"audit_log", "balance_ledger", "transfers", *CHAINS} >= set(APPEND_ONLY)


def test_every_sealed_table_has_a_key_to_name_its_rows_by(engine: Session) -> None:
    assert value(engine, "SELECT count(*) FROM append_only_tables WHERE key_columns = '{}'") == 0


@pytest.mark.parametrize(
    "change",
    [
        "occurred_at = occurred_at + interval '1 microsecond'",
        "actor = actor || '.'",
        "price = price + 0.00000001",
        "details = coalesce(details, '{}') || '{\"note\": 1}'",
    ],
)
def test_one_byte_of_an_event_is_named(engine: Session, cast: Cast, change: str) -> None:
    order_id = cast.order_ids[0]
    place = f"order_id = '{order_id}' AND event_type = 'trade'"
    seq = value(engine, f"SELECT seq FROM order_events WHERE {place}")
    touch(engine, f"UPDATE order_events SET {change} WHERE {place}")
    assert first_fault(engine) == (
        "order_events",
        f"{order_id},{seq}",
        "it does not say what was sealed",
    )


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("order_fills", "executed_at = executed_at + interval '1 second'"),
        ("trade_adjustments", "booked_at = booked_at - interval '1 second'"),
        ("ledger_holders", "currency = 'XAU'"),
        ("provider_corrections", "received_at = received_at - interval '1 day'"),
        ("payment_transitions", "to_status = 'completed'"),
    ],
)
def test_what_no_law_finds_is_named_by_its_table(
    engine: Session, cast: Cast, table: str, change: str
) -> None:
    touch(engine, f"UPDATE {table} SET {change} WHERE ctid = (SELECT min(ctid) FROM {table})")
    assert first_fault(engine)[0] == table


def test_a_deleted_event_is_named(engine: Session, cast: Cast) -> None:
    touch(engine, f"DELETE FROM order_events WHERE order_id = '{cast.order_ids[1]}' AND seq = 2")
    assert first_fault(engine) == (
        "order_events",
        f"{cast.order_ids[1]},2",
        "it was sealed and is gone",
    )


def test_of_a_pruned_table_a_row_may_go_and_not_change(engine: Session) -> None:
    audit.check_and_keep_laws(engine)
    audit.check_and_keep_laws(engine)
    audit.seal_records(engine)
    engine.execute("SET session_replication_role = replica")
    touch(
        engine, "DELETE FROM law_checks WHERE id = (SELECT id FROM law_checks ORDER BY id LIMIT 1)"
    )
    assert audit.verify_records(engine).is_good
    touch(engine, "UPDATE law_checks SET actor = 'nobody'")
    assert first_fault(engine)[0] == "law_checks"


def test_a_rewritten_hash_is_named_as_its_seal(engine: Session, cast: Cast) -> None:
    touch(engine, "UPDATE order_events SET actor = 'nobody' WHERE seq = 1")
    touch(
        engine,
        "UPDATE record_seal_segments AS s SET row_hashes = ARRAY(SELECT audit_row_hash(to_jsonb(e))"
        " FROM order_events AS e ORDER BY concat_ws(',', e.order_id, e.seq))"
        " WHERE table_name = 'order_events'",
    )
    fault = audit.verify_records(engine).fault
    assert fault is not None
    assert (fault.table, fault.place) == (None, "seal 1")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM record_seal_segments WHERE table_name = 'order_events'",
        "UPDATE record_seals SET sealed_at = sealed_at - interval '1 hour'",
        "UPDATE record_seals SET row_count = row_count - 1",
        "DROP TRIGGER close_bys_are_append_only ON close_bys",
        "ALTER TABLE close_bys DROP COLUMN closed_at",
    ],
)
def test_a_seal_that_was_touched_or_lost_its_table_does_not_hold(
    engine: Session, cast: Cast, statement: str
) -> None:
    assert audit.verify_records(engine).is_good
    touch(engine, statement)
    assert not audit.verify_records(engine).is_good


def test_a_column_that_came_later_breaks_no_seal_and_is_sealed_from_then_on(
    engine: Session, cast: Cast
) -> None:
    touch(engine, "ALTER TABLE order_events ADD COLUMN venue text DEFAULT 'none'")
    assert audit.verify_records(engine).is_good
    touch(engine, "UPDATE order_events SET venue = 'other'")
    assert audit.verify_records(engine).is_good
    touch(
        engine,
        "INSERT INTO order_events (order_id, seq, event_type, from_status, to_status, actor, venue)"
        " SELECT uuidv7(), 1, 'new', NULL, 'new', 'engine', 'one'",
    )
    assert audit.seal_records(engine) == 13
    touch(engine, "UPDATE order_events SET venue = 'other'")
    found = audit.verify_records(engine)
    assert (found.faults, found.fault is not None and found.fault.seq) == (1, 2)


def test_each_row_is_sealed_once_and_new_ones_by_the_next_seal(engine: Session) -> None:
    play(engine)
    counts = [audit.seal_records(engine) for _ in range(2)]
    assert (counts[0] > 100, counts[1]) == (True, 0)
    for count in (1, 2, 1):
        write(engine, count)
        assert audit.seal_records(engine) == count
    assert audit.seal_records(engine, whole=True) == 0
    assert value(engine, "SELECT array_agg(is_whole ORDER BY seq) FROM record_seals") == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert audit.verify_records(engine).is_good


def test_what_is_not_committed_waits_and_is_not_skipped(
    engine: Session, open_session: OpenSession
) -> None:
    audit.seal_records(engine)
    slow = open_session()
    with slow.transaction():
        write(slow, 1)
        write(engine, 1)
        assert audit.seal_records(engine) == 0
    assert audit.seal_records(engine) == 2


def test_what_stands_in_old_room_is_sealed_when_the_table_is_read_whole(
    engine: Session, open_session: OpenSession
) -> None:
    with engine.transaction(force_rollback=True):
        write(engine, 40)
    write(engine, 400)
    assert [audit.seal_records(engine) for _ in range(2)] == [value(engine, ROWS), 0]
    write(engine, 4)
    assert audit.seal_records(engine) == 4
    engine.execute("VACUUM law_checks")
    in_front = "SELECT count(*) FROM law_checks WHERE ctid < '(10,0)'"
    before = value(engine, in_front)
    write(open_session(), 1)
    assert value(engine, in_front) == int(str(before)) + 1
    engine.execute("INSERT INTO trading_days (ended_on) VALUES ('2031-01-02')")
    assert [audit.seal_records(engine, whole=whole) for whole in (False, True, True)] == [1, 1, 0]
    assert audit.verify_records(engine).is_good


def test_a_day_later_the_tables_are_read_whole(engine: Session) -> None:
    audit.seal_records(engine)
    engine.execute("SET session_replication_role = replica")
    touch(engine, "UPDATE record_seals SET sealed_at = sealed_at - interval '25 hours'")
    engine.execute("SET session_replication_role = origin")
    audit.seal_records(engine)
    assert value(engine, "SELECT is_whole FROM record_seals WHERE seq = 2") is True


def test_after_a_dump_keys_tell_what_is_sealed_and_the_chain_goes_on(engine: Session) -> None:
    """A restore writes each row anew: so it is done to the rows here, with triggers off."""
    play(engine)
    sealed = audit.seal_records(engine)
    write(engine, 2)
    engine.execute("SET session_replication_role = replica")
    for table in ("record_seals", "record_seal_segments", "order_events", "law_checks", "trades"):
        touch(engine, f"CREATE TEMPORARY TABLE held AS SELECT * FROM {table}")
        touch(engine, f"DELETE FROM {table}")
        touch(engine, f"INSERT INTO {table} SELECT * FROM held")
        touch(engine, "DROP TABLE held")
    engine.execute("SET session_replication_role = origin")
    assert audit.verify_records(engine).is_good
    assert audit.seal_records(engine) == 2
    assert audit.verify_records(engine).rows_sealed == sealed + 2
    write(engine, 1)
    assert audit.seal_records(engine) == 1
    assert value(engine, "SELECT is_whole FROM record_seals WHERE seq = 3") is False


def test_only_heads_notice_what_was_sealed_anew(engine: Session, cast: Cast) -> None:
    heads = audit.new_heads(engine, [])
    records = [head for head in heads if head.chain is audit.Chain.RECORDS]
    assert len(records) == 1
    touch(engine, "DELETE FROM record_seal_segments")
    touch(engine, "DELETE FROM record_seals")
    touch(engine, "UPDATE order_events SET actor = 'nobody' WHERE seq = 1")
    assert audit.verify_records(engine).is_good
    gone = audit.verify_records(engine, heads).fault
    assert gone is not None
    assert gone.reason == "The seal was exported and is gone."
    engine.execute("SET session_replication_role = origin")
    audit.seal_records(engine)
    other = audit.verify_records(engine, heads).fault
    assert other is not None
    assert other.reason == "The seal differs from the head that was exported."
    assert audit.verify(engine, heads).is_good


def test_the_commands_seal_export_and_verify_the_records_too(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    play(engine)
    file = str(tmp_path / "heads.jsonl")
    assert run(engine_database, "seal")[1]["records_sealed"] > 100
    run(engine_database, "export", file)
    status, found = run(engine_database, "verify", "--heads", file)
    assert (status, found["records"]["fault"]) == (0, None)
    engine.execute("SET session_replication_role = replica")
    touch(engine, "UPDATE order_events SET actor = 'nobody' WHERE seq = 1")
    status, found = run(engine_database, "verify", "--heads", file)
    assert (status, found["is_good"]) == (1, False)
    assert found["records"]["fault"]["table"] == "order_events"
    words = ["audit", "verify", "--database", engine_database]
    told = CliRunner().invoke(cli, words)
    assert told.exit_code == 1
    key = found["records"]["fault"]["row_key"]
    assert f"row {key} of order_events: it does not say what was sealed" in told.stdout


def run(database: str, *words: str) -> tuple[int, Any]:
    """Run the command with --json and return its exit status and what it printed."""
    result = CliRunner().invoke(cli, ["audit", *words, "--json", "--database", database])
    return result.exit_code, json.loads(result.stdout)
