"""The corrections that rules offer: each silences its rule, and a second time changes nothing."""

from collections.abc import Iterator
from functools import cache

import psycopg
import pytest

from tests.review.cases_file import CASES, Case, read_cases
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Finding, Severity
from tradewright.review.registry import all_rules
from tradewright.review.rewrite.rounds import Corrected, corrected, reviewed
from tradewright.review.rewrite.tree import Tree
from tradewright.review.settings import Settings
from tradewright.review.source.text import Direction

FIXABLE = [rule.id for rule in all_rules().values() if rule.fixable]
CASES_OF = {rule: read_cases(CASES / f"{rule}.sql") for rule in FIXABLE}
BAD = [case for cases in CASES_OF.values() for case in cases if case.kind == "bad"]
GOOD = [case for cases in CASES_OF.values() for case in cases if case.kind != "bad"]


ON_OTHER_FILES = {"require-lock-timeout"}
"""Rules whose cases change tables that no file of the case makes."""


def named(case: Case) -> str:
    return f"{case.rule}: {case.title}"


def tree_of(case: Case) -> Tree:
    files = {name: text.replace("@BOM@", "\ufeff").encode() for name, text in case.files}
    return Tree(files, Settings())


def found(done: Corrected, rule: str) -> list[Finding]:
    return [finding for finding in done.findings if finding.rule == rule]


@cache
def fixed(case: Case) -> Corrected:
    tree = tree_of(case)
    return corrected(tree, frozenset(tree.files))


def is_settled(case: Case) -> bool:
    return all(f.severity is not Severity.CRITICAL for f in fixed(case).findings)


@pytest.fixture(scope="module")
def scratch(server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """Open one database in which every case is tried and rolled back."""
    server.create_database("fixes")
    with psycopg.connect(server.conninfo("fixes"), autocommit=True) as connection:
        yield connection
    server.drop_database("fixes")


@pytest.mark.parametrize("case", BAD, ids=named)
def test_a_correction_silences_its_rule_and_a_second_one_finds_nothing(case: Case) -> None:
    tree, done = tree_of(case), fixed(case)
    before = [f for f in reviewed(tree, frozenset(tree.files))[1] if f.rule == case.rule]
    offered = [finding for finding in before if finding.edits]
    assert len(found(done, case.rule)) <= len(before) - len(offered)
    again = corrected(done.tree, frozenset(done.tree.files))
    assert (again.fixes, again.tree.files) == ((), done.tree.files)


@pytest.mark.parametrize("rule", FIXABLE)
def test_each_fixable_rule_has_a_case_that_its_correction_settles(rule: str) -> None:
    cases = [case for case in CASES_OF[rule] if case.kind == "bad"]
    assert any(not found(fixed(case), rule) for case in cases)


@pytest.mark.parametrize("case", BAD, ids=named)
def test_what_is_corrected_applies_on_the_server(case: Case, scratch: psycopg.Connection) -> None:
    if case.rule in ON_OTHER_FILES or not is_settled(case):
        pytest.skip("another error is left in it")
    ups = [source for source in fixed(case).tree.sources() if source.direction is Direction.UP]
    texts = [source.text.replace("CONCURRENTLY", "") for source in ups]
    scratch.execute("BEGIN")
    try:
        for text in texts:
            scratch.execute(text.encode())
    finally:
        scratch.execute("ROLLBACK")


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_a_good_file_is_left_alone_by_the_rule(case: Case) -> None:
    assert [fix for fix in fixed(case).fixes if fix.rule == case.rule] == []


def test_only_rules_that_say_so_offer_corrections() -> None:
    rules = {fix.rule for case in BAD for fix in fixed(case).fixes}
    assert rules == set(FIXABLE)
