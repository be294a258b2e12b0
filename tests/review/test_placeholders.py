"""What a template or psql fills in is told once, and hides nothing else."""

from pathlib import Path

import pytest

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.proven import with_proof
from tradewright.review.result import Review, review_folder

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
