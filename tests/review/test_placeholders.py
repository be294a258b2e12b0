"""What a template or psql fills in is told once, and hides nothing else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tradewright.cli.review import command
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.proven import with_proof
from tradewright.review.result import Review, review_folder
from tradewright.review.settings import Settings
from tradewright.review.source.placeholders import with_values
from tradewright.review.source.text import Source

FILES = {
    "001_a.sql": "CREATE TABLE :HOUSE.jobs (id uuid PRIMARY KEY, at timestamp);\n",
    "001_a.down.sql": "DROP TABLE :HOUSE.jobs;\n",
    "002_b.sql": (
        "CREATE INDEX jobs_at ON :HOUSE.jobs (at);\n"
        "CREATE FUNCTION :HOUSE.left_over() RETURNS bigint LANGUAGE plpgsql AS $$\n"
        "BEGIN RETURN (SELECT count(*) FROM :HOUSE.jobs); END $$;\n"
        "GRANT SELECT ON :HOUSE.jobs TO :READER;\n"
    ),
    "002_b.down.sql": (
        "REVOKE SELECT ON :HOUSE.jobs FROM :READER;\n"
        "DROP FUNCTION :HOUSE.left_over();\nDROP INDEX :HOUSE.jobs_at;\n"
    ),
}


@pytest.fixture
def review(tmp_path: Path) -> Review:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return review_folder(tmp_path)


def test_each_is_told_once_and_the_rest_is_judged(review: Review) -> None:
    told = [f.message for f in review.findings if str(f.severity) in {"critical", "major"}]
    assert told == [
        "placeholder :HOUSE was left in the SQL",
        (
            'column ":HOUSE.jobs.at" is timestamp without time zone: '
            "which instant it means depends on the session"
        ),
        'building index "jobs_at" blocks every write to "jobs" until it is done',
        "placeholder :READER was left in the SQL",
    ]


def test_advice_and_lines_are_in_the_words_of_the_file(review: Review) -> None:
    found = next(f for f in review.findings if f.rule == "require-concurrent-index-creation")
    assert found.corrected == "CREATE INDEX CONCURRENTLY jobs_at ON :HOUSE.jobs (at);"
    assert review.line_of(found.location.path, 1) == "CREATE INDEX jobs_at ON :HOUSE.jobs (at);"


def test_the_shadow_runs_all_of_it_with_names_of_its_own(
    review: Review, server: EmbeddedServer
) -> None:
    proof = with_proof(review, server).proof
    assert proof is not None
    assert proof.applies
    assert proof.all_down
    assert {f.rule for f in proof.findings} <= {"stand-in-role", "second-run-fails"}


def test_a_statement_that_needs_a_value_is_not_held_against_its_author(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (id integer DEFAULT {{ first }});\n")
    proven = with_proof(review_folder(tmp_path), server)
    assert {f.rule for f in proven.findings} >= {"template-placeholder", "not-proven"}
    assert "does-not-apply" not in {f.rule for f in proven.findings}


VALUES = {"schema": "brokerage_of_the_north", "who": "o'brien", "flyway:user": "app", "n": "7"}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("CREATE TABLE ${schema}.a (id int)", "CREATE TABLE brokerage_of_the_north.a (id int)"),
        ("GRANT ALL ON a TO ${flyway:user}", "GRANT ALL ON a TO app"),
        ("SELECT '${n}', $n, ${n:-1}", "SELECT '7', 7, 7"),
        ("SELECT :n, :'who', :\"n\"", "SELECT 7, 'o''brien', \"7\""),
        ("SELECT {{ n }}, {{.n}}, %(n)s, <%= n %>, @@n@@, #[n]", "SELECT 7, 7, 7, 7, 7, 7"),
        ("SELECT ':n', a::n, b[1:n], $nn, $n$ x $n$, :name", None),
        ("SELECT 1 -- $n and :n", None),
    ],
)
def test_a_value_takes_the_place_of_every_form_of_its_placeholder(
    written: str, sent: str | None
) -> None:
    source = Source("001_a.sql", written, (0, 1), "001_a")
    assert with_values(source, VALUES).text == (sent or written)


def test_values_leave_every_place_where_the_file_has_it(tmp_path: Path) -> None:
    text = (
        "CREATE TABLE ${schema}.jobs (id uuid PRIMARY KEY,"
        " ü text, at_${n}_${schema} timestamp, b timestamp);\n"
        "COMMENT ON TABLE ${schema}.jobs IS 'a'; CREATE TABLE ${schema}.b (at timestamp);\n"
    )
    (tmp_path / "V1__a.sql").write_text(text, "utf-8")
    found = [
        (f.location.line, f.location.column)
        for f in review_folder(tmp_path, Settings(placeholders=VALUES)).findings
        if f.rule == "prefer-timestamp-tz"
    ]
    lines = text.splitlines()
    assert found == [
        (1, lines[0].index("at_${n}") + 1),
        (1, lines[0].index("b timestamp") + 1),
        (2, lines[1].index("at timestamp") + 1),
    ]


def test_with_values_it_is_proven_as_it_will_run(tmp_path: Path, server: EmbeddedServer) -> None:
    (tmp_path / "V1__a.sql").write_text(
        "CREATE TABLE ${schema}.a (id integer PRIMARY KEY DEFAULT ${n});\n"
        "INSERT INTO ${schema}.a VALUES (${n}), (${missing});\n"
    )
    proven = with_proof(review_folder(tmp_path, Settings(placeholders=VALUES)), server)
    rules = {f.rule: f.message for f in proven.findings}
    assert "does-not-apply" not in rules
    assert "its placeholders have no values here" in rules["not-proven"]
    assert proven.proof is not None
    assert proven.proof.applies


def test_values_come_from_the_settings_and_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE :space.a (id uuid PRIMARY KEY, $what);\n")
    (tmp_path / "tradewright.toml").write_text(
        '[review.placeholders]\nspace = "left_out"\nwhat = "at timestamp"\n'
    )
    line = [str(tmp_path), "--no-prove", "--placeholder", "space=shop"]
    told = CliRunner().invoke(command, line).output
    assert 'column "shop.a.at" is timestamp without time zone' in told
    assert " 1 | CREATE TABLE :space.a (id uuid PRIMARY KEY, $what);" in told
    refused = CliRunner().invoke(command, [str(tmp_path), "--placeholder", "space"])
    assert refused.exit_code == 2
    assert '--placeholder is NAME=VALUE, not "space"' in refused.output
