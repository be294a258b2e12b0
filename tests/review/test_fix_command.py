"""`review --fix` and `convert`: what they show, what they write, and what they leave alone."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from tradewright.cli import convert as convert_module
from tradewright.cli import review as review_module
from tradewright.core.errors import ErrorCode, MigrationError, StateError
from tradewright.migrate import Target, find_migrations, up
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.rewrite import service
from tradewright.review.rewrite.model import FileChange, Proposal
from tradewright.review.rewrite.proof import complaints
from tradewright.review.rewrite.rounds import reviewed
from tradewright.review.rewrite.taking_back import Irreversible, down_of
from tradewright.review.rewrite.tree import Tree
from tradewright.review.settings import Settings

INIT = "CREATE TABLE users (id uuid PRIMARY KEY);\n"
PAYMENTS = (
    "-- What users pay.\n"
    "CREATE TABLE payments (\n"
    "    id uuid PRIMARY KEY,\n"
    "    user_id varchar(64) NOT NULL, -- whose\n"
    "    paid_at timestamp NOT NULL\n"
    ");\n"
)
CORRECTED = (
    "-- What users pay.\n"
    "CREATE TABLE payments (\n"
    "    id uuid PRIMARY KEY,\n"
    "    user_id uuid NOT NULL CONSTRAINT payments_user_id_fkey REFERENCES users (id), -- whose\n"
    "    paid_at timestamptz NOT NULL\n"
    ");\n"
    "CREATE INDEX idx_payments_user_id ON payments (user_id);\n"
)


@pytest.fixture(autouse=True)
def shared_server(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands prove on the server of this test session instead of one of their own."""

    @contextmanager
    def running() -> Iterator[EmbeddedServer]:
        yield server

    monkeypatch.setattr(service, "shadow_server", running)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "001_users.sql").write_text(INIT, "utf-8")
    (tmp_path / "002_payments.sql").write_text(PAYMENTS, "utf-8")
    return tmp_path


def review(*arguments: object) -> Result:
    return CliRunner().invoke(review_module.command, [str(argument) for argument in arguments])


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(convert_module.command, [str(argument) for argument in arguments])


def test_corrections_are_shown_and_the_files_stay(folder: Path) -> None:
    shown = review(folder, "--fix")
    assert shown.exit_code == 1
    assert "--- a/002_payments.sql\n+++ b/002_payments.sql\n" in shown.stdout
    assert "\n-    paid_at timestamp NOT NULL\n" in shown.stdout
    assert "\n+    paid_at timestamptz NOT NULL\n" in shown.stdout
    assert "write them with --fix --write" in shown.stderr
    assert (folder / "002_payments.sql").read_text("utf-8") == PAYMENTS


def test_corrections_are_written_when_told_and_only_once(folder: Path) -> None:
    assert review(folder, "--fix", "--write").exit_code == 0
    assert (folder / "002_payments.sql").read_text("utf-8") == CORRECTED
    again = review(folder, "--fix", "--write", "--json")
    assert (again.exit_code, json.loads(again.stdout)["changes"]) == (0, [])


def test_files_already_applied_stay_as_they_are(folder: Path) -> None:
    shown = review(folder, "--fix", "--after", "002")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "nothing to correct" in shown.stderr


def test_write_without_fix_is_wrong_usage(folder: Path) -> None:
    assert review(folder, "--write").exit_code == 2


def test_a_correction_that_the_server_refuses_is_withdrawn_alone(folder: Path) -> None:
    rows = "INSERT INTO payments VALUES (gen_random_uuid(), 'somebody', now());\n"
    (folder / "003_rows.sql").write_text(rows, "utf-8")
    told = json.loads(review(folder, "--fix", "--json").stdout)
    assert [r["subject"] for r in told["withdrawn"]] == ["text-id-among-uuids: payments.user_id"]
    assert '"somebody"' in told["withdrawn"][0]["why"]
    assert "timestamptz" in told["changes"][0]["diff"]
    assert "user_id uuid" not in told["changes"][0]["diff"]


def test_nothing_is_written_when_a_file_changed_meanwhile(folder: Path) -> None:
    stale = Proposal((FileChange("002_payments.sql", b"old", b"new", ()),))
    with pytest.raises(StateError) as caught:
        service.write_changes(folder, stale)
    assert caught.value.code is ErrorCode.REWRITE_FILE_CHANGED
    assert (folder / "002_payments.sql").read_text("utf-8") == PAYMENTS


ROUTINES = b"""\
CREATE TABLE wallets (user_id uuid PRIMARY KEY, n integer);
CREATE FUNCTION wrong(p_user varchar) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v integer;
BEGIN
    UPDATE wallets SET n = n + 1 WHERE user_id = p_user;
    v := unheard_of(v);
END $$;
CREATE FUNCTION right(p_user uuid) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE v integer := 0; r record;
BEGIN
    FOR r IN SELECT n FROM wallets LOOP v := v + r.n; END LOOP;
    INSERT INTO wallets VALUES (p_user, v) ON CONFLICT (user_id) DO UPDATE SET n = EXCLUDED.n;
    RETURN v;
END $$;
"""


def test_a_routine_that_could_never_run_is_complained_about(server: EmbeddedServer) -> None:
    told = complaints(Tree({"001_wallets.sql": ROUTINES}, Settings()), server)
    assert [(each.line, each.why.partition(": ")[2]) for each in told] == [
        (2, "operator does not exist: uuid = character varying"),
        (2, "function unheard_of(integer) does not exist"),
    ]


UP = """\
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('good', 'bad');
CREATE TABLE shop.things (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
COMMENT ON TABLE shop.things IS 'things';
CREATE INDEX idx_things_name ON shop.things (name);
INSERT INTO shop.things (name) VALUES ('one');
CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$;
CREATE TRIGGER loud BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION loud();
CREATE OR REPLACE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 43';
ALTER TABLE users ADD COLUMN age integer, ADD CONSTRAINT users_age_positive CHECK (age > 0);
ALTER TABLE users ALTER COLUMN email SET NOT NULL;
CREATE INDEX idx_users_email ON users (email);
CREATE VIEW grown AS SELECT id FROM users WHERE age > 17;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM users;
CREATE SEQUENCE tickets;
CREATE DOMAIN code AS text CHECK (VALUE <> '');
ALTER TABLE users RENAME COLUMN phone TO telephone;
"""
DOWN_OF_USERS = "DROP FUNCTION answer;\nDROP TABLE users;\n"
USERS = """\
CREATE TABLE users (id uuid PRIMARY KEY, email text, phone text);
CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';
"""


def test_a_missing_down_is_written_and_restores_the_catalog(folder: Path) -> None:
    (folder / "002_payments.sql").unlink()
    (folder / "001_users.sql").write_text(USERS, "utf-8")
    (folder / "001_users.down.sql").write_text(DOWN_OF_USERS, "utf-8")
    (folder / "002_more.sql").write_text(UP, "utf-8")
    told = json.loads(review(folder, "--fix", "--write", "--json").stdout)
    assert (told["withdrawn"], told["unconverted"]) == ([], [])
    down = (folder / "002_more.down.sql").read_text("utf-8").splitlines()
    assert down[:2] == [
        "-- Takes back 002_more.",
        "ALTER TABLE users RENAME COLUMN telephone TO phone;",
    ]
    assert (
        "CREATE OR REPLACE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';" in down
    )
    assert down[-1] == "DROP SCHEMA shop;"


@pytest.mark.parametrize(
    ("up", "why"),
    [
        ("ALTER TABLE users DROP COLUMN phone;\n", "not known"),
        ("DROP FUNCTION answer;\n", "cannot be made again"),
        ("UPDATE users SET phone = '';\n", "rows of before"),
        ("CREATE INDEX ON users (phone);\n", "without a name"),
    ],
)
def test_a_down_that_would_only_look_complete_is_not_written(up: str, why: str) -> None:
    tree = Tree({"001_users.sql": USERS.encode(), "002_more.sql": up.encode()}, Settings())
    context, _ = reviewed(tree, frozenset(tree.files))
    reading = next(r for r in context.ups() if r.source.path == "002_more.sql")
    with pytest.raises(Irreversible, match=why):
        down_of(reading, context)


MYSQL = (
    "CREATE TABLE `notes` (\n"
    "  `id` int NOT NULL AUTO_INCREMENT, # the key\n"
    "  `text` varchar(99),\n"
    "  PRIMARY KEY (`id`)\n"
    ") ENGINE=InnoDB;\n"
)
POSTGRESQL = (
    "CREATE TABLE notes (\n"
    "  id integer NOT NULL GENERATED BY DEFAULT AS IDENTITY, -- the key\n"
    "  text varchar(99),\n"
    "  PRIMARY KEY (id)\n"
    ");\n"
)
STOP = "NOT CONVERTED -- remove this line when what follows is PostgreSQL's\n"


def test_a_file_is_converted_to_stdout(tmp_path: Path) -> None:
    file = tmp_path / "dump.sql"
    file.write_text(MYSQL, "utf-8")
    done = convert(file, "--from", "mysql")
    assert (done.exit_code, done.stdout) == (0, POSTGRESQL)
    assert file.read_text("utf-8") == MYSQL


def test_a_converted_file_is_written_with_its_down_and_never_over_another(tmp_path: Path) -> None:
    file, output = tmp_path / "003_notes.sql", tmp_path / "new" / "003_notes.sql"
    output.parent.mkdir()
    file.write_text(MYSQL, "utf-8")
    assert convert(file, "--from", "mysql", "--output", output, "--down").exit_code == 0
    assert output.read_text("utf-8") == POSTGRESQL
    down = output.with_name("003_notes.down.sql").read_text("utf-8")
    assert down == "-- Takes back 003_notes.\nDROP TABLE notes;\n"
    refused = convert(file, "--from", "mysql", "--output", output)
    assert (refused.exit_code, "INPUT_OUTPUT_EXISTS" in refused.stderr) == (2, True)
    assert convert(file, "--from", "mysql", "--output", output, "--force").exit_code == 0


def test_what_is_not_converted_stays_under_a_note(tmp_path: Path) -> None:
    file = tmp_path / "dump.sql"
    file.write_text(f"{MYSQL}REPLACE INTO notes VALUES (1, 'a');\n", "utf-8")
    done = convert(file, "--from", "mysql")
    assert done.exit_code == 1
    assert done.stdout.startswith(POSTGRESQL)
    assert "-- tradewright: not converted: REPLACE deletes the row" in done.stdout
    assert "not converted: dump.sql:6: MySQL: REPLACE deletes the row" in done.stderr


def test_a_statement_that_the_server_refuses_goes_back_under_a_note(tmp_path: Path) -> None:
    file = tmp_path / "dump.sql"
    view = "CREATE VIEW v AS SELECT `id`, `missing` FROM `notes`;\n"
    file.write_text(f"{MYSQL}{view}", "utf-8")
    done = convert(file, "--from", "mysql")
    assert done.exit_code == 1
    assert done.stdout.startswith(POSTGRESQL)
    note = '-- tradewright: not converted: PostgreSQL refuses it: column "missing" does not exist\n'
    assert done.stdout.endswith(note + STOP + view)


def test_what_is_converted_in_part_cannot_be_applied_until_it_was_read(
    tmp_path: Path, database: str
) -> None:
    """PostgreSQL would take the statement as it stands, and round otherwise."""
    file, folder = tmp_path / "dump.sql", tmp_path / "db"
    file.write_text(f"{MYSQL}UPDATE `notes` SET id = 7 / 2;\nINSERT INTO notes VALUES (1, 'a');\n")
    folder.mkdir()
    output = folder / "001_notes.sql"
    assert convert(file, "--from", "mysql", "--output", output).exit_code == 1
    written = output.read_text("utf-8")
    assert written.count(STOP) == 1
    target = Target(conninfo=database, schema="shop")
    with pytest.raises(MigrationError) as caught:
        up(target, find_migrations(folder))
    assert caught.value.code in {ErrorCode.MIGRATION_SYNTAX_WRONG, ErrorCode.MIGRATION_FAILED}
    with psycopg.connect(database) as session:
        assert session.execute("SELECT to_regclass('shop.notes')").fetchone() == (None,)
    output.write_text(written.replace(STOP, "").replace("`", ""), "utf-8")
    assert len(up(target, find_migrations(folder))) == 1


def test_a_client_that_goes_on_after_errors_does_not_run_what_is_not_converted(
    tmp_path: Path, database: str
) -> None:
    file = tmp_path / "dump.sql"
    file.write_text(
        "CREATE TABLE t (n int);\nINSERT INTO t VALUES (7);\nUPDATE t SET n = n / 2;\n", "utf-8"
    )
    done = convert(file, "--from", "mysql")
    psql = EmbeddedServer.programs() / "psql"
    words = [str(psql), "-X", "--quiet", f"--dbname={database}"]
    subprocess.run(words, input=done.stdout, text=True, capture_output=True, check=True)
    with psycopg.connect(database) as session:
        assert session.execute("SELECT n FROM t").fetchall() == [(7,)]


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert convert(tmp_path / "nothing.sql", "--from", "mysql").exit_code == 2


def test_what_no_database_reads_is_not_called_converted(tmp_path: Path) -> None:
    file = tmp_path / "open.sql"
    file.write_text("CREATE TABLE t (id int", "utf-8")
    done = convert(file, "--from", "mysql")
    assert done.exit_code == 1
    assert "not converted: open.sql:1" in done.output


def test_what_is_given_as_mysql_is_read_as_mysql_though_postgresql_reads_it_too(
    tmp_path: Path,
) -> None:
    file = tmp_path / "dump.sql"
    left = (
        "INSERT INTO t VALUES (1, 'C:\\\\dir\\n');\n",
        "INSERT INTO t VALUES (2, 'a' || 'b');\n",
        "UPDATE t SET id = 7 / 2;\n",
        "UPDATE t SET id = 1 WHERE id = 5 ^ 3;\n",
    )
    file.write_text(
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(99));\n" + "".join(left), "utf-8"
    )
    done = convert(file, "--from", "mysql", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [reason["line"] for reason in told["unconverted"]] == [2, 3, 4, 5]
    assert told["text"].startswith("CREATE TABLE t (id integer PRIMARY KEY, a varchar(99));\n")
    notes = told["text"].splitlines()[1::3]
    assert all(note.startswith("-- tradewright: not converted: ") for note in notes)
    assert told["text"].splitlines(keepends=True)[2::3] == [STOP] * len(left)
    assert tuple(told["text"].splitlines(keepends=True)[3::3]) == left


def test_what_two_databases_read_alike_is_converted_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "dump.sql"
    file.write_text("CREATE TABLE t (id int PRIMARY KEY, n tinyint(1));\n", "utf-8")
    done = convert(file, "--from", "mysql")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "CREATE TABLE t (id integer PRIMARY KEY, n boolean);\n"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("003_a.down.sql", "DROP TABLE `t`;\n", "it is a way back"),
        (
            "003_a.sql",
            "-- +goose Up\nCREATE TABLE `t` (id int);\n-- +goose Down\nDROP TABLE `t`;\n",
            "a runner's marks divide it",
        ),
    ],
)
def test_a_half_of_a_file_is_not_lost_by_converting_the_other(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    done = convert(file, "--from", "mysql")
    assert (done.exit_code, done.stdout.endswith(STOP + text)) == (1, True)
    assert done.stdout.startswith("-- tradewright: not converted: ")
    assert f"not converted: {name}:1: the whole file: {why}" in done.stderr


def test_a_half_of_a_folders_file_is_not_lost_by_correcting_the_other(tmp_path: Path) -> None:
    file = tmp_path / "001_a.sql"
    text = "-- +goose Up\nCREATE TABLE `t` (id int);\n-- +goose Down\nDROP TABLE `t`;\n"
    file.write_text(text, "utf-8")
    done = review(tmp_path, "--fix", "--write")
    assert (done.exit_code, file.read_text("utf-8")) == (1, text)
    assert "not rewritten: 001_a.sql:1: the whole file: a runner's marks divide it" in done.stderr


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"CREATE TABLE t (\n  a varchar(9) DEFAULT 'caf\xe9'\n);\n", "Line 2: the byte 0xe9"),
        (b"CREATE TABLE t (a int);\0\n", "Line 1: a zero byte"),
    ],
)
def test_a_file_that_is_no_text_is_not_converted(tmp_path: Path, data: bytes, why: str) -> None:
    file, output = tmp_path / "dump.sql", tmp_path / "out.sql"
    file.write_bytes(data)
    done = convert(file, "--from", "mysql", "--output", output)
    assert (done.exit_code, output.exists()) == (2, False)
    assert "[MIGRATION_FILE_UNREADABLE]" in done.stderr
    assert why in done.stderr


def test_a_file_that_is_no_text_is_not_corrected_and_the_others_are(folder: Path) -> None:
    bad = folder / "003_more.sql"
    data = b"CREATE TABLE more (id uuid PRIMARY KEY, at timestamp DEFAULT 'caf\xe9');\n"
    bad.write_bytes(data)
    done = review(folder, "--fix", "--write")
    assert (done.exit_code, bad.read_bytes()) == (1, data)
    assert "not rewritten: 003_more.sql:1: the whole file: the byte 0xe9" in done.stderr
    assert (folder / "002_payments.sql").read_text("utf-8") == CORRECTED
