"""The ten tests: ours pass them all, the founding migrations fail, and each test can fail."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.style.house import ROOT
from tradewright.cli.verify import command
from tradewright.cli.verify_output import show
from tradewright.core.errors import ErrorCode, InputError
from tradewright.migrate.files import our_migrations
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Finding, Severity
from tradewright.review.prove.model import OrphanTrial, OrphanVerdict
from tradewright.review.prove.stage import findings_from
from tradewright.review.proven import joined
from tradewright.review.report.document import CHECKLIST
from tradewright.review.result import Scope, review_folder
from tradewright.review.score import score_of
from tradewright.review.settings import Settings
from tradewright.review.verify import service
from tradewright.review.verify.declared import read_declared
from tradewright.review.verify.outcome import Outcome, Status, Verification
from tradewright.review.verify.registry import all_checks, judge
from tradewright.review.verify.service import Request, ground_of, subject_of, verify_on

FOUNDING = Path(__file__).parent / "founding"
PASSED, FAILED, NOTHING = Status.PASSED, Status.FAILED, Status.NOT_APPLICABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Our own migrations, applied once for all tests of this file: verified, and reviewed."""

    verification: Verification
    findings: list[Finding]
    keys: list[OrphanTrial]


@pytest.fixture(scope="module")
def house(server: EmbeddedServer) -> House:
    read = review_folder(our_migrations(), Settings(), Scope(after="0"))
    subject = replace(subject_of(Request(rows=20_000)), read=read)
    with ground_of(server, subject) as ground:
        verdicts = judge(ground, all_checks())
        proven = findings_from(ground.prover.facts, read.context)
        keys = ground.prover.keys
    return House(
        verification=Verification(folder="ours", verdicts=verdicts, elapsed_ms=1),
        findings=joined(list(read.findings), proven, read.context.readings),
        keys=keys,
    )


def test_our_migrations_pass_all_ten(
    house: House,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdicts = house.verification.verdicts
    assert {v.id: v.outcome for v in verdicts if v.outcome.status is not PASSED} == {}
    assert len(verdicts) == 10
    facts = {v.id: v.outcome.facts for v in verdicts}
    assert facts["rolls-back"]["rows_untried"] == {}
    monkeypatch.setenv("COLUMNS", "200")
    show(house.verification)
    told = capsys.readouterr().out
    assert "live_orders_of_an_account" in told
    assert "10 passed in" in told


def test_our_migrations_pass_their_own_review_on_a_server(house: House) -> None:
    loud = [f"{f.rule} {f.location}" for f in house.findings if f.severity is not Severity.INFO]
    assert loud == []
    assert score_of(house.findings).overall >= Decimal("9.8")
    held = {OrphanVerdict.REFUSED, OrphanVerdict.GUARDED}
    untried = [(t.key, t.why) for t in house.keys if t.verdict not in held]
    assert untried == []
    assert {trial.verdict for trial in house.keys} == held


def test_the_founding_migrations_fail_as_the_founding_review_says(server: EmbeddedServer) -> None:
    verification = verify_on(server, subject_of(Request(folder=FOUNDING, rows=1_000)))
    assert {v.id: v.outcome.status for v in verification.verdicts} == {
        "applies": FAILED,
        "runs-twice": PASSED,
        "rolls-back": FAILED,
        "orphans": FAILED,
        "uuid-ids": FAILED,
        "time-zones": FAILED,
        "indexes": FAILED,
        "functions": FAILED,
        "queries": NOTHING,
        "backup": PASSED,
    }


USERS = "CREATE TABLE users (id uuid PRIMARY KEY);\n"
BROKEN: dict[str, tuple[str, dict[str, str]]] = {
    "applies": ("division by zero", {"001_a.sql": "SELECT 1 / 0;"}),
    "runs-twice": (
        "changes the schema again",
        {"001_a.sql": "CREATE TABLE IF NOT EXISTS a (b int); ALTER TABLE a ADD CHECK (b > 0);"},
    ),
    "rolls-back": (
        "fees: 3 rows are others or gone",
        {
            "001_a.sql": "CREATE TABLE fees (id uuid PRIMARY KEY, fee numeric(20, 8) NOT NULL);",
            "001_a.down.sql": "DROP TABLE fees;",
            "002_b.sql": "UPDATE fees SET fee = round(fee, 1);",
            "002_b.down.sql": "SELECT 1;",
        },
    ),
    "orphans": (
        "let the orphan in: it is NOT ENFORCED",
        {"001_a.sql": USERS + "CREATE TABLE p (user_id uuid REFERENCES users NOT ENFORCED);"},
    ),
    "uuid-ids": (
        "payments.user_id is text",
        {"001_a.sql": USERS + "CREATE TABLE payments (id uuid PRIMARY KEY, user_id text);"},
    ),
    "time-zones": ("a.at is timestamp without", {"001_a.sql": "CREATE TABLE a (at timestamp);"}),
    "indexes": (
        "has no index",
        {"001_a.sql": USERS + "CREATE TABLE payments (user_id uuid REFERENCES users);"},
    ),
    "functions": (
        "law_sum is broken 1 times",
        {
            "001_a.sql": (
                "CREATE TABLE balances (id int PRIMARY KEY, held int NOT NULL);"
                "CREATE FUNCTION credit() RETURNS void LANGUAGE plpgsql AS $$"
                " DECLARE v int := (SELECT held FROM balances); BEGIN"
                " PERFORM pg_sleep(0.001); UPDATE balances SET held = v + 1; END $$;"
            ),
            "verify/functions.sql": (
                "-- name: prepare_a\n-- One row.\nINSERT INTO balances VALUES (1, 0);\n"
                "-- name: call_credit\n-- Add one, carelessly.\nSELECT credit();\n"
                "-- name: law_sum\n-- Nothing is lost.\n"
                "SELECT held FROM balances WHERE held <> 320;\n"
            ),
        },
    ),
    "queries": (
        "by_note uses no index",
        {
            "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, note text);",
            "verify/queries.sql": (
                "-- name: fill_a\n-- Rows.\nINSERT INTO a SELECT n, n::text"
                " FROM generate_series(1, %(rows)s::int) AS n;\n"
                "-- name: by_note\n-- Without an index.\nSELECT id FROM a WHERE note = '7';\n"
            ),
        },
    ),
    "backup": (
        'relation "a" does not exist',
        {
            "001_a.sql": (
                "CREATE TABLE a (id int PRIMARY KEY);"
                "CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql STABLE"
                " AS 'SELECT EXISTS (SELECT FROM a WHERE id = $1)';"
                "CREATE TABLE b (id int CHECK (known(id)));"
                "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);"
            ),
        },
    ),
}


@pytest.mark.parametrize("test_id", BROKEN)
def test_each_of_the_ten_can_fail(test_id: str, tmp_path: Path, server: EmbeddedServer) -> None:
    problem, files = BROKEN[test_id]
    outcome = outcome_of(test_id, files, tmp_path, server)
    assert outcome.status is FAILED
    assert any(problem in each for each in [*outcome.problems, outcome.figures]), outcome


def test_a_materialized_view_that_drops_the_zone_is_found(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    days = "CREATE MATERIALIZED VIEW days AS SELECT at AT TIME ZONE 'UTC' AS day FROM a;"
    files = {"001_a.sql": f"CREATE TABLE a (at timestamptz);{days}"}
    outcome = outcome_of("time-zones", files, tmp_path, server)
    assert outcome.status is FAILED
    assert any("days.day is timestamp without" in each for each in outcome.problems), outcome


EMPTY = {"001_a.sql": "CREATE VIEW one AS SELECT 1 AS one;"}


@pytest.mark.parametrize(
    ("test_id", "why"),
    [
        ("rolls-back", "no down could be tried"),
        ("orphans", "no foreign key"),
        ("uuid-ids", "no table has a key called id"),
        ("time-zones", "no column holds a time"),
        ("indexes", "no index"),
        ("functions", "no function"),
        ("queries", "no query is declared"),
    ],
)
def test_what_has_nothing_to_try_says_so(
    test_id: str, why: str, tmp_path: Path, server: EmbeddedServer
) -> None:
    outcome = outcome_of(test_id, EMPTY, tmp_path, server)
    assert outcome.status is NOTHING
    assert why in outcome.figures


def outcome_of(
    test_id: str, files: Mapping[str, str], folder: Path, server: EmbeddedServer
) -> Outcome:
    (folder / "verify").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    check = next(check for check in all_checks() if check.id == test_id)
    with ground_of(server, subject_of(Request(folder=folder, rows=1_000))) as ground:
        return judge(ground, [check])[0].outcome


def test_a_malformed_declaration_is_an_error_of_use(tmp_path: Path) -> None:
    (tmp_path / "verify").mkdir()
    (tmp_path / "verify" / "queries.sql").write_text("-- name: a\nSELECT 1;\n")
    with pytest.raises(InputError) as caught:
        read_declared(tmp_path)
    assert caught.value.code is ErrorCode.INPUT_VERIFY_FILE_MALFORMED


def test_the_command_prints_json_and_exits_by_the_result(
    tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "shadow_server", lambda: nullcontext(server))
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (at timestamp);", "utf-8")
    done = CliRunner().invoke(command, [str(tmp_path), "--json", "--rows", "100"])
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert [t["test"] for t in told["tests"] if t["status"] == "failed"] == ["time-zones"]


def test_a_folder_without_migrations_is_wrong_usage(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert done.exit_code == 2
    assert "INPUT_REVIEW_FOLDER_EMPTY" in done.output


def test_the_page_the_checklist_and_the_modules_list_the_same_tests() -> None:
    page = (ROOT / "docs" / "reference" / "verify.md").read_text("utf-8")
    headings = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    expected = [f"{check.number}. {check.title} (`{check.id}`)" for check in all_checks()]
    assert headings[: len(expected)] == expected
    assert [check.number for check in all_checks()] == list(range(1, len(CHECKLIST) + 1))
