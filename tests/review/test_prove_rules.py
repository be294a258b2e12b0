"""The rules that only a shadow can answer, against their case files and their pages' examples."""

from pathlib import Path

import pytest

from tests.review.cases_file import CASES, Case, prove_case, read_cases
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Severity, Stage
from tradewright.review.registry import all_rules, page_of

RULES = [rule for rule in all_rules().values() if rule.needs == "shadow"]
ALL = [case for rule in RULES for case in read_cases(CASES / f"{rule.id}.sql")]
PAGES = [rule.id for rule in RULES if "examples: prose" not in page_of(rule)]


def named(case: Case) -> str:
    return f"{case.rule}: {case.title}"


@pytest.mark.parametrize("case", [c for c in ALL if c.kind == "bad"], ids=named)
def test_the_shadow_finds_every_bad_case_at_its_line(
    case: Case, tmp_path: Path, server: EmbeddedServer
) -> None:
    findings = prove_case(case, tmp_path, server)
    found = {(f.location.path, f.location.line) for f in findings if f.rule == case.rule}
    assert found == case.marks
    assert {f.stage for f in findings if f.rule == case.rule} == {Stage.PROVE}


@pytest.mark.parametrize("case", [c for c in ALL if c.kind != "bad"], ids=named)
def test_repaired_forms_and_near_misses_are_silent_on_the_shadow(
    case: Case, tmp_path: Path, server: EmbeddedServer
) -> None:
    findings = prove_case(case, tmp_path, server)
    loud = [
        f"{f.rule} {f.location.line}: {f.message}"
        for f in findings
        if f.rule == case.rule
        or (f.stage is Stage.PROVE and f.severity in {Severity.CRITICAL, Severity.MAJOR})
    ]
    assert loud == []


@pytest.mark.parametrize("rule_id", PAGES)
def test_what_the_page_says_to_leave_is_found_on_the_shadow(
    rule_id: str, tmp_path: Path, server: EmbeddedServer
) -> None:
    block = page_of(all_rules()[rule_id]).split("```sql\n")[1].split("```")[0]
    case = Case(rule_id, "page", "", (("001_case.sql", block),))
    assert rule_id in {finding.rule for finding in prove_case(case, tmp_path, server)}


@pytest.mark.parametrize(
    ("before", "severity"),
    [("", Severity.INFO), ("CREATE TABLE IF NOT EXISTS first (id int);\n", Severity.CRITICAL)],
)
def test_only_a_second_run_that_leaves_something_behind_is_critical(
    before: str, severity: Severity, tmp_path: Path, server: EmbeddedServer
) -> None:
    text = f"-- tradewright: no-transaction\n{before}CREATE TABLE a (id uuid PRIMARY KEY);\n"
    case = Case("second-run-fails", "bad", "", (("001_case.sql", text),))
    findings = prove_case(case, tmp_path, server)
    assert {f.severity for f in findings if f.rule == "second-run-fails"} == {severity}


def test_a_table_of_another_schema_is_told_with_its_schema(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    files = (
        ("001_a.sql", "CREATE SCHEMA sales;\nCREATE TABLE sales.orders (id int PRIMARY KEY);\n"),
        ("002_b.sql", "ALTER TABLE sales.orders ADD COLUMN note text;\n"),
    )
    findings = prove_case(Case("takes-access-exclusive", "bad", "", files), tmp_path, server)
    told = next(f.message for f in findings if f.rule == "takes-access-exclusive")
    assert told.endswith("holds ACCESS EXCLUSIVE on sales.orders")
