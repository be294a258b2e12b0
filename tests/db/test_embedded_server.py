"""The embedded server: private, durable, refusing production, and back after a kill -9."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tradewright.core.errors import DatabaseError, ErrorCode, StateError
from tradewright.postgres.binaries import ServerUser, server_user
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.homes import make_home, require_server
from tradewright.postgres.target import open_database

SMALL = {"shared_buffers": "16MB", "max_connections": "20"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that an unprivileged server can reach (pytest's own is private to us)."""
    made = Path(tempfile.mkdtemp(prefix="tw-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_committed_rows_are_there_after_kill_9_and_start(folder: Path) -> None:
    with EmbeddedServer(folder / "kept", SMALL) as server:
        with psycopg.connect(server.conninfo()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        server.kill()
        assert server.pid is None
        server.start()
        with psycopg.connect(server.conninfo()) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_pid_file_whose_number_now_belongs_to_another_program_does_not_stop_the_start(
    folder: Path,
) -> None:
    with EmbeddedServer(folder / "kept", SMALL) as server:
        server.kill()
        pid_file = server.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        stranger = subprocess.Popen(["sleep", "60"], user=server.data.stat().st_uid)
        try:
            pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            server.start()
            assert server.pid not in {None, stranger.pid}
        finally:
            stranger.kill()
            stranger.wait()


def test_a_second_object_attaches_to_a_running_server_and_leaves_it_running(folder: Path) -> None:
    with EmbeddedServer(folder / "kept", SMALL) as first:
        pid = first.pid
        with EmbeddedServer(folder / "kept", SMALL) as second:
            assert second.pid == pid
        assert first.pid == pid
    assert first.pid is None


def test_who_has_started_a_server_leaves_it_to_those_who_still_use_it(folder: Path) -> None:
    second = EmbeddedServer(folder / "kept", SMALL)
    with EmbeddedServer(folder / "kept", SMALL):
        second.start()
    assert second.pid is not None
    with psycopg.connect(second.conninfo()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.__exit__()
    assert second.pid is None


def test_a_server_that_was_started_by_hand_is_left_running_by_all_who_use_it(folder: Path) -> None:
    by_hand = EmbeddedServer(folder / "kept", SMALL)
    by_hand.start()
    with EmbeddedServer(folder / "kept", SMALL), EmbeddedServer(folder / "kept", SMALL):
        pass
    assert by_hand.pid is not None
    by_hand.stop()


def test_several_commands_at_the_same_time_share_a_new_folder(folder: Path) -> None:
    words = [sys.executable, "-m", "tradewright", "migrate", "up", "--keep", str(folder / "new")]
    begun = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    ended = [(each.communicate(timeout=120)[0], each.returncode) for each in begun]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert sum("applied 001_" in told for told, _ in ended) == 1
    assert EmbeddedServer(folder / "new").pid is None


def test_the_server_never_runs_as_root_and_its_files_are_private(server: EmbeddedServer) -> None:
    assert server.pid is not None
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.home / "socket").stat().st_mode) == 0o700


def test_a_wrong_password_opens_nothing(server: EmbeddedServer) -> None:
    right = server.conninfo()
    wrong = psycopg.conninfo.make_conninfo(right, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_checksums_fsync_and_utc_are_on() -> None:
    asked = ("data_checksums", "fsync", "TimeZone", "server_encoding", "listen_addresses")
    with (
        EmbeddedServer.temporary() as own,
        psycopg.connect(own.conninfo("postgres")) as connection,
    ):
        given = [connection.execute(f"SHOW {name}").fetchone() for name in asked]
    assert given == [("on",), ("on",), ("UTC",), ("UTF8",), ("",)]


def test_production_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWRIGHT_ENV", "production")
    with pytest.raises(StateError) as caught:
        EmbeddedServer(folder / "kept").start()
    assert caught.value.code == ErrorCode.EMBEDDED_IN_PRODUCTION
    assert not (folder / "kept").exists()


def test_a_long_and_odd_folder_path_gets_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("deep folder, $HOME 'x' " + "y" * 100)
    with EmbeddedServer(deep, SMALL) as server, psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        host = connection.info.host
    assert len(host) < 60
    server.remove()
    assert not deep.exists()
    assert not Path(host).exists()


def test_a_temporary_server_leaves_no_file_and_no_process() -> None:
    with EmbeddedServer.temporary(SMALL) as server:
        pid, home = server.pid, server.home
        assert home.exists()
    assert not home.exists()
    assert not Path(f"/proc/{pid}/exe").exists()


def test_a_temporary_server_whose_maker_was_killed_is_removed_by_the_next() -> None:
    program = (
        "import os, signal\n"
        "from tradewright.postgres.embedded import EmbeddedServer\n"
        "with EmbeddedServer.temporary({'shared_buffers': '16MB'}) as server:\n"
        "    print(server.folder, server.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    folder, pid = killed.stdout.decode().split()
    assert Path(f"/proc/{pid}/exe").exists()
    with EmbeddedServer.temporary(SMALL) as neighbour, EmbeddedServer.temporary(SMALL):
        assert not Path(folder).exists()
        assert not Path(f"/proc/{pid}/exe").exists()
        assert neighbour.pid is not None


def test_an_unusable_temporary_folder_setting_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    weird = tmp_path / ("very long " * 20)
    weird.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(weird))
    with EmbeddedServer.temporary(SMALL) as server:
        assert not server.home.is_relative_to(weird)


def test_a_setting_that_the_server_refuses_is_named_in_the_error(folder: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        EmbeddedServer(folder / "kept", {"shared_buffers": "a lot"}).start()
    assert caught.value.code == ErrorCode.EMBEDDED_START_FAILED
    assert "shared_buffers" in caught.value.why


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_folder_private_to_root_is_served_from_elsewhere(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with EmbeddedServer(private / "kept", SMALL) as server:
        assert not server.home.is_relative_to(private)
        again = EmbeddedServer(private / "kept", SMALL)
        assert again.pid == server.pid
        home = server.home
    server.remove()
    assert not home.exists()
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_private_folder_takes_its_data_along_and_begins_empty_when_named_again(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    with EmbeddedServer(tmp_path / "kept", SMALL) as first:
        first.create_database("mine")
    (tmp_path / "kept").rename(tmp_path / "moved")
    with EmbeddedServer(tmp_path / "moved", SMALL) as moved:
        assert moved.has_database("mine")
        with EmbeddedServer(tmp_path / "kept", SMALL) as again:
            assert again.home != moved.home
            assert not again.has_database("mine")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_a_home_whose_maker_was_killed_before_giving_it_away_is_given_away_by_the_next(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    home = make_home(tmp_path / "kept", server_user())
    os.chown(home, 0, 0)
    with EmbeddedServer(tmp_path / "kept", SMALL) as server:
        assert server.home == home
        assert (home / "folder").read_text() == str(tmp_path / "kept")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_an_ordinary_user_runs_the_server_as_themselves(folder: Path) -> None:
    user = server_user()
    os.chown(folder, user.uid, user.gid)
    done = _run_as(user, _python_for(user), folder)
    assert done.returncode == 0, done.stdout
    assert done.stdout.split() == [str(user.uid), "1"]


def _python_for(user: ServerUser) -> Path:
    """Return an interpreter of our version that `user` can run; ours may lie in root's home."""
    if not user.can_reach(Path(psycopg.__file__).parent):
        pytest.skip("this environment lies in a folder that an ordinary user may not enter")
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    for python in (Path(sys.executable).resolve(), system):
        if python.exists() and user.can_reach(python):
            return python
    pytest.skip("no interpreter of this version that an ordinary user can run")


def _run_as(
    user: ServerUser,
    python: Path,
    folder: Path,
) -> subprocess.CompletedProcess[str]:
    program = """
import os, psycopg, sys
from pathlib import Path
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.homes import make_home, require_server
with EmbeddedServer(Path(sys.argv[1]), {"shared_buffers": "16MB"}) as server:
    print(Path(f"/proc/{server.pid}").stat().st_uid)
    print(psycopg.connect(server.conninfo()).execute("SELECT 1").fetchone()[0])
"""
    return subprocess.run(
        [python, "-W", "ignore", "-c", program, str(folder / "own")],
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_databases_are_created_cloned_and_dropped(server: EmbeddedServer) -> None:
    server.create_database("origin")
    with psycopg.connect(server.conninfo("origin")) as connection:
        connection.execute("CREATE TABLE copied ()")
    server.create_database("clone", template="origin")
    with psycopg.connect(server.conninfo("clone")) as connection:
        assert connection.execute("SELECT count(*) FROM copied").fetchone() == (0,)
    for name in ("origin", "clone"):
        server.drop_database(name)
        assert not server.has_database(name)


def test_open_database_prefers_the_url_then_the_folder_then_the_environment(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment")
    with open_database("postgresql://given") as database:
        assert (database.conninfo, database.server) == ("postgresql://given", None)
    with open_database() as database:
        assert database.conninfo == "postgresql://environment"
    with open_database(keep=folder / "kept") as database:
        assert database.server is not None
        with psycopg.connect(database.conninfo) as connection:
            assert connection.info.dbname == "tradewright"


def test_a_folder_around_a_server_is_refused_with_the_place_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "server" / "data").mkdir(parents=True)
    (tmp_path / "server" / "data" / "PG_VERSION").write_text("18")
    with pytest.raises(StateError) as caught:
        require_server(tmp_path)
    assert caught.value.hint == f'Name "{tmp_path / "server"}", where a server is.'


@pytest.mark.parametrize("way", ["theirs", "new/../theirs", "theirs/new/.."])
def test_a_server_does_not_settle_among_the_files_of_others(tmp_path: Path, way: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    before = theirs.stat()
    with pytest.raises(StateError) as caught:
        EmbeddedServer(tmp_path / way, SMALL).start()
    assert caught.value.code == ErrorCode.EMBEDDED_FOLDER_UNUSABLE
    assert [path.name for path in theirs.iterdir()] == ["notes.txt"]
    after = theirs.stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
