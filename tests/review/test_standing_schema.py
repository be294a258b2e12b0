"""A schema that stood before the first migration: followed and laid down, never judged."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradewright.cli.review import command
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.proven import with_proof
from tradewright.review.result import Review, review_folder
from tradewright.review.rewrite.tree import Tree
from tradewright.review.settings import Settings

DUMP = r"""
\restrict q1w2
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TYPE public.mood AS ENUM ('calm');
CREATE TABLE public.users (
    id integer NOT NULL,
    paid_at timestamp without time zone,
    price double precision,
    mood public.mood
);
ALTER TABLE public.users OWNER TO nobody_here;
COPY public.users (id, paid_at) FROM stdin;
1\t2026-01-01; not SQL
\.
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE EXTENSION not_on_this_server;
\unrestrict q1w2
"""
CHANGE = """\
CREATE INDEX users_mood ON users (mood);
ALTER TABLE users ALTER COLUMN price TYPE numeric;
"""
MORE = "ALTER TABLE userz ADD COLUMN note text;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "before.sql").write_text(DUMP, "utf-8")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "041_change.sql").write_text(CHANGE, "utf-8")
    return folder


def reviewed(folder: Path) -> Review:
    return review_folder(folder, Settings(schema=folder.parent / "before.sql"))


def rules(review: Review) -> list[str]:
    return [f.rule for f in review.findings if str(f.severity) != "info"]


def test_its_tables_are_known_and_locked_like_any_that_stand(folder: Path) -> None:
    review = reviewed(folder)
    assert rules(review) == ["require-concurrent-index-creation", "changing-column-type"]
    change = next(f for f in review.findings if f.rule == "changing-column-type")
    assert "from double precision to numeric rewrites" in change.message
    assert [Path(f.path).name for f in review.files] == ["041_change.sql"]


def test_a_table_that_neither_it_nor_a_file_makes_is_missing(folder: Path) -> None:
    (folder / "042_more.sql").write_text(MORE, "utf-8")
    assert "missing-table" in rules(reviewed(folder))


def test_the_proof_lays_it_down_and_judges_only_what_follows(
    folder: Path, server: EmbeddedServer
) -> None:
    (folder / "041_change.down.sql").write_text(
        "ALTER TABLE users ALTER COLUMN price TYPE double precision;\nDROP INDEX users_mood;\n"
    )
    review = with_proof(reviewed(folder), server)
    assert review.proof is not None
    assert review.proof.applies
    assert review.proof.all_down
    own = {(Path(f.location.path).name, f.rule) for f in review.findings}
    assert {rule for name, rule in own if name == "before.sql"} == {"not-proven"}


def test_corrections_leave_it_as_it_is(folder: Path) -> None:
    settings = Settings(schema=folder.parent / "before.sql")
    sources = Tree.of_folder(folder, settings).sources()
    assert [source.standing for source in sources] == [True, False]


def test_option_and_setting_name_it(folder: Path) -> None:
    def told(*arguments: str) -> list[str]:
        line = ["--no-prove", "--json", *arguments, str(folder)]
        found = json.loads(CliRunner().invoke(command, line).output)["findings"]
        return [f["message"] for f in found if f["rule"] == "changing-column-type"]

    assert "may rewrite" in told()[0]
    assert "from double precision" in told("--schema", str(folder.parent / "before.sql"))[0]
    (folder.parent / "tradewright.toml").write_text('[review]\nschema = "before.sql"\n')
    assert "from double precision" in told()[0]


def test_one_that_is_a_migration_itself_is_refused(folder: Path) -> None:
    path = folder / "041_change.sql"
    result = CliRunner().invoke(command, ["--no-prove", "--schema", str(path), str(folder)])
    assert result.exit_code == 2
    assert "is one of the migrations" in result.output


def test_one_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "tradewright.toml").write_text('[review]\nschema = "gone.sql"\n')
    result = CliRunner().invoke(command, ["--no-prove", str(folder)])
    assert result.exit_code == 2
    assert "gone.sql" in result.output
