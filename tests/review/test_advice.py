"""What the review advises is SQL that runs as it is typed, whatever the objects are called."""

from pathlib import Path

import pytest

from tests.review.cases_file import CASES, Case, read_cases, review_case
from tradewright.review.source.parser import parse

COMMANDS = ("ALTER", "CREATE", "DROP", "REINDEX", "REFRESH", "VACUUM")
BEFORE = """\
CREATE SCHEMA "Sales";
CREATE TABLE "Sales"."Order" (id bigint PRIMARY KEY, "Size" text, buyer bigint);
CREATE TABLE buyers (id bigint PRIMARY KEY);
CREATE INDEX "by Buyer" ON "Sales"."Order" (buyer);
"""


def advised(rule: str, statement: str, folder: Path) -> str:
    """Return what the rule advises instead of a statement on tables that stood before."""
    files = (("001_before.sql", BEFORE), ("002_case.sql", statement))
    findings = review_case(Case(rule, "bad", "", files), folder).findings
    return next(f.corrected for f in findings if f.rule == rule)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.sql")), ids=lambda path: path.stem)
def test_advice_that_begins_like_a_statement_is_one(path: Path, tmp_path: Path) -> None:
    for number, case in enumerate(read_cases(path)):
        for finding in review_case(case, tmp_path / str(number)).findings:
            text = finding.corrected
            if text.startswith(COMMANDS) and "..." not in text:
                parse(text.encode())


@pytest.mark.parametrize(
    ("rule", "statement", "advice"),
    [
        (
            "disallowed-unique-constraint",
            'ALTER TABLE "Sales"."Order" ADD UNIQUE ("Size");',
            'CREATE UNIQUE INDEX CONCURRENTLY "Order_Size_key" ON "Sales"."Order" ("Size");',
        ),
        (
            "adding-not-nullable-field",
            'ALTER TABLE "Sales"."Order" ALTER "Size" SET NOT NULL;',
            (
                'ALTER TABLE "Sales"."Order" ADD CONSTRAINT "Order_Size_not_null"'
                ' CHECK ("Size" IS NOT NULL) NOT VALID;'
            ),
        ),
        (
            "require-concurrent-index-deletion",
            'DROP INDEX IF EXISTS "Sales"."by Buyer";',
            'DROP INDEX CONCURRENTLY IF EXISTS "Sales"."by Buyer";',
        ),
        (
            "require-concurrent-index-creation",
            'create index by_size on "Sales"."Order" ("Size");',
            'create INDEX CONCURRENTLY by_size on "Sales"."Order" ("Size");',
        ),
        (
            "not-valid-never-validated",
            'ALTER TABLE "Sales"."Order" ADD CONSTRAINT "Big" CHECK (buyer > 0) NOT VALID;',
            'ALTER TABLE "Sales"."Order" VALIDATE CONSTRAINT "Big";',
        ),
        (
            "constraint-missing-not-valid",
            "ALTER TABLE buyers ADD CONSTRAINT positive CHECK (id > 0), ADD COLUMN name text;",
            "",
        ),
        (
            "adding-foreign-key-constraint",
            (
                'ALTER TABLE "Sales"."Order" ADD CONSTRAINT whose FOREIGN KEY (buyer)'
                " REFERENCES buyers, ADD COLUMN note text;"
            ),
            "",
        ),
    ],
)
def test_advice_names_objects_as_postgresql_reads_them(
    rule: str, statement: str, advice: str, tmp_path: Path
) -> None:
    assert advised(rule, statement, tmp_path) == advice


SHOP = """\
CREATE TABLE "user" (id bigint PRIMARY KEY);
CREATE TABLE "Sale" (
    "Id" serial PRIMARY KEY,
    "soldAt" timestamp,
    user_id bigint,
    "totalPrice" real,
    "userId" integer REFERENCES "user" (id),
    "isOpen" boolean,
    "Size" text
);
CREATE INDEX "Sale_once" ON "Sale" ("Id");
CREATE INDEX "Sale_open" ON "Sale" ("isOpen", "Size");
INSERT INTO "Sale" ("Size") VALUES ('L') ON CONFLICT ("Size") DO NOTHING;
"""


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        ("duplicate-index", 'DROP INDEX CONCURRENTLY "Sale_once";'),
        ("prefer-timestamp-tz", '"soldAt" timestamptz'),
        ("money-in-float", '"totalPrice" numeric(20, 8)'),
        ("fk-column-type-mismatch", '"userId" bigint'),
        ("prefer-identity", '"Id" bigint GENERATED ALWAYS AS IDENTITY'),
        ("boolean-first-index", 'CREATE INDEX "Sale_open" ON "Sale" ("Size") WHERE "isOpen";'),
        ("on-conflict-without-unique", 'ALTER TABLE "Sale" ADD UNIQUE ("Size");'),
        (
            "id-column-without-foreign-key",
            (
                'ALTER TABLE "Sale" ADD CONSTRAINT "Sale_user_id_fkey"'
                ' FOREIGN KEY (user_id) REFERENCES "user" (id) NOT VALID;'
            ),
        ),
    ],
)
def test_advice_on_the_whole_schema_names_objects_as_postgresql_reads_them(
    rule: str, advice: str, tmp_path: Path
) -> None:
    findings = review_case(Case(rule, "bad", "", (("001_shop.sql", SHOP),)), tmp_path).findings
    assert [f.corrected for f in findings if f.rule == rule] == [advice]


def test_a_column_that_brings_its_key_is_to_be_added_alone_first(tmp_path: Path) -> None:
    files = (("001_before.sql", BEFORE), ("002.sql", "ALTER TABLE buyers ADD code text UNIQUE;"))
    case = Case("disallowed-unique-constraint", "bad", "", files)
    found = next(f for f in review_case(case, tmp_path).findings if f.rule == case.rule)
    assert found.advice.startswith("Add the column alone, and build the unique index")
    assert found.corrected == "CREATE UNIQUE INDEX CONCURRENTLY buyers_code_key ON buyers (code);"


def test_an_index_that_is_built_concurrently_is_never_to_be_guarded_by_if_not_exists(
    tmp_path: Path,
) -> None:
    text = (
        "-- tradewright: no-transaction\nCREATE INDEX CONCURRENTLY by_id ON buyers (id);\n"
        "CREATE INDEX CONCURRENTLY by_name ON buyers (name);\n"
    )
    case = Case("not-idempotent", "bad", "", (("001_a.sql", text),))
    found = next(f for f in review_case(case, tmp_path).findings if f.rule == case.rule)
    assert found.advice.startswith("Drop it IF EXISTS before")
