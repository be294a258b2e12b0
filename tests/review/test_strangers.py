"""Folders as other tools write them: nothing is held against them that their tool sees to."""

from pathlib import Path

import pytest

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.proven import with_proof
from tradewright.review.report.terminal_report import render
from tradewright.review.result import Review, review_folder
from tradewright.review.service import Request
from tradewright.review.service import review as review_request

SUPABASE = """\
create table public.profiles (
    id uuid not null references auth.users on delete cascade,
    name text not null,
    primary key (id)
);
alter table public.profiles enable row level security;
create policy "own" on profiles for insert with check (auth.uid() = id);
create function public.on_sign_up() returns trigger language plpgsql
    security definer set search_path = '' as $$
begin
    insert into public.profiles (id, name) values (new.id, new.raw_user_meta_data ->> 'name');
    return new;
end $$;
create trigger signed_up after insert on auth.users
    for each row execute procedure public.on_sign_up();
insert into storage.buckets (id, name) values ('avatars', 'avatars');
create policy "seen" on storage.objects for select using (bucket_id = 'avatars');
grant usage on schema public to anon, authenticated;
alter publication supabase_realtime add table profiles;
"""
LIQUIBASE = """\
--liquibase formatted sql

--changeset a:1
CREATE TABLE person (id uuid PRIMARY KEY, name text NOT NULL);
COMMENT ON TABLE person IS 'somebody';
--rollback DROP TABLE person;

--changeset a:2
CREATE INDEX idx_person_name ON person (name);
--rollback DROP INDEX idx_person_name;
"""
FLYWAY = """\
CREATE TABLE ${house}.customers (id uuid PRIMARY KEY);
CREATE TABLE invoices (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id)
);
CREATE INDEX idx_invoices_customer_id ON invoices (customer_id);
"""
EXTENSION = 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp";\nCREATE TABLE a (id uuid PRIMARY KEY);\n'
DJANGO = """\
BEGIN;
CREATE TABLE "shop_tag" ("id" uuid NOT NULL PRIMARY KEY, "slug" text NOT NULL);
COMMIT;
CREATE INDEX CONCURRENTLY "shop_tag_slug" ON "shop_tag" ("slug");
"""


def proven(folder: Path, server: EmbeddedServer, files: dict[str, str]) -> Review:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return with_proof(review_folder(folder), server)


def grave(review: Review) -> list[str]:
    return [
        f"{f.rule}: {f.message}"
        for f in review.findings
        if str(f.severity) in {"critical", "major"}
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"20260101000000_init.sql": SUPABASE},
        {"changes.sql": LIQUIBASE},
        {"V1__init.sql": FLYWAY},
        {"001_a.sql": EXTENSION, "001_a.down.sql": "DROP TABLE a;\n"},
        {"0001_initial.sql": DJANGO},
    ],
    ids=["Supabase", "Liquibase", "Flyway", "a shared extension", "Django"],
)
def test_nothing_grave_is_found_where_nothing_is(
    files: dict[str, str], tmp_path: Path, server: EmbeddedServer
) -> None:
    review = proven(tmp_path, server, files)
    assert grave(review) == []
    assert review.proof is not None
    assert all(file.down is not False for file in review.proof.files)
    assert "not-proven" not in {f.rule for f in review.findings}


def test_a_platform_is_not_laid_down_where_the_files_make_its_schema(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text(
        "CREATE SCHEMA auth;\nCREATE TABLE auth.users (id uuid PRIMARY KEY);\n"
        "CREATE TABLE a (id uuid PRIMARY KEY REFERENCES auth.users (id));\n"
    )
    assert not any(r.source.standing for r in review_folder(tmp_path).context.readings)


def test_a_platform_does_not_make_a_folder_begin_at_the_beginning(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    text = (
        "ALTER TABLE jobs ADD COLUMN owner uuid;\n"
        "UPDATE jobs SET owner = auth.uid() WHERE id = 1;\n"
    )
    files = {"002_b.sql": text}
    assert grave(proven(tmp_path, server, files)) == []


def test_what_is_wrong_on_a_platform_is_still_found(tmp_path: Path, server: EmbeddedServer) -> None:
    wrong = SUPABASE.replace("references auth.users", "references auth.userz")
    assert any("userz" in each for each in grave(proven(tmp_path, server, {"1_a.sql": wrong})))


def test_the_table_of_a_runner_is_the_runners_own(tmp_path: Path, server: EmbeddedServer) -> None:
    files = {
        "V1__a.sql": "CREATE TABLE a (id uuid PRIMARY KEY);\n",
        "V2__b.sql": (
            "GRANT SELECT ON public.flyway_schema_history TO #[reader];\n"
            "CREATE VIEW done AS SELECT version FROM flyway_schema_history;\n"
        ),
    }
    review = proven(tmp_path, server, files)
    assert [each for each in grave(review) if "template-placeholder" not in each] == []


def test_entries_of_a_baseline_that_are_of_no_use_are_counted(tmp_path: Path) -> None:
    folder, baseline = tmp_path / "migrations", tmp_path / "baseline.json"
    folder.mkdir()
    (folder / "001_a.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY, at timestamp);\n")
    review_request(Request(folder, baseline=baseline, update_baseline=True, prove=True))
    whole = review_request(Request(folder, baseline=baseline, prove=True))
    assert (whole.silenced_count, whole.stale_count) == (2, 0)
    (folder / "001_a.sql").write_text("CREATE TABLE a (id uuid PRIMARY KEY, at timestamptz);\n")
    mended = review_request(Request(folder, baseline=baseline, prove=True))
    assert mended.stale_count == 1
    assert "1 entries of the baseline are of no use now" in render(mended)
    assert review_request(Request(folder, baseline=baseline, prove=False)).stale_count == 0
