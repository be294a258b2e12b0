"""The archive: months leave the audit log for files that hold them exactly, and come back."""

import errno
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pyarrow import parquet

from tests.cast import open_account, open_user, value
from tests.compliance import make
from tests.conftest import OpenSession, migrate_engine
from tests.old_months import age, months_ago, old_month
from tradewright import audit
from tradewright.compliance import Scope
from tradewright.core.clock import monotonic_seconds, pause, utc_now
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.operations import archive
from tradewright.operations.archive import ArchiveState, store
from tradewright.operations.archive.model import file_name, manifest_name
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource

BY = ("anna", "case 12")


@pytest.fixture
def source(engine_database: str) -> SessionSource:
    return lambda: connect(engine_database, autocommit=True)


@pytest.fixture
def month(engine: Session) -> date:
    """Give a month of long ago with six sealed changes of three users."""
    return old_month(engine)[0]


def set_terms(session: Session, **terms: int) -> None:
    for name, number in terms.items():
        session.execute(f"UPDATE audit_retention SET {name} = {number}".encode())


def require_laws(session: Session) -> None:
    audit.require_laws(audit.check_laws(session))


def rows_of(session: Session, month: date) -> list[tuple[object, ...]]:
    """Return the rows of a month as text, with where nothing is lost: the row of the server."""
    query = (
        "SELECT l.*::text FROM audit_log AS l"
        " WHERE created_at >= %(m)s::date::timestamp AT TIME ZONE 'UTC'"
        " AND created_at < (%(m)s::date + interval '1 month') AT TIME ZONE 'UTC' ORDER BY seq"
    )
    return session.execute(query.replace("l.*::text", "l::text").encode(), {"m": month}).fetchall()


def state_of(session: Session, month: date) -> ArchiveState:
    return store.find_archive(session, month).state


def dropped(session: Session, source: SessionSource, folder: Path) -> None:
    """Archive what is due and drop it at once."""
    set_terms(session, grace_days=0)
    archive.run(source, folder)


def faults(session: Session, folder: Path) -> list[str]:
    return [fault for check in archive.verify(session, folder) for fault in check.faults]


def refusal(work: Callable[[], object]) -> ErrorCode:
    with pytest.raises((TradewrightError, psycopg.Error)) as caught:
        work()
    error = caught.value
    told = translate(error) if isinstance(error, psycopg.Error) else error
    assert isinstance(told, TradewrightError)
    assert told.hint
    return told.code


def test_a_month_is_written_read_back_detached_and_dropped_after_its_grace(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    (first,) = archive.run(source, tmp_path)
    day = utc_now().date() + timedelta(days=30)
    assert (first.steps[-1], first.left) == (
        "detachment recorded",
        f"its table is dropped from {day} on",
    )
    assert rows_of(engine, month) == []
    require_laws(engine)
    set_terms(engine, grace_days=0)
    (second,) = archive.run(source, tmp_path)
    assert (second.steps, second.left) == (("dropped",), "")
    assert value(engine, "SELECT to_regclass(audit_month_table(%s)) IS NULL", month) is True
    assert archive.run(source, tmp_path) == []
    require_laws(engine)
    assert faults(engine, tmp_path) == []


def test_months_within_the_online_window_stay(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    old_month(engine, 36)
    assert archive.run(source, tmp_path) == []
    set_terms(engine, months_online=35)
    assert len(archive.run(source, tmp_path)) == 1


def test_a_file_has_exact_types_and_a_manifest_that_tells_of_its_seals(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    schema = parquet.ParquetFile(tmp_path / file_name(month)).schema_arrow
    assert {field.name: str(field.type) for field in schema} == {
        "id": "extension<arrow.uuid>",
        "seq": "int64",
        "txid": "int64",
        "created_at": "timestamp[us, tz=UTC]",
        "actor": "string",
        "database_role": "string",
        "table_name": "string",
        "row_id": "extension<arrow.uuid>",
        "action": "string",
        "changes": "string",
        "reason": "string",
    }
    said = json.loads((tmp_path / manifest_name(month)).read_text())
    heads = {head.seq: head.head for head in audit.export_heads(engine)}
    assert said["row_count"] == 6
    assert [heads[seal["seq"]] == seal["head"] for seal in said["seals"]] == [True]
    assert said["seals"][0]["rows"] == said["seals"][0]["rows_here"] == 6


def test_the_columns_of_a_file_are_those_of_the_audit_log(engine: Session) -> None:
    """A column that is added to audit_log must be added to the archive too."""
    from tradewright.operations.archive.rows import AuditRow  # noqa: PLC0415

    rows = engine.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_log'::regclass AND attnum > 0"
    )
    assert {row[0] for row in rows} == set(AuditRow._fields)


def test_a_month_waits_until_all_its_rows_are_sealed(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month = months_ago(40)
    open_user(engine)
    age(engine, month)
    (report,) = archive.run(source, tmp_path)
    assert report.steps == ()
    assert report.left.endswith("rows wait for a seal")
    assert list(tmp_path.iterdir()) == []
    audit.seal(engine)
    assert archive.run(source, tmp_path)[0].steps[0] == "file written"


@pytest.mark.parametrize("state", ["written", "restored"])
def test_rows_that_come_late_are_taken_in_and_the_month_leaves(
    engine: Session, source: SessionSource, tmp_path: Path, state: str
) -> None:
    month, ids = late_rows(engine, source, tmp_path, state=state)
    (waits,) = archive.run(source, tmp_path)
    assert (waits.steps, waits.left) == ((), "2 rows wait for a seal")
    audit.seal(engine)
    (found,) = archive.run(source, tmp_path)
    assert found.steps[:3] == ("file written anew", "late rows recorded", "detaching")
    assert state_of(engine, month) is ArchiveState.DETACHED
    assert store.find_archive(engine, month).row_count == 8
    require_laws(engine)
    assert faults(engine, tmp_path) == []
    (entry,) = [one for one in audit.read_trail(engine, ids[0]) if one.action == "archived"]
    assert entry.details["change_count"] == 3
    assert archive.restore(source, tmp_path, month, kept_until=None, by=BY).row_count == 8
    require_laws(engine)


def late_rows(
    session: Session, source: SessionSource, folder: Path, *, state: str
) -> tuple[date, list[str]]:
    """Let a month be recorded, stay, and then get rows of a clock that was put back."""
    month, ids = old_month(session)
    hold_id = archive.hold(session, from_month=None, to_month=None, by=BY)
    if state == "restored":
        archive.lift(session, hold_id, by=BY)
        archive.run(source, folder)
        day = utc_now().date() - timedelta(days=2)
        archive.restore(source, folder, month, kept_until=day, by=BY)
    else:
        archive.run(source, folder)
        archive.lift(session, hold_id, by=BY)
    audit.seal(session)
    session.execute("UPDATE users SET kyc_level = 1 WHERE id = %s", (ids[0],))
    open_user(session)
    age(session, month)
    return month, ids


def test_a_run_that_is_cut_off_behind_the_new_file_takes_late_rows_in_again(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, _ = late_rows(engine, source, tmp_path, state="written")
    audit.seal(engine)

    def cut_off(_: date, step: str) -> None:
        if step == "file written anew":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.run(source, tmp_path, tell=cut_off)
    archive.run(source, tmp_path)
    assert (state_of(engine, month), faults(engine, tmp_path)) == (ArchiveState.DETACHED, [])


def test_a_row_that_was_slipped_in_among_sealed_ones_is_not_taken_in_as_late(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, _ = late_rows(engine, source, tmp_path, state="written")
    audit.seal(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE audit_log SET txid = 3 WHERE seq = (SELECT max(seq) FROM audit_log)")
    kept = (tmp_path / file_name(month)).read_bytes()
    engine.execute("SET session_replication_role = origin")
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_SEAL_BROKEN
    assert (tmp_path / file_name(month)).read_bytes() == kept


def test_a_month_whose_seal_does_not_hold_is_not_archived(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE audit_log SET actor = 'x' WHERE created_at < '2026-01-01'")
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_SEAL_BROKEN
    assert not (tmp_path / file_name(month)).exists()
    assert archive.read_archives(engine) == []


def test_seals_that_reach_over_two_months_hold_whichever_of_them_is_archived(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    """One seal over a transaction in three months: two archived, one of them dropped, one here."""
    audit.seal(engine)
    for count in (41, 40):
        user_id = open_user(engine)
        engine.execute("SET session_replication_role = replica")
        engine.execute("SELECT create_audit_log_partition(%s)", (months_ago(count),))
        engine.execute(
            "UPDATE audit_log SET created_at = %s::date + interval '3 days' WHERE row_id = %s",
            (months_ago(count), user_id),
        )
        engine.execute("RESET session_replication_role")
    open_user(engine)
    audit.seal(engine)
    require_laws(engine)
    archive.run(source, tmp_path, named=months_ago(41))
    require_laws(engine)
    dropped(engine, source, tmp_path)
    require_laws(engine)
    archive.restore(source, tmp_path, months_ago(40), kept_until=None, by=BY)
    require_laws(engine)
    assert faults(engine, tmp_path) == []
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE audit_archive_segments"
        " SET row_hashes = set_byte(row_hashes, 9, 255 - get_byte(row_hashes, 9))"
    )
    assert not audit.verify(engine).is_good


@pytest.mark.parametrize("is_dropped", [False, True], ids=["detached", "dropped"])
def test_a_restored_month_is_what_it_was_and_stays_until_its_day(
    engine: Session, source: SessionSource, month: date, tmp_path: Path, is_dropped: bool
) -> None:
    before = rows_of(engine, month)
    archive.run(source, tmp_path)
    if is_dropped:
        dropped(engine, source, tmp_path)
    today = utc_now().date()
    archive.restore(source, tmp_path, month, kept_until=today, by=BY)
    assert rows_of(engine, month) == before
    assert len(before) == 6
    require_laws(engine)
    assert faults(engine, tmp_path) == []
    assert archive.run(source, tmp_path) == []
    engine.execute("UPDATE audit_archives SET kept_until = current_date - 1")
    (again,) = archive.run(source, tmp_path)
    assert again.steps[:3] == ("detaching", "detached", "detachment recorded")
    require_laws(engine)


def test_a_month_restored_without_a_day_is_archived_again_by_its_name_only(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    dropped(engine, source, tmp_path)
    archive.restore(source, tmp_path, month, kept_until=None, by=BY)
    assert archive.run(source, tmp_path) == []
    archive.run(source, tmp_path, named=month)
    assert state_of(engine, month) is ArchiveState.DROPPED
    require_laws(engine)


def test_a_restored_month_takes_part_in_premaking_and_is_guarded(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    dropped(engine, source, tmp_path)
    archive.restore(source, tmp_path, month, kept_until=None, by=BY)
    name = value(engine, "SELECT create_audit_log_partition(%s)", month)
    for statement in ("UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(psycopg.Error) as caught:
            engine.execute(statement.format(name).encode())
        assert caught.value.sqlstate == "TW010"
    owners = "SELECT count(DISTINCT relowner) FROM pg_class WHERE relname LIKE 'audit_log%%'"
    assert value(engine, owners) == 1


def test_a_hold_keeps_months_from_every_step_until_it_is_lifted(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    set_terms(engine, grace_days=0)
    hold_id = archive.hold(engine, from_month=month, to_month=month, by=BY)
    assert archive.run(source, tmp_path)[0].left == "it is held"
    assert state_of(engine, month) is ArchiveState.WRITTEN
    archive.lift(engine, hold_id, by=("bert", "closed"))
    archive.run(source, tmp_path)
    assert state_of(engine, month) is ArchiveState.DROPPED
    (hold,) = archive.read_holds(engine, with_lifted=True)
    assert (hold.actor, hold.lifted_by, hold.lift_reason) == ("anna", "bert", "closed")
    assert archive.read_holds(engine) == []
    require_laws(engine)


@pytest.mark.parametrize(
    ("span", "holds"),
    [((None, None), True), ((40, None), True), ((None, 41), False), ((39, 39), False)],
)
def test_a_hold_without_an_end_reaches_as_far_as_there_are_months(
    engine: Session, month: date, span: tuple[int | None, int | None], holds: bool
) -> None:
    first, last = (None if count is None else months_ago(count) for count in span)
    archive.hold(engine, from_month=first, to_month=last, by=BY)
    (held,) = (one.is_held for one in store.read_months(engine) if one.month == month)
    assert held is holds


@pytest.mark.parametrize("state", ["detaching", "dropped", "purged"])
def test_the_database_itself_refuses_each_step_of_a_held_month(
    engine: Session, source: SessionSource, month: date, tmp_path: Path, state: str
) -> None:
    set_terms(engine, grace_days=0)
    if state == "purged":
        dropped(engine, source, tmp_path)
    elif state == "dropped":
        set_terms(engine, grace_days=1)
        archive.run(source, tmp_path)
        set_terms(engine, grace_days=0)
    archive.hold(engine, from_month=None, to_month=None, by=BY)
    if state == "detaching":
        archive.run(source, tmp_path)
    engine.execute("UPDATE audit_retention SET months_online = 1")
    engine.execute(
        "ALTER TABLE audit_retention DROP CONSTRAINT audit_retention_months_total_in_range"
    )
    engine.execute("UPDATE audit_retention SET months_total = 2")
    step = f"UPDATE audit_archives SET state = '{state}'".encode()
    assert refusal(lambda: engine.execute(step)) is ErrorCode.ARCHIVE_MONTH_HELD


def test_a_hold_that_is_being_written_is_waited_for(
    engine: Session, source: SessionSource, open_session: OpenSession, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    set_terms(engine, grace_days=0)
    holder, dropper = open_session(), open_session()
    dropper.execute("SET lock_timeout = '100ms'")
    with holder.transaction():
        archive.hold(holder, from_month=None, to_month=None, by=BY)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            store.drop_month(dropper, month)
    assert refusal(lambda: store.drop_month(dropper, month)) is ErrorCode.ARCHIVE_MONTH_HELD


@pytest.mark.parametrize(
    "refused",
    [
        ("dropped", ErrorCode.ARCHIVE_TOO_EARLY),
        ("purged", ErrorCode.ARCHIVE_STEP_REFUSED),
        ("written", ErrorCode.ARCHIVE_STEP_REFUSED),
    ],
)
def test_steps_before_their_time_or_out_of_order_are_refused(
    engine: Session,
    source: SessionSource,
    month: date,
    tmp_path: Path,
    refused: tuple[str, ErrorCode],
) -> None:
    archive.run(source, tmp_path)
    step = f"UPDATE audit_archives SET state = '{refused[0]}'".encode()
    assert refusal(lambda: engine.execute(step)) is refused[1]


def test_what_is_recorded_of_an_archive_is_fixed_and_kept(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    hold_id = archive.hold(engine, from_month=None, to_month=None, by=BY)
    archive.lift(engine, hold_id, by=BY)
    for statement in (
        "UPDATE audit_archives SET digest = sha256('x')",
        "UPDATE audit_archives SET month = month + 31",
        "DELETE FROM audit_archives",
        "UPDATE audit_archive_segments SET seqs = txids",
        "DELETE FROM audit_archive_counts",
        "UPDATE audit_holds SET reason = 'other'",
        "UPDATE audit_holds SET lifted_at = NULL, lifted_by = NULL, lift_reason = NULL",
        "DELETE FROM audit_retention",
    ):
        code = refusal(lambda text=statement: engine.execute(text.encode()))  # type: ignore[misc]
        assert code is ErrorCode.RECORD_APPEND_ONLY, statement


def test_a_table_that_was_changed_after_it_was_detached_is_not_dropped(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    set_terms(engine, grace_days=0)
    engine.execute("SET session_replication_role = replica")
    name = value(engine, "SELECT audit_month_table(%s)", month)
    engine.execute(
        f"UPDATE {name} SET actor = 'x' WHERE seq = (SELECT min(seq) FROM {name})".encode()
    )
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_MONTH_CHANGED
    assert state_of(engine, month) is ArchiveState.DETACHED
    assert any("are not those" in fault for fault in faults(engine, tmp_path))


def test_one_flipped_byte_anywhere_in_the_file_is_named(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    dropped(engine, source, tmp_path)
    place = tmp_path / file_name(month)
    whole = place.read_bytes()
    for at in range(0, len(whole), max(len(whole) // 40, 1)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = faults(engine, tmp_path)
        assert found, at
        assert place.name in found[0]
    place.write_bytes(whole)
    assert faults(engine, tmp_path) == []
    place.unlink()
    assert faults(engine, tmp_path) == [f"{place.name} is missing"]


def test_a_file_that_was_written_anew_with_another_row_is_named_by_its_row(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    """Whoever can also rewrite the record and the manifest cannot rewrite the seals."""
    from tradewright.operations.archive import files  # noqa: PLC0415

    dropped(engine, source, tmp_path)
    place = tmp_path / file_name(month)
    rows = list(files.read_rows(place))
    forged = [row._replace(actor="nobody") if n == 2 else row for n, row in enumerate(rows)]
    files.write_rows(place, month, forged)
    facts = files.facts_of(place)
    engine.execute("SET session_replication_role = replica")
    engine.execute(
        "UPDATE audit_archives SET file_sha256 = decode(%s, 'hex'), file_bytes = %s",
        (facts.sha256, facts.bytes),
    )
    assert f"row {rows[2].seq} of transaction {rows[2].txid}" in faults(engine, tmp_path)[0]


def test_a_manifest_that_says_otherwise_or_is_gone_is_named(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    place = tmp_path / manifest_name(month)
    place.write_text(place.read_text().replace('"row_count": 6', '"row_count": 7'))
    assert faults(engine, tmp_path) == [f"{place.name} says otherwise than the file: row_count"]
    place.unlink()
    assert faults(engine, tmp_path) == [f"{place.name} cannot be read: It is not there."]


def test_a_damaged_or_missing_file_lets_no_month_leave_and_none_come_back(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    hold_id = archive.hold(engine, from_month=None, to_month=None, by=BY)
    archive.run(source, tmp_path)
    archive.lift(engine, hold_id, by=BY)
    place = tmp_path / file_name(month)
    whole = place.read_bytes()
    place.write_bytes(whole[:-1] + b"x")
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_FILE_DIFFERS
    place.write_bytes(whole)
    dropped(engine, source, tmp_path)
    place.unlink()
    lost = refusal(lambda: archive.restore(source, tmp_path, month, kept_until=None, by=BY))
    assert lost is ErrorCode.ARCHIVE_FILE_DIFFERS
    assert state_of(engine, month) is ArchiveState.DROPPED


def test_a_table_is_not_dropped_when_its_file_was_lost_or_damaged_during_the_grace(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    """Behind the drop only the file has the rows."""
    archive.run(source, tmp_path)
    set_terms(engine, grace_days=0)
    place = tmp_path / file_name(month)
    whole = place.read_bytes()
    for damage in (whole[:-1], whole[:-1] + b"x", None):
        place.unlink()
        if damage is not None:
            place.write_bytes(damage)
        assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_FILE_DIFFERS
        assert state_of(engine, month) is ArchiveState.DETACHED
        place.write_bytes(whole)
    archive.run(source, tmp_path)
    assert state_of(engine, month) is ArchiveState.DROPPED


@pytest.mark.parametrize("state", ["written", "detached", "restored"])
def test_a_lost_file_is_written_anew_while_the_table_is_there(
    engine: Session, source: SessionSource, month: date, tmp_path: Path, state: str
) -> None:
    hold_id = archive.hold(engine, from_month=None, to_month=None, by=BY)
    if state != "written":
        archive.lift(engine, hold_id, by=BY)
    archive.run(source, tmp_path)
    if state == "restored":
        archive.restore(source, None, month, kept_until=None, by=BY)
    for path in tmp_path.iterdir():
        path.unlink()
    # As another release of the writer would have left it.
    engine.execute("UPDATE audit_archives SET file_sha256 = sha256('x')")
    found = archive.rewrite(source, tmp_path, month, by=("bert", "disk lost"))
    assert (found.state, len(list(tmp_path.iterdir()))) == (state, 2)
    assert faults(engine, tmp_path) == []
    require_laws(engine)
    newest = "SELECT actor FROM audit_log WHERE table_name = 'audit_archives' ORDER BY seq DESC"
    assert value(engine, f"{newest} LIMIT 1") == "bert"


def test_a_month_without_a_table_or_with_another_ones_file_is_not_written_anew(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    def rewrite() -> object:
        return archive.rewrite(source, tmp_path, month, by=BY)

    archive.run(source, tmp_path)
    place = tmp_path / file_name(month)
    whole = place.read_bytes()
    place.write_bytes(b"of another house")
    assert refusal(rewrite) is ErrorCode.ARCHIVE_FILE_UNREADABLE
    place.write_bytes(whole)
    dropped(engine, source, tmp_path)
    place.unlink()
    assert refusal(rewrite) is ErrorCode.ARCHIVE_STEP_REFUSED
    forged = b"UPDATE audit_archives SET file_sha256 = sha256('x')"
    assert refusal(lambda: engine.execute(forged)) is ErrorCode.RECORD_APPEND_ONLY


def test_what_is_wrong_with_one_month_keeps_no_other_from_its_turn(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    first, _ = old_month(engine, 41)
    second, _ = old_month(engine, 40)
    (tmp_path / file_name(first)).write_bytes(b"of another house")
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_FILE_UNREADABLE
    assert [one.month for one in archive.read_archives(engine)] == [second]


@pytest.mark.parametrize("size", [0, 3000])
def test_a_disk_without_room_leaves_no_file_and_the_next_run_goes_on(
    engine: Session, source: SessionSource, month: date, tmp_path: Path, size: int
) -> None:
    """No file may grow beyond a size; a full disk tells the same way, by the call that writes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
        code = refusal(lambda: archive.run(source, tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert code is ErrorCode.ARCHIVE_FILE_UNWRITABLE
    assert list(tmp_path.iterdir()) == []
    assert archive.read_archives(engine) == []
    archive.run(source, tmp_path)
    assert faults(engine, tmp_path) == []
    assert {path.stat().st_mode & 0o007 for path in tmp_path.iterdir()} == {0}


def test_a_file_that_cannot_be_read_is_a_fault_of_its_month(
    engine: Session,
    source: SessionSource,
    month: date,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tradewright.operations.archive import files  # noqa: PLC0415

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    archive.run(source, tmp_path)
    monkeypatch.setattr(files, "file_digest", fail)
    assert faults(engine, tmp_path) == [
        f'archive file "{file_name(month)}" cannot be read: Input/output error'
    ]


def test_the_file_of_another_house_is_never_purged(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    """Months are called alike in every house, and a folder is soon mixed up."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    month, _ = old_month(engine, 85)
    dropped(engine, source, ours)
    stranger = theirs / file_name(month)
    stranger.write_bytes(b"records of another house")
    (theirs / manifest_name(month)).write_text("{}")
    wrong = refusal(lambda: archive.purge(source, theirs, [month], by=BY))
    assert wrong is ErrorCode.ARCHIVE_FILE_DIFFERS
    assert state_of(engine, month) is ArchiveState.DROPPED
    (gone,) = archive.purge(source, ours, [month], by=BY)
    assert (gone.month, gone.steps) == (month, ("file removed",))
    assert archive.purge(source, theirs, [], by=BY) == []
    assert len(list(theirs.iterdir())) == 2
    assert list(ours.iterdir()) == []


def test_a_file_that_is_in_another_folder_is_told_and_removed_when_that_is_given(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, _ = old_month(engine, 85)
    empty, kept = tmp_path / "empty", tmp_path / "kept"
    empty.mkdir()
    kept.mkdir()
    dropped(engine, source, kept)
    (told,) = archive.purge(source, empty, [month], by=BY)
    assert (told.steps, told.left) == ((), f"{file_name(month)} is not in this folder")
    assert state_of(engine, month) is ArchiveState.PURGED
    assert len(list(kept.iterdir())) == 2
    archive.purge(source, kept, [], by=BY)
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_snapshot_that_is_older_than_a_hold_purges_nothing(
    engine: Session, source: SessionSource, open_session: OpenSession, tmp_path: Path, level: str
) -> None:
    old_month(engine, 85)
    dropped(engine, source, tmp_path)
    purger = open_session()
    purger.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
    purger.execute("SELECT count(*) FROM audit_holds")
    archive.hold(engine, from_month=None, to_month=None, by=BY)
    step = b"UPDATE audit_archives SET state = 'purged'"
    assert refusal(lambda: purger.execute(step)) is ErrorCode.ARCHIVE_TRANSACTION_REFUSED


def test_a_hold_can_be_set_while_a_dump_reads_a_table_that_is_to_be_dropped(
    engine: Session, source: SessionSource, open_session: OpenSession, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    set_terms(engine, grace_days=0)
    reader, holder = open_session(), open_session()
    holder.execute("SET lock_timeout = '300ms'")
    with reader.transaction(), ThreadPoolExecutor(1) as pool:
        reader.execute(f"SELECT FROM audit_log_{month:%Y_%m}".encode())
        dropper = open_session()
        dropping = pool.submit(store.drop_month, dropper, month)
        until(lambda: value(engine, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        archive.hold(holder, from_month=None, to_month=None, by=BY)
        dropper.cancel()
        with pytest.raises(psycopg.errors.QueryCanceled):
            dropping.result()
    assert archive.run(source, tmp_path)[0].left == "it is held"


def test_a_month_whose_detached_table_was_dropped_by_hand_comes_back_from_its_file(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    before = rows_of(engine, month)
    archive.run(source, tmp_path)
    engine.execute(f"DROP TABLE audit_log_{month:%Y_%m}".encode())
    set_terms(engine, grace_days=0)
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_MONTH_CHANGED
    archive.restore(source, tmp_path, month, kept_until=None, by=BY)
    assert rows_of(engine, month) == before
    require_laws(engine)


def test_how_long_a_restored_month_stays_can_be_changed(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    dropped(engine, source, tmp_path)
    today = utc_now().date()
    archive.restore(source, tmp_path, month, kept_until=today, by=BY)
    longer = archive.restore(source, None, month, kept_until=today + timedelta(days=9), by=BY)
    assert longer.kept_until == today + timedelta(days=9)
    require_laws(engine)


def test_hashes_are_kept_some_rows_at_a_time(
    engine: Session,
    source: SessionSource,
    month: date,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a month of millions of rows under one seal, in which no part has all of them."""
    monkeypatch.setattr(store, "_ROWS_OF_A_PART", 4)
    archive.run(source, tmp_path)
    parts = "SELECT part, cardinality(txids) FROM audit_archive_segments ORDER BY part"
    assert engine.execute(parts).fetchall() == [(0, 4), (1, 2)]
    require_laws(engine)
    assert faults(engine, tmp_path) == []
    dropped(engine, source, tmp_path)
    require_laws(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM audit_archive_segments WHERE part = 1")
    assert any("is not what was sealed" in fault for fault in faults(engine, tmp_path))


def test_a_file_of_another_house_is_not_overwritten(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    from tradewright.operations.archive import files  # noqa: PLC0415

    place = tmp_path / file_name(month)
    files.write_rows(place, month, [])
    theirs = place.read_bytes()
    assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_FILE_DIFFERS
    assert place.read_bytes() == theirs
    assert archive.read_archives(engine) == []


def test_files_are_purged_when_their_time_is_over_and_the_laws_hold_on(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, (user_id, *_) = old_month(engine, 85)
    dropped(engine, source, tmp_path)
    archive.purge(source, tmp_path, archive.purgeable(engine), by=BY)
    assert list(tmp_path.iterdir()) == []
    assert state_of(engine, month) is ArchiveState.PURGED
    require_laws(engine)
    assert faults(engine, tmp_path) == []
    trail = audit.read_trail(engine, user_id)
    assert trail[0].details["state"] == "purged"
    assert audit.archived_months(trail) == []
    day = datetime.combine(month, time(), UTC)
    made = make(engine, "reconstruction", Scope(begin=day, end=day + timedelta(days=1)))
    (told,) = made.facts["excluded"].values()
    assert "purged when their time was over" in told
    assert "restore" not in told
    back = refusal(lambda: archive.restore(source, tmp_path, month, kept_until=None, by=BY))
    assert back is ErrorCode.ARCHIVE_STEP_REFUSED


def test_nothing_is_purged_before_its_time_or_while_it_is_held(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, _ = old_month(engine, 84)
    dropped(engine, source, tmp_path)
    assert archive.purgeable(engine) == []
    early = refusal(lambda: archive.purge(source, tmp_path, [month], by=BY))
    assert early is ErrorCode.ARCHIVE_TOO_EARLY
    assert (tmp_path / file_name(month)).exists()


def test_the_trail_says_which_months_are_archived_and_how_much_is_there(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    month, (user_id, *_) = old_month(engine)
    engine.execute("UPDATE users SET kyc_level = 2 WHERE id = %s", (user_id,))
    before = audit.read_trail(engine, user_id)
    archive.run(source, tmp_path)
    first, last = audit.read_trail(engine, user_id)
    assert last == before[-1]
    assert first.details == {
        "month": f"{month:%Y-%m}",
        "table_name": "users",
        "change_count": 2,
        "state": "detached",
    }
    assert audit.archived_months([first, last]) == [f"{month:%Y-%m}"]
    archive.restore(source, tmp_path, month, kept_until=None, by=BY)
    assert audit.read_trail(engine, user_id) == before


def test_a_reconstruction_names_archived_months_and_what_they_hold_of_its_subject(
    engine: Session, source: SessionSource, tmp_path: Path
) -> None:
    audit.seal(engine)
    user_id = open_user(engine)
    account_id = open_account(engine, user_id)
    month = months_ago(40)
    age(engine, month)
    old_month(engine, 41)
    archive.run(source, tmp_path)
    name = f"{month:%Y-%m}"
    of_account = make(engine, "reconstruction", Scope(account_id=account_id)).facts
    assert of_account["excluded"] == {
        f"changes in the archived month {name}": f"2: tradewright archive restore {name}"
    }
    day = datetime.combine(month, time(), UTC)
    around = Scope(begin=day - timedelta(days=1), end=day + timedelta(days=1))
    assert len(make(engine, "reconstruction", around).facts["excluded"]) == 2
    after = Scope(begin=day + timedelta(days=40), end=day + timedelta(days=50))
    assert make(engine, "reconstruction", after).facts["excluded"] == "nothing"


def test_a_row_that_was_touched_in_the_archive_breaks_the_law_of_audit(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    archive.run(source, tmp_path)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE audit_archive_counts SET change_count = change_count + 1")
    assert faults(engine, tmp_path) == ["the kept counts of changes are not those of the rows"]
    assert audit.check_laws(engine)["every_change_is_audited"].broken == 3


def test_two_do_not_work_on_the_archive_at_once(
    source: SessionSource, month: date, tmp_path: Path
) -> None:
    with source() as other, store.claimed(other):
        assert refusal(lambda: archive.run(source, tmp_path)) is ErrorCode.ARCHIVE_BUSY


def test_a_detached_month_is_nobodys_but_its_owners(
    engine: Session, source: SessionSource, month: date, tmp_path: Path
) -> None:
    """Rights are given anew by each later migration; a row slipped in would come back restored."""
    archive.run(source, tmp_path)
    engine.execute("SELECT grant_engine_rights()")
    given = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_name = %s"
    name = value(engine, "SELECT audit_month_table(%s)", month)
    others = f"{given} AND grantee <> current_user"
    assert value(engine, others, name) == 0


def test_a_member_of_a_plain_owner_archives_and_restores(
    server: EmbeddedServer, engine_template: str, tmp_path: Path
) -> None:
    """The owner is no superuser, and the months stay its own whoever of its members restores."""
    server.create_database("owned")
    try:
        with connect(server.conninfo("owned"), autocommit=True) as session:
            session.execute("CREATE ROLE house CREATEROLE LOGIN PASSWORD 'secret'")
            session.execute("CREATE ROLE archivist LOGIN PASSWORD 'secret' IN ROLE house")
            session.execute("GRANT CREATE ON DATABASE owned TO house")
            for role in ("app", "operator", "reader"):
                session.execute(f"GRANT tradewright_{role} TO house WITH ADMIN OPTION".encode())
            migrate_engine(make_conninfo(server.conninfo("owned"), user="house", password="secret"))
            login = make_conninfo(server.conninfo("owned"), user="archivist", password="secret")
            month, _ = old_month(session)
            before = rows_of(session, month)
            set_terms(session, grace_days=0)
            archive.run(lambda: connect(login, autocommit=True), tmp_path)
            assert state_of(session, month) is ArchiveState.DROPPED
            archive.restore(
                lambda: connect(login, autocommit=True), tmp_path, month, kept_until=None, by=BY
            )
            assert rows_of(session, month) == before
            require_laws(session)
            owners = "SELECT DISTINCT relowner FROM pg_class WHERE relname ~ '^audit_log'"
            assert len(session.execute(owners.encode()).fetchall()) == 1
    finally:
        server.drop_database("owned")
        with connect(server.conninfo("postgres"), autocommit=True) as session:
            for role in ("app", "operator", "reader"):
                session.execute(f"REVOKE tradewright_{role} FROM house".encode())
            session.execute("DROP ROLE archivist, house")


def test_a_folder_that_is_not_there_is_not_made(source: SessionSource, tmp_path: Path) -> None:
    missing = tmp_path / "not-mounted"
    assert refusal(lambda: archive.run(source, missing)) is ErrorCode.ARCHIVE_FOLDER_MISSING
    assert not missing.exists()


def test_without_pyarrow_the_archive_says_how_to_install_it(
    source: SessionSource, month: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StateError, match="ARCHIVE_WRITER_MISSING") as caught:
        archive.run(source, tmp_path)
    assert "tradewright[archive]" in caught.value.hint


STEPS = (
    "file written",
    "file in place",
    "file read back",
    "recorded",
    "detaching",
    "detached",
    "detachment recorded",
    "dropped",
)

RUN = """
import os, signal, sys
from pathlib import Path
from tradewright.operations import archive
from tradewright.postgres.connect import connect
def tell(month, step):
    print(step, flush=True)
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
    if step == "detaching" and sys.argv[3] == "none":
        sys.stdin.readline()
archive.run(lambda: connect(sys.argv[1], autocommit=True), Path(sys.argv[2]), tell=tell)
"""


def runner(database: str, folder: Path, step: str) -> subprocess.Popen[str]:
    """Start a run that kills itself behind a step, or waits for a word before it detaches."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, database, str(folder), step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], object]) -> None:
    deadline = monotonic_seconds() + 30
    while not true():
        assert monotonic_seconds() < deadline
        pause(0.02)


def is_free(session: Session) -> bool:
    """Tell whether the server has noticed that the runner is gone."""
    try:
        with store.claimed(session):
            return True
    except StateError:
        return False


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_behind_any_step_is_gone_on_with(
    engine: Session, source: SessionSource, month: date, tmp_path: Path, step: str
) -> None:
    before = rows_of(engine, month)
    set_terms(engine, grace_days=0)
    victim = runner(engine.info.dsn + " password=" + engine.info.password, tmp_path, step)
    _, told = victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL, told
    require_laws(engine)
    until(lambda: is_free(engine))
    archive.run(source, tmp_path)
    assert state_of(engine, month) is ArchiveState.DROPPED
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [manifest_name(month), file_name(month)]
    assert faults(engine, tmp_path) == []
    require_laws(engine)
    archive.restore(source, tmp_path, month, kept_until=None, by=BY)
    assert rows_of(engine, month) == before


def test_a_detach_that_is_cut_off_while_it_waits_is_finished_by_the_next_run(
    engine: Session, source: SessionSource, open_session: OpenSession, month: date, tmp_path: Path
) -> None:
    """A reader holds it up; the laws hold meanwhile; the runner is killed."""
    reader = open_session()
    pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
    victim = runner(engine.info.dsn + " password=" + engine.info.password, tmp_path, "none")
    assert victim.stdout is not None
    until(lambda: victim.stdout.readline() == "detaching\n")  # type: ignore[union-attr]
    with reader.transaction():
        reader.execute("SELECT count(*) FROM audit_log")
        assert victim.stdin is not None
        victim.stdin.write("go on\n")
        victim.stdin.flush()
        until(lambda: value(engine, pending) == 1)
        require_laws(engine)
        victim.kill()
        victim.communicate()
        until(lambda: is_free(engine))
        require_laws(engine)
    assert value(engine, pending) == 1
    assert state_of(engine, month) is ArchiveState.DETACHING
    archive.run(source, tmp_path)
    assert value(engine, pending) == 0
    assert state_of(engine, month) is ArchiveState.DETACHED
    require_laws(engine)
    assert faults(engine, tmp_path) == []


def test_a_detach_gives_up_on_readers_that_do_not_end_and_is_finished_later(
    source: SessionSource, open_session: OpenSession, month: date, tmp_path: Path
) -> None:
    reader = open_session()

    def begin(_: date, step: str) -> None:
        if step == "detaching":
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM audit_log")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_DETACH_SECONDS_MAX", "0.2")
        late = refusal(lambda: archive.run(source, tmp_path, tell=begin))
    assert late is ErrorCode.DATABASE_TIMEOUT
    reader.execute("COMMIT")
    archive.run(source, tmp_path)
    assert state_of(reader, month) is ArchiveState.DETACHED


def test_a_month_does_not_leave_while_transactions_run_that_cannot_see_its_archive(
    source: SessionSource,
    open_session: OpenSession,
    month: date,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_OLDER_SECONDS_MAX", 0.2)
    checker = open_session()
    with checker.transaction():
        checker.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        checker.execute("SELECT count(*) FROM users")
        (report,) = archive.run(source, tmp_path)
        require_laws(checker)
    assert (report.steps[-1], report.left) == ("recorded", "older transactions do not end")
    archive.run(source, tmp_path)
    assert state_of(checker, month) is ArchiveState.DETACHED


def test_laws_that_began_before_a_detach_hold_in_their_snapshot(
    source: SessionSource, open_session: OpenSession, month: date, tmp_path: Path
) -> None:
    """The catalog shows them the new world and their snapshot the old one."""
    checker = open_session()

    def begin(_: date, step: str) -> None:
        if step == "detaching":
            checker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            checker.execute("SELECT count(*) FROM users")

    archive.run(source, tmp_path, tell=begin)
    assert state_of(checker, month) is ArchiveState.DETACHING
    require_laws(checker)
    checker.execute("COMMIT")
    assert state_of(checker, month) is ArchiveState.DETACHED
