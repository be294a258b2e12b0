"""The review with its proof: the founding migrations, the house's own, and strangers."""

import re
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tests.review.test_founding_review import MISSED, reviewed
from tradewright.cli.review import command
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Stage
from tradewright.review.prove import shadow as shadow_room
from tradewright.review.prove.model import OrphanVerdict, Refused
from tradewright.review.prove.stage import prove
from tradewright.review.proven import with_proof
from tradewright.review.report.document import document_of
from tradewright.review.report.markdown_report import render
from tradewright.review.result import Review, Scope, review_folder
from tradewright.review.settings import Settings
from tradewright.review.source.layouts import read_folder

HERE = Path(__file__).parent

REFUSED_BY_THE_SERVER = {
    ("001_init_schema.sql", "inline-unique-where"),
    ("002_add_indexes.sql", "concurrently-in-transaction"),
    ("003_add_audit_tables.sql", "partition-of-plain-table"),
    ("003_add_audit_tables.sql", "trigger-writes-missing-column"),
    ("006_add_payment_tables.sql", "syntax-error"),
}
"""What the founding review missed or knew, and PostgreSQL refuses outright."""


@pytest.fixture(scope="module")
def founding(server: EmbeddedServer) -> Review:
    review = reviewed("founding")
    return with_proof(replace(review, findings=tuple(review.findings)), server)


def test_what_the_founding_review_missed_is_refused_by_a_real_server(founding: Review) -> None:
    found = {
        (Path(f.location.path).name, f.rule)
        for f in founding.findings
        if f.stage is Stage.PROVE and "(PostgreSQL: " in f.message
    }
    assert found == REFUSED_BY_THE_SERVER
    assert any(rules <= {rule for _, rule in found} for rules in MISSED.values())


def test_the_proof_repeats_nothing_that_was_read(founding: Review) -> None:
    assert "does-not-apply" not in {f.rule for f in founding.findings}
    read = reviewed("founding").findings
    kept = [f for f in founding.findings if f.rule in {r.rule for r in read}]
    assert len(kept) == len(read)


def test_the_servers_words_stand_at_the_lines_that_are_marked(founding: Review) -> None:
    marked = {
        (path.name, number)
        for path in (HERE / "founding").glob("*.sql")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"-- <- ", line)
    }
    said = {
        (Path(f.location.path).name, f.location.line)
        for f in founding.findings
        if "(PostgreSQL: " in f.message
    }
    assert said <= marked


def test_the_checklist_of_the_report_holds_what_the_shadow_found(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY);\n", "utf-8")
    (tmp_path / "001_a.down.sql").write_text("DROP TABLE a;\n", "utf-8")
    review = with_proof(review_folder(tmp_path, Settings()), server)
    assert [item.is_done for item in document_of(review).checklist] == [
        *(True, True, True, False, True),
        *(False, True, False, False, False),
    ]
    text = render(review)
    assert "- [x] All migrations apply without errors (✅ 1 files, 1 statements, " in text
    assert "- [ ] Time: every timestamp has a zone (- no column holds a time)" in text
    assert "- [ ] Backup and restore of the whole schema\n" in text


def test_the_checklist_says_what_failed(founding: Review) -> None:
    text = render(founding)
    assert "- [ ] All migrations apply without errors (❌ 001_init_schema: syntax error" in text
    assert "has no foreign key at all and 4 more" in text


HOSTILE = {
    "sleeps": "SET statement_timeout = 0; SELECT pg_sleep(600);",
    "runs a program": "COPY (SELECT 1) TO PROGRAM 'touch /tmp/tradewright-was-here';",
    "writes a file": "COPY (SELECT 1) TO '/tmp/tradewright-was-here';",
    "reads a file": "SELECT pg_read_file('/etc/passwd');",
    "drops databases": "DROP DATABASE postgres; DROP DATABASE template1;",
    "changes the server": "ALTER SYSTEM SET shared_buffers = '1MB';",
    "becomes superuser": "ALTER ROLE CURRENT_USER SUPERUSER; SET ROLE tradewright;",
    "makes roles": "CREATE ROLE hostile_visitor LOGIN CREATEROLE; SET ROLE hostile_visitor;",
    "ends its session": "SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1;",
    "locks itself out": "ALTER ROLE CURRENT_USER PASSWORD 'x';",
    "spoils its database": (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
        " current_database()); END $$"
    ),
    "talks to psql": "\\c postgres\n\\! touch /tmp/tradewright-was-here\nSELECT 1;",
    "takes everything": "DROP OWNED BY CURRENT_USER CASCADE; DROP SCHEMA public CASCADE;",
    "means another transaction": "ROLLBACK; COMMIT; BEGIN; SAVEPOINT tradewright_step; COMMIT;",
    "hides a bomb in a trigger": (
        "CREATE TABLE a (id uuid PRIMARY KEY); CREATE TABLE b (a uuid REFERENCES a NOT ENFORCED);"
        "CREATE FUNCTION bomb() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " COPY (SELECT 1) TO PROGRAM 'touch /tmp/tradewright-was-here'; RETURN NEW; END $$;"
        "CREATE TRIGGER bomb BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION bomb();"
    ),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_strangers_of_ill_will_reach_nothing_but_their_shadow(
    title: str, tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_room, "FILE_SECONDS", 1.0)
    before = clusterwide(server)
    (tmp_path / "001_a.sql").write_text(HOSTILE[title], "utf-8")
    (tmp_path / "002_b.sql").write_text("CREATE TABLE after (id uuid PRIMARY KEY);", "utf-8")
    started = monotonic_seconds()
    prove(read_folder(tmp_path), server=server)
    assert monotonic_seconds() - started < 20
    assert clusterwide(server) == before
    assert not Path("/tmp/tradewright-was-here").exists()  # noqa: S108 - what they try to make


def clusterwide(server: EmbeddedServer) -> list[tuple[object, ...]]:
    """Return the databases and roles of the server, and whether any role gained power."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        return connection.execute(
            "SELECT datname::text, datallowconn FROM pg_database UNION ALL"
            " SELECT rolname::text, rolsuper FROM pg_roles ORDER BY 1"
        ).fetchall()


def test_a_failing_file_does_not_hide_those_behind_it(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.sql").write_text("SELECT 1 / 0;\nCREATE TABLE a (id uuid PRIMARY KEY);\n")
    (tmp_path / "002_b.sql").write_text("CREATE TABLE b (id uuid REFERENCES a);\nSELECT 2 / 0;\n")
    proof = prove(read_folder(tmp_path), server=server)
    refused = [fact for fact in proof.facts if isinstance(fact, Refused)]
    assert [(Path(f.statement.source.path).name, f.word.sqlstate) for f in refused] == [
        ("001_a.sql", "22012"),
        ("002_b.sql", "22012"),
    ]


def test_the_command_proves_by_itself_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("SELECT 1 / 0;\n")
    told = CliRunner().invoke(command, [str(tmp_path)])
    assert told.exit_code == 1
    assert "division by zero [does-not-apply]" in told.output
    assert CliRunner().invoke(command, [str(tmp_path), "--no-prove"]).exit_code == 0
    (tmp_path / "tradewright.toml").write_text("[review]\nprove = false\n")
    assert CliRunner().invoke(command, [str(tmp_path)]).exit_code == 0


def test_a_server_that_does_not_start_fails_only_a_proof_that_was_demanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY);\n")
    monkeypatch.setattr(EmbeddedServer, "_launch", _refuse_to_start)
    told = CliRunner().invoke(command, [str(tmp_path)])
    assert told.exit_code == 0
    assert "not proven: could not start" in told.output
    demanded = CliRunner().invoke(command, [str(tmp_path), "--prove"])
    assert demanded.exit_code == 2
    assert "EMBEDDED_START_FAILED" in demanded.output


def _refuse_to_start(_: EmbeddedServer) -> None:
    raise DatabaseError(
        ErrorCode.EMBEDDED_START_FAILED, "could not start", why="It is a test.", hint="Go on."
    )


def test_a_row_is_made_up_for_narrow_numbers_too(tmp_path: Path, server: EmbeddedServer) -> None:
    (tmp_path / "001_a.sql").write_text(
        "CREATE TABLE a (id uuid PRIMARY KEY);\n"
        "CREATE TABLE b (a uuid NOT NULL REFERENCES a, share numeric(10, 9) NOT NULL,"
        " dust numeric(2, 2) NOT NULL, code varchar(2) NOT NULL, tenth numeric(3, -1) NOT NULL);\n"
    )
    proof = prove(read_folder(tmp_path), server=server)
    assert [trial.verdict for trial in proof.keys] == [OrphanVerdict.REFUSED]


def test_files_out_of_scope_are_applied_and_no_more(tmp_path: Path, server: EmbeddedServer) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY);\n")
    (tmp_path / "001_a.down.sql").write_text("SELECT 1;\n")
    (tmp_path / "002_b.sql").write_text("ALTER TABLE a ADD COLUMN note text;\n")
    (tmp_path / "002_b.down.sql").write_text("SELECT 1;\n")
    review = with_proof(review_folder(tmp_path, Settings(), Scope(after="1")), server)
    assert review.proof is not None
    assert [(f.is_judged, f.second_run, f.down) for f in review.proof.files] == [
        (False, None, None),
        (True, False, False),
    ]
    told = [Path(f.location.path).name for f in review.findings if f.rule == "down-not-inverse"]
    assert told == ["002_b.down.sql"]
    assert review.proof.schema_objects > 0


def test_what_a_second_run_adds_outside_a_transaction_is_not_the_downs_fault(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.up.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY, n text);\n")
    (tmp_path / "002_b.up.sql").write_text("CREATE INDEX ON a (n);\n")
    (tmp_path / "003_c.up.sql").write_text("ALTER TABLE a ADD COLUMN m text;\n")
    (tmp_path / "003_c.down.sql").write_text("ALTER TABLE a DROP COLUMN m;\n")
    review = with_proof(review_folder(tmp_path), server)
    told = {f.rule for f in review.findings if f.rule in {"second-run-changes", "down-not-inverse"}}
    assert told == {"second-run-changes"}


HOUSE = """\
CREATE SCHEMA house;
CREATE TABLE house.rooms (id bigint PRIMARY KEY);
CREATE TABLE public.visits (id bigint PRIMARY KEY);
CREATE FUNCTION house.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM {table};
    RETURN NEW;
END
$$;
CREATE TRIGGER noted BEFORE INSERT ON public.visits
FOR EACH ROW EXECUTE FUNCTION house.note();
"""


@pytest.mark.parametrize(("table", "failing"), [("rooms", []), ("roomz", ["trigger-fails"])])
def test_a_trigger_may_search_any_schema_of_the_files(
    table: str, failing: list[str], tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_house.sql").write_text(HOUSE.format(table=table))
    told = [f.rule for f in with_proof(review_folder(tmp_path), server).findings]
    assert [rule for rule in told if rule == "trigger-fails"] == failing


def test_a_trigger_that_needs_what_could_not_be_tried_is_not_held_against_its_author(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    text = (
        "CREATE EXTENSION not_on_this_server;\n"
        "CREATE TABLE house_places (id bigint PRIMARY KEY, at strange_type);\n"
        "CREATE FUNCTION take(p house_places) RETURNS bigint LANGUAGE sql AS 'SELECT 1';\n"
    )
    text += HOUSE.format(table="public.house_places")
    (tmp_path / "001_house.sql").write_text(text)
    told = {f.rule for f in with_proof(review_folder(tmp_path), server).findings}
    assert "not-proven" in told
    assert not told & {"trigger-fails", "does-not-apply"}


def test_a_policy_for_a_role_that_no_file_makes_is_tried_with_a_stand_in(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.sql").write_text(
        "CREATE TABLE a (id uuid PRIMARY KEY);\n"
        "ALTER TABLE a ENABLE ROW LEVEL SECURITY;\n"
        "CREATE POLICY own ON a TO signed_in_of_somewhere USING (id IS NOT NULL);\n"
    )
    told = {f.rule for f in with_proof(review_folder(tmp_path), server).findings}
    assert "stand-in-role" in told
    assert "does-not-apply" not in told


def test_a_rewrite_that_was_read_is_not_told_again_by_the_server(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (id int PRIMARY KEY, n int);\n")
    (tmp_path / "002_b.sql").write_text("ALTER TABLE a ALTER COLUMN n TYPE bigint;\n")
    review = with_proof(review_folder(tmp_path), server)
    told = [f.rule for f in review.findings if f.rule in {"rewrites-table", "changing-column-type"}]
    assert told == ["changing-column-type"]
