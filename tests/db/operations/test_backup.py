"""Backups beside writers, and drills that restore them: what is whole is told so, nothing else."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import CliRunner, Result
from psycopg import IsolationLevel
from psycopg.conninfo import make_conninfo

from tests.cast import open_user, open_wallet, play, value
from tradewright import operations
from tradewright.cli.backup import _drilled
from tradewright.cli.main import cli
from tradewright.cli.options import Asked
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.ledger import sealing
from tradewright.operations import Means, backup
from tradewright.operations.backup import Backup, BackupKind, House, Order
from tradewright.operations.backup.figures import differences, read_figures
from tradewright.operations.backup.folders import DATA, DUMP, begin_folder, chain_of
from tradewright.operations.backup.model import Figures, Keeping, Manifest, TableFigures
from tradewright.operations.jobs import JOBS
from tradewright.postgres.binaries import programs_folder, server_user
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.programs import find_programs, try_program
from tradewright.postgres.restored import restored_server

drilling = sys.modules[backup.DrillReport.__module__]


@pytest.fixture(scope="module")
def kept(house_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give a house in which something has happened; of its backups many tests look at one."""
    house_server.create_database("kept", template="house_template")
    conninfo = house_server.conninfo("kept")
    with connect(conninfo, autocommit=True) as session:
        play(session)
    yield House(conninfo=conninfo)
    house_server.drop_database("kept")


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


@pytest.fixture(scope="module")
def full(kept: House, backups: Path) -> Backup:
    """Give a copy of the files that was made while somebody was writing."""
    with _writing(kept):
        return backup.take_backup(kept, Order(to=backups, kind=BackupKind.FULL))


@pytest.fixture(scope="module")
def dump(kept: House, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    folder = tmp_path_factory.mktemp("dumps")
    with _writing(kept):
        return backup.take_backup(kept, Order(to=folder, kind=BackupKind.LOGICAL, laws=False))


class _writing:  # noqa: N801 (a context manager that reads as a word)
    """Let a client put money into wallets all the while."""

    def __init__(self, house: House) -> None:
        self._house, self._stop, self._pool = house, Event(), ThreadPoolExecutor(1)

    def __enter__(self) -> None:
        self._begun = Event()
        self._done = self._pool.submit(self._write)
        assert self._begun.wait(20)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._done.result(timeout=20)
        self._pool.shutdown()

    def _write(self) -> None:
        with connect(self._house.conninfo, autocommit=True) as session:
            while not self._stop.is_set():
                open_wallet(session, open_user(session), "1")
                self._begun.set()


def copy_of(found: Backup, folder: Path) -> Backup:
    """Copy a backup, so that it may be spoiled."""
    shutil.copytree(found.folder, folder / found.manifest.name)
    return backup.find_backup(folder / found.manifest.name)


def flip_a_byte(file: Path) -> None:
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(text)


def run_command(*words: str, **environment: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", **environment}).invoke(cli, ["backup", *words])


def refusal(house: House, order: Order) -> StateError:
    with pytest.raises(StateError) as caught:
        backup.take_backup(house, order)
    return caught.value


def test_a_copy_made_beside_a_writer_is_restored_with_all_that_its_figures_show(
    full: Backup,
) -> None:
    report = backup.drill(full)
    assert report.problems == []
    assert report.restore_ms > 0
    assert report.covers_until >= full.manifest.figures.read_at
    (rows,) = (step for step in report.steps if step.name == "rows")
    assert not rows.what.endswith(" 0 from after the figures")
    settled = full.manifest.figures.tables["balance_ledger"]
    assert settled.keeping is Keeping.APPEND_ONLY
    assert settled.settled_rows > 0
    assert set(full.manifest.figures.laws.values()) == {0}


def test_an_incremental_one_copies_less_and_is_restored_with_what_it_builds_on(
    kept: House, full: Backup, backups: Path
) -> None:
    with _writing(kept):
        order = Order(to=backups, kind=BackupKind.INCREMENTAL, base=full.folder, laws=False)
        made = backup.take_backup(kept, order)
    assert made.manifest.base == full.manifest.name
    assert [each.manifest.name for each in chain_of(made)] == [
        full.manifest.name,
        made.manifest.name,
    ]
    assert made.manifest.bytes < full.manifest.bytes
    report = backup.drill(made)
    assert report.problems == []
    assert backup.latest_backup(backups).manifest == made.manifest
    assert backup.to_prune(backup.list_backups(backups), 1) == []
    shutil.rmtree(made.folder)


def test_a_dump_made_beside_a_writer_is_equal_to_its_figures_to_the_last_row(
    dump: Backup,
) -> None:
    report = backup.drill(dump)
    assert report.problems == []
    figures = dump.manifest.figures.tables
    assert all(table.settled_rows == table.rows for table in figures.values())
    (rows,) = (step for step in report.steps if step.name == "rows")
    assert rows.what.endswith(" 0 from after the figures")


def test_broken_laws_guards_that_are_off_and_lost_rows_do_not_pass_a_drill(
    house: str, master: Session, tmp_path: Path
) -> None:
    open_wallet(master, open_user(master), "100")
    master.execute("SET session_replication_role = replica")
    master.execute("UPDATE user_balances SET available = 1000")
    master.execute("ALTER TABLE trades DISABLE TRIGGER trades_are_append_only")
    made = backup.take_backup(House(conninfo=house), Order(to=tmp_path, kind=BackupKind.LOGICAL))
    assert made.manifest.figures.laws["balance_is_replay"] == 1
    told = backup.drill(_with_one_more_transfer(made)).problems
    assert told[0] == "rows: table transfers has 1 rows that were settled, and had 2"
    assert "guards: guards are missing or off: trades_are_append_only on trades" in told
    (law,) = (problem for problem in told if problem.startswith("laws: broken: "))
    assert "balance_is_replay" in law


def _with_one_more_transfer(made: Backup) -> Backup:
    """Return a backup that remembers a transfer which is not in it."""
    tables = dict(made.manifest.figures.tables)
    was = tables["transfers"]
    tables["transfers"] = msgspec.structs.replace(was, settled_rows=was.rows + 1, rows=was.rows + 1)
    figures = msgspec.structs.replace(made.manifest.figures, tables=tables)
    return Backup(made.folder, msgspec.structs.replace(made.manifest, figures=figures))


def test_one_flipped_byte_is_named_and_not_restored(full: Backup, tmp_path: Path) -> None:
    spoiled = copy_of(full, tmp_path)
    assert backup.verify_backup(spoiled) == []
    file = max((spoiled.folder / DATA / "base").rglob("*"), key=lambda path: path.stat().st_size)
    flip_a_byte(file)
    (told,) = backup.verify_backup(spoiled)
    assert str(file.relative_to(spoiled.folder / DATA)) in told
    report = backup.drill(spoiled)
    assert [step.name for step in report.steps] == ["room", "files"]
    assert report.problems == [f"files: {told}"]
    done = run_command("verify", str(spoiled.folder))
    assert (done.exit_code, told in done.stdout) == (1, True)


def test_a_flipped_byte_of_a_dump_and_of_the_manifest_is_named(
    dump: Backup, tmp_path: Path
) -> None:
    spoiled = copy_of(dump, tmp_path)
    flip_a_byte(spoiled.folder / DUMP)
    assert backup.verify_backup(spoiled) == [f"{DUMP} was changed"]
    manifest = spoiled.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("logical", "full", 1))
    assert "manifest.json was changed" in backup.verify_backup(spoiled)


@pytest.mark.parametrize("left", ["", "house.dump", "manifest.json"])
def test_sums_that_were_cut_short_do_not_pass_for_good(
    dump: Backup, tmp_path: Path, left: str
) -> None:
    """A sum that is not there compares nothing, so it must be missed."""
    spoiled = copy_of(dump, tmp_path)
    sums = spoiled.folder / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if left and line.endswith(f"  {left}\n")))
    missing = sorted({"house.dump", "manifest.json"} - {left})
    assert backup.verify_backup(spoiled) == [f"SHA256SUMS has no sum of {one}" for one in missing]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (
            "DROP INDEX idx_audit_log_row_id_created_at",
            "index idx_audit_log_row_id_created_at is gone",
        ),
        (
            "ALTER TABLE users DROP CONSTRAINT users_email_unique",
            "constraint users.users_email_unique is gone",
        ),
        ("DROP FUNCTION prune_records(integer)", "function prune_records(integer) is gone"),
        ("DROP MATERIALIZED VIEW house_result", "view house_result is gone"),
        ("ALTER TABLE orders ALTER created_at DROP DEFAULT", "column orders.created_at is another"),
        ("ALTER TABLE trades ENABLE ROW LEVEL SECURITY", "table trades is another"),
        ("ALTER FUNCTION refuse_change() COST 7", "function refuse_change() is another"),
    ],
)
def test_a_restore_that_lacks_a_part_of_the_schema_does_not_pass(
    master: Session, broken: str, told: str
) -> None:
    before = figures_now(master, None)
    master.execute("SELECT premake_audit_log_partitions(14)")
    assert differences(before, figures_now(master, before.horizon), exact=False) == []
    master.execute(broken.encode())
    assert told in differences(before, figures_now(master, before.horizon), exact=False)


def test_a_dump_that_lacks_a_month_ahead_does_not_pass(master: Session) -> None:
    before = figures_now(master, None)
    name = value(master, "SELECT audit_month_table((now() + interval '6 months')::date)")
    master.execute(f"DROP TABLE {name}".encode())
    after = figures_now(master, before.horizon)
    assert f"month {name} is gone" in differences(before, after, exact=True)
    assert differences(before, after, exact=False) == []


def test_backups_that_build_on_each_other_are_refused(full: Backup, tmp_path: Path) -> None:
    spoiled = copy_of(full, tmp_path)
    manifest = msgspec.structs.replace(full.manifest, base=full.manifest.name)
    with pytest.raises(InputError, match="cannot be used as a backup"):
        chain_of(Backup(spoiled.folder, manifest))


def test_a_restored_house_that_cannot_be_looked_at_is_bad_and_recorded_as_such(
    full: Backup, house: str
) -> None:
    """The schema is gone, or is another one: an error of the server must not hide the verdict."""
    origin = msgspec.structs.replace(full.manifest.origin, schema="nowhere")
    lost = Backup(full.folder, msgspec.structs.replace(full.manifest, origin=origin))
    report = backup.drill(lost)
    assert [step.name for step in report.steps] == ["room", "files", "restore"]
    assert report.problems
    asked = Asked(url=house, keep=None, schema="tradewright", as_json=True)
    _drilled(asked, lost, None)
    with connect(house) as session:
        assert backup.read_runs(session, 1)[0].outcome == "failed"


def test_tables_in_a_tablespace_go_into_a_dump_and_are_told_of_a_copy(
    house: str, master: Session, house_server: EmbeddedServer, tmp_path: Path
) -> None:
    place = house_server.home / "elsewhere"
    place.mkdir(mode=0o700)
    server_user().own(place)
    master.execute(f"CREATE TABLESPACE elsewhere LOCATION '{place}'".encode())
    try:
        master.execute("ALTER TABLE alerts SET TABLESPACE elsewhere")
        error = refusal(House(conninfo=house), Order(to=tmp_path, kind=BackupKind.FULL))
        assert error.code == ErrorCode.BACKUP_REFUSED
        assert "--logical" in error.hint
        order = Order(to=tmp_path, kind=BackupKind.LOGICAL, laws=False)
        assert backup.drill(backup.take_backup(House(conninfo=house), order)).problems == []
    finally:
        master.execute("ALTER TABLE alerts SET TABLESPACE pg_default")
        master.execute("DROP TABLESPACE elsewhere")


def test_a_backup_and_a_drill_without_room_say_how_much_is_needed_and_begin_nothing(
    kept: House, full: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert full.manifest.restored_bytes >= full.manifest.bytes // 2
    huge = msgspec.structs.replace(full.manifest, restored_bytes=10**18)
    with pytest.raises(StateError, match="BACKUP_ROOM_SHORT") as caught:
        backup.drill(Backup(full.folder, huge))
    assert "About 1,000,000,000.3 GB are needed in" in caught.value.why
    assert "TMPDIR" in caught.value.hint
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**6))
    for kind in (BackupKind.FULL, BackupKind.LOGICAL):
        error = refusal(kept, Order(to=tmp_path / "new", kind=kind))
        assert error.code == ErrorCode.BACKUP_ROOM_SHORT
        assert "1 MB are free; nothing was begun" in error.why
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_and_recorded(kept: House, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    order = Order(to=tmp_path / "file" / "backups", kind=BackupKind.LOGICAL, laws=False)
    assert refusal(kept, order).code == ErrorCode.BACKUP_FOLDER_UNWRITABLE
    with connect(kept.conninfo) as session:
        assert "could not be written to" in str(backup.read_runs(session, 1)[0].error)


def figures_of(**tables: TableFigures) -> Figures:
    read_at = "2026-01-13T12:00:00Z"
    facts = {"read_at": read_at, "horizon": 9, "money": {}, "audit_seal": None}
    facts |= {"ledger_seal": None, "laws": {}, "migrations": {}}
    built = msgspec.to_builtins({**facts, "tables": tables})
    return msgspec.convert(built, Figures)


def table(keeping: Keeping, rows: int, settled: int = 0, digest: str = "") -> TableFigures:
    return TableFigures(keeping=keeping, rows=rows, settled_rows=settled, digest=digest)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (table(Keeping.APPEND_ONLY, 9, 7, "d"), table(Keeping.APPEND_ONLY, 12, 7, "d"), ""),
        (
            table(Keeping.APPEND_ONLY, 9, 7, "d"),
            table(Keeping.APPEND_ONLY, 12, 6, "d"),
            "table x has 6 rows that were settled, and had 7",
        ),
        (
            table(Keeping.APPEND_ONLY, 9, 7, "d"),
            table(Keeping.APPEND_ONLY, 9, 7, "e"),
            "rows of table x say something else",
        ),
        (
            table(Keeping.APPEND_ONLY, 9, 7, "d"),
            table(Keeping.APPEND_ONLY, 8, 7, "d"),
            "table x has 8 rows, and had 9",
        ),
        (
            table(Keeping.KEPT, 9),
            table(Keeping.KEPT, 8),
            "table x has 8 rows, and had 9",
        ),
        (table(Keeping.FREE, 9), table(Keeping.FREE, 8), ""),
    ],
)
def test_what_no_writer_can_take_away_must_be_there_and_what_came_later_may(
    before: TableFigures, after: TableFigures, told: str
) -> None:
    found = differences(figures_of(x=before), figures_of(x=after), exact=False)
    assert found == ([told] if told else [])


def test_a_table_that_is_gone_or_new_is_told() -> None:
    one = figures_of(x=table(Keeping.FREE, 1))
    assert differences(one, figures_of(), exact=False) == ["table x is gone"]
    assert differences(figures_of(), one, exact=True) == ["table x is new"]


def test_a_role_that_may_not_copy_files_is_told_what_it_lacks(
    kept: House, tmp_path: Path, house_server: EmbeddedServer
) -> None:
    with connect(kept.conninfo, autocommit=True) as session:
        session.execute("CREATE ROLE copier LOGIN PASSWORD 'x' IN ROLE tradewright_operator")
        plain = House(conninfo=make_conninfo(kept.conninfo, user="copier", password="x"))
        try:
            error = refusal(plain, Order(to=tmp_path, kind=BackupKind.FULL))
            assert error.code == ErrorCode.BACKUP_REFUSED
            assert 'ALTER ROLE "copier" REPLICATION' in error.hint
            assert "host replication copier" in error.hint
            session.execute("ALTER ROLE copier REPLICATION")
            made = backup.take_backup(plain, Order(to=tmp_path, kind=BackupKind.FULL, laws=False))
            assert backup.verify_backup(made) == []
            session.execute("GRANT pg_read_all_data TO copier")
            order = Order(to=tmp_path, kind=BackupKind.LOGICAL, laws=False)
            assert backup.verify_backup(backup.take_backup(plain, order)) == []
        finally:
            session.execute("DROP ROLE copier")


def test_an_incremental_one_is_refused_where_the_server_cannot_tell_what_changed(
    kept: House, full: Backup, backups: Path
) -> None:
    order = Order(to=backups, kind=BackupKind.INCREMENTAL, base=full.folder)
    with connect(kept.conninfo, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET summarize_wal = off")
        session.execute("SELECT pg_reload_conf()")
        try:
            _until(session, "SELECT current_setting('summarize_wal') = 'off'")
            error = refusal(kept, order)
        finally:
            session.execute("ALTER SYSTEM RESET summarize_wal")
            session.execute("SELECT pg_reload_conf()")
            _until(session, "SELECT current_setting('summarize_wal') = 'on'")
    assert error.code == ErrorCode.BACKUP_REFUSED
    assert "summarize_wal = on" in error.hint


def _until(session: Session, question: str) -> None:
    for _ in range(200):
        if value(session, question):
            return
        pause(0.05)
    pytest.fail(question)


def test_what_fails_leaves_nothing_and_is_recorded(
    kept: House, dump: Backup, backups: Path, full: Backup
) -> None:
    before = sorted(path.name for path in backups.iterdir())
    order = Order(to=backups, kind=BackupKind.INCREMENTAL, base=dump.folder, laws=False)
    assert "It lies in another folder" in refusal(kept, order).why
    assert sorted(path.name for path in backups.iterdir()) == before
    with connect(kept.conninfo) as session:
        last = backup.read_runs(session, 1)[0]
    assert (last.kind, last.outcome) == ("incremental", "failed")
    assert "no incremental backup can build on" in str(last.error)


def test_what_a_killed_backup_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "tradewright-20260113T120000Z-full"
    left.mkdir()
    namespace = Path("/proc/self/ns/pid").readlink()
    (left / "maker").write_text(f"999999 1 {namespace}")
    (left / "data").mkdir()
    (left / "data" / "PG_VERSION").write_text("18")
    running = begin_folder(tmp_path, "20260113T130000Z-full")
    begun = begin_folder(tmp_path, "20260113T140000Z-full")
    assert sorted(tmp_path.iterdir()) == [running, begun]


def test_programs_of_another_version_are_told_with_where_they_were_looked_for(
    tmp_path: Path,
) -> None:
    with pytest.raises(StateError) as caught:
        find_programs(18, tmp_path)
    assert caught.value.code == ErrorCode.BACKUP_PROGRAMS_MISSING
    assert f"{tmp_path} has none" in caught.value.why
    ours = programs_folder(server_user())
    with pytest.raises(StateError) as caught:
        find_programs(99)
    assert f"{ours} has those of 18" in caught.value.why
    assert find_programs(18) == ours


def test_no_secret_stands_on_a_command_line(tmp_path: Path) -> None:
    script = tmp_path / "tell"
    script.write_text('#!/bin/sh\necho "$@"; test "$PGPASSWORD" = "s3cret" && echo heard\n')
    script.chmod(0o755)
    done = try_program([script], "host=x user=y password=s3cret sslpassword=s3cret")
    assert done.stdout.endswith("heard\n")
    assert "s3cret" not in done.stdout


def copies(folder: Path, *bases: str | None, template: Manifest) -> list[Backup]:
    """Make the folders of backups 0, 1, 2, ..., each on what is said of it."""
    found = []
    for number, base in enumerate(bases):
        place = folder / str(number)
        place.mkdir(parents=True)
        manifest = msgspec.structs.replace(template, name=str(number), base=base)
        found.append(Backup(place, manifest))
    return found


def test_pruning_keeps_the_newest_and_all_that_they_build_on(full: Backup, tmp_path: Path) -> None:
    template = full.manifest
    found = copies(tmp_path, None, "0", None, "2", "3", None, template=template)
    assert [one.manifest.name for one in backup.to_prune(found, 1)] == ["4", "3", "2", "1", "0"]
    assert [one.manifest.name for one in backup.to_prune(found, 2)] == ["1", "0"]
    assert backup.to_prune(found, 6) == []
    backup.prune(backup.to_prune(found, 2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "4", "5"]


def test_pruning_counts_each_house_and_its_dumps_apart(full: Backup, tmp_path: Path) -> None:
    """One that is backed up each hour must not push out one that is backed up each week."""
    mine = copies(tmp_path, None, None, None, template=full.manifest)
    other = msgspec.structs.replace(mine[0].manifest, system_id="another")
    dumped = msgspec.structs.replace(mine[1].manifest, kind=BackupKind.LOGICAL, system_id="")
    found = [Backup(mine[0].folder, other), Backup(mine[1].folder, dumped), mine[2]]
    assert backup.to_prune(found, 1) == []


def test_the_command_asks_before_it_prunes(full: Backup, tmp_path: Path) -> None:
    for one in copies(tmp_path, None, None, template=full.manifest):
        (one.folder / "manifest.json").write_bytes(msgspec.json.encode(one.manifest))
    words = ["prune", str(tmp_path), "--keep", "1"]
    assert run_command(*words).exit_code == 1
    assert len(list(tmp_path.iterdir())) == 2
    done = run_command(*words, "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"removed": ["0"]})
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_folder_that_is_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        backup.find_backup(tmp_path)
    assert caught.value.code == ErrorCode.BACKUP_FOLDER_UNUSABLE
    done = run_command("drill", "--latest", str(tmp_path))
    assert "No backup is in it" in str(done.exception)


def test_the_commands_make_list_and_drill_a_dump_and_the_house_remembers(
    house: str, master: Session, tmp_path: Path
) -> None:
    folder = str(tmp_path / "backups")
    made = run_command("run", "--to", folder, "--logical", "--json", "--database", house)
    assert made.exit_code == 0, made.output
    name = json.loads(made.stdout)["name"]
    listed = json.loads(run_command("list", folder, "--json").stdout)
    assert [(row["name"], row["kind"]) for row in listed] == [(name, "logical")]
    drilled = run_command("drill", "--latest", folder, "--json", "--database", house)
    assert (drilled.exit_code, json.loads(drilled.stdout)["is_good"]) == (0, True)
    runs = json.loads(run_command("runs", "--json", "--database", house).stdout)
    assert [(row["kind"], row["outcome"]) for row in runs] == [
        ("drill", "succeeded"),
        ("logical", "succeeded"),
    ]
    assert runs[0]["restore_ms"] > 0


def test_what_was_declared_raises_an_alert_until_there_is_one_again(
    house: str, master: Session
) -> None:
    words = ["--actor", "anna", "--reason", "policy", "--database", house]
    done = run_command("require", "backup", "--within", "26h", *words)
    assert done.exit_code == 0, done.output
    row = master.execute("SELECT kind, actor, reason FROM backup_terms").fetchone()
    assert row == ("backup", "anna", "policy")
    means = Means(source=lambda: connect(house, autocommit=True))
    open_alerts = (
        "SELECT count(*) FROM alerts WHERE kind = 'backup_overdue' AND resolved_at IS NULL"
    )
    master.execute("INSERT INTO backup_terms (kind, within) VALUES ('backup', '1 second')")
    pause(1.1)
    master.execute("UPDATE jobs SET next_due_at = now() WHERE name = 'watch_backups'")
    (report,) = operations.run_due(means, [JOBS["watch_backups"]])
    assert (report.done_count, value(master, open_alerts)) == (1, 1)
    run_command("require", "backup", "--not-any-more", *words)
    assert value(master, open_alerts) == 0


@pytest.mark.parametrize("words", [["--within", "soon"], ["--within", "401d"], []])
def test_an_age_is_a_number_with_its_unit(house: str, words: list[str]) -> None:
    common = ["--actor", "anna", "--reason", "policy", "--database", house]
    assert run_command("require", "drill", *words, *common).exit_code == 2


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Give a folder that a server of an unprivileged user can reach, with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="drill"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def stop_drilling(found: Backup, scratch: Path, how: signal.Signals) -> None:
    """Begin a drill, and stop it as soon as its server runs."""
    words = [sys.executable, "-m", "tradewright", "backup", "drill", str(found.folder)]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    usual = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # perhaps all of this runs under nohup
    drill = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    signal.signal(signal.SIGHUP, usual)
    for _ in range(400):
        if list(scratch.glob("*/data/postmaster.pid")):
            break
        pause(0.05)
    drill.send_signal(how)
    assert drill.wait(timeout=60) != 0


def test_a_drill_that_was_killed_leaves_nothing_behind_the_next(
    full: Backup, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_drilling(full, scratch, signal.SIGKILL)
    (left,) = scratch.glob("tradewright-*")
    assert EmbeddedServer(left).pid is not None
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with restored_server(lambda _: None, superuser="x", programs=find_programs(18)) as server:
        assert [path.name for path in scratch.iterdir()] == [server.folder.name]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=["told", "hung up"])
def test_a_drill_that_is_told_to_end_removes_its_server_itself(
    full: Backup, scratch: Path, how: signal.Signals
) -> None:
    stop_drilling(full, scratch, how)
    assert list(scratch.iterdir()) == []


def test_a_drill_that_cannot_begin_is_recorded_as_failed(
    full: Backup, house: str, tmp_path: Path
) -> None:
    words = ["drill", str(full.folder), "--programs", str(tmp_path), "--database", house]
    assert run_command(*words).exit_code == 1
    (run,) = json.loads(run_command("runs", "--json", "--database", house).stdout)
    assert (run["kind"], run["outcome"]) == ("drill", "failed")
    assert "BACKUP_PROGRAMS_MISSING" in run["error"]


def test_a_restored_server_keeps_nothing_of_how_the_real_one_was_set_up(
    full: Backup, tmp_path: Path
) -> None:
    spoiled = copy_of(full, tmp_path)

    def fill(target: Path) -> None:
        shutil.copytree(spoiled.folder / DATA, target)
        (target / "postgresql.auto.conf").write_text("archive_command = 'false'\nport = 1\n")
        (target / "standby.signal").touch()

    origin = full.manifest.origin
    with restored_server(fill, superuser=origin.superuser, programs=find_programs(18)) as server:
        server.start()
        with connect(server.conninfo(origin.database), autocommit=True) as session:
            assert value(session, "SHOW archive_mode") == "off"
            assert value(session, "SHOW listen_addresses") == ""
            assert value(session, "SELECT pg_is_in_recovery()") is False
            assert value(session, "SELECT current_user") == origin.superuser


def test_a_row_that_its_index_has_lost_is_found_by_reading_the_pages(
    house: str, master: Session
) -> None:
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'users_email_unique'::regclass"
    restored = drilling._Restored(conninfo=house, restore_ms=0)
    programs = find_programs(18)
    assert drilling._pages_hold(restored, programs).problems == ()
    master.execute(ready.format("false").encode())
    open_user(master)
    master.execute(ready.format("true").encode())
    (told,) = drilling._pages_hold(restored, programs).problems
    assert "users_email_unique" in told


def test_seals_that_were_made_anew_do_not_pass_for_those_of_the_manifest(master: Session) -> None:
    play(master)
    sealing.seal(master)
    figures = figures_now(master, None)
    assert drilling._seals_go_on(master, figures).problems == ()
    open_wallet(master, open_user(master), "1")
    sealing.seal(master)
    assert drilling._seals_go_on(master, figures).problems == ()
    master.execute("SET session_replication_role = replica")
    master.execute("UPDATE ledger_seals SET head = sha256('x')")
    assert figures.ledger_seal is not None
    assert drilling._seals_go_on(master, figures).problems == (
        f"seal {figures.ledger_seal.seq} of the ledger is not the one that was made",
    )


def test_what_is_settled_stays_the_same_while_older_transactions_end(
    house: str, master: Session
) -> None:
    """One that still runs, with savepoints of higher ids, holds the horizon below itself."""
    open_wallet(master, open_user(master), "1")
    with connect(house) as other:
        open_user(other)
        with other.transaction():
            open_wallet(other, open_user(other), "2")
        open_wallet(master, open_user(master), "3")
        before = figures_now(master, None)
        other.commit()
    open_wallet(master, open_user(master), "4")
    after = figures_now(master, before.horizon)
    assert differences(before, after, exact=False) == []
    audited = after.tables["audit_log"]
    assert 0 < audited.settled_rows < before.tables["audit_log"].rows < audited.rows


def figures_now(session: Session, horizon: int | None) -> Figures:
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    with session.transaction():
        figures = read_figures(session, whole=False, laws=False, horizon=horizon)
    session.isolation_level = None
    return figures
