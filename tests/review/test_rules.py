"""The rules against their own case files, and the lists of rules against each other.

What only a shadow can answer is tried in test_prove_rules.
"""

from pathlib import Path

import pytest

from tests.review.cases_file import CASES, Case, read_cases, review_case
from tradewright.review.model import Severity
from tradewright.review.registry import (
    SHADOW_RULES,
    all_rules,
    index_page,
    page_of,
    read_rules,
    title_of,
)

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "rules"
ALL = [case for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)]
READ = {rule.id for rule in all_rules().values() if rule.needs != "shadow"}
BAD = [case for case in ALL if case.kind == "bad" and case.rule in READ]
GOOD = [case for case in ALL if case.kind != "bad" and case.rule in READ]


def named(case: Case) -> str:
    return f"{case.rule}: {case.title}"


@pytest.mark.parametrize("case", BAD, ids=named)
def test_every_bad_case_is_found_at_its_line(case: Case, tmp_path: Path) -> None:
    review = review_case(case, tmp_path)
    found = {(f.location.path, f.location.line) for f in review.findings if f.rule == case.rule}
    assert found, [f"{f.rule} {f.location} {f.message}" for f in review.findings]
    if case.marks:
        assert found == case.marks


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_repaired_forms_and_near_misses_are_silent(case: Case, tmp_path: Path) -> None:
    review = review_case(case, tmp_path)
    loud = [
        f"{f.rule} {f.location.line}: {f.message}"
        for f in review.findings
        if f.rule == case.rule or f.severity in {Severity.CRITICAL, Severity.MAJOR}
    ]
    assert loud == []


def test_rules_pages_and_case_files_are_the_same_list() -> None:
    rules = set(all_rules())
    assert {path.stem for path in PAGES.glob("*.md")} - {"index"} == rules
    assert {path.stem for path in CASES.glob("*.sql")} == rules


def test_the_index_of_pages_is_the_list_of_rules() -> None:
    assert (PAGES / "index.md").read_text("utf-8") == index_page()


def test_reading_alone_leaves_out_the_rules_of_the_shadow_and_no_other() -> None:
    assert {rule.id for rule in all_rules().values() if rule.needs == "shadow"} == SHADOW_RULES
    assert read_rules().keys() == all_rules().keys() - SHADOW_RULES


@pytest.mark.parametrize("rule_id", all_rules())
def test_each_case_file_holds_bad_repaired_and_near_miss(rule_id: str) -> None:
    kinds = {case.kind for case in ALL if case.rule == rule_id}
    assert kinds == {"bad", "repaired", "near miss"}


@pytest.mark.parametrize("rule_id", all_rules())
def test_each_page_is_the_rules_own_text(rule_id: str) -> None:
    rule = all_rules()[rule_id]
    page = (PAGES / f"{rule_id}.md").read_text("utf-8")
    assert page == page_of(rule)
    for heading in ("**Instead of**", "**Use**", "Not reported"):
        assert heading in page
    assert title_of(rule).endswith(".")


@pytest.mark.parametrize("rule_id", sorted(READ))
def test_the_pages_examples_do_what_the_page_says(rule_id: str, tmp_path: Path) -> None:
    page = page_of(all_rules()[rule_id])
    if "<!-- examples: prose -->" in page:
        pytest.skip("the example spans more than one file")
    blocks = [part.split("```")[0] for part in page.split("```sql\n")[1:]]
    found = [
        any(
            f.rule == rule_id
            for f in review_case(
                Case(rule_id, "page", "", (("001_case.sql", block),)), tmp_path / str(i)
            ).findings
        )
        for i, block in enumerate(blocks[:2])
    ]
    assert found == [True, False]
