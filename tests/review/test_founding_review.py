"""The review of the migrations that the project began with.

The fixture holds files 001 to 006 as the founding review describes them. Marks at the ends of
lines (`-- <- rule rule`) name what must be found there; the tables below say which marks settle
which of its findings, and which errors it missed.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from tradewright.review.report.markdown_report import render
from tradewright.review.result import Review, review_folder
from tradewright.review.score import Status, score_of
from tradewright.review.settings import Settings

HERE = Path(__file__).parent
_MARK = re.compile(r"-- <- ([\w\- ]+)$")

TEN_FINDINGS = {
    "1 system incompatibility": {"syntax-error", "text-id-among-uuids"},
    "2 uuid against varchar": {"text-id-among-uuids"},
    "3 time zones": {"prefer-timestamp-tz"},
    "4 one partition only": {"partition-of-plain-table"},
    "5 missing indexes": {"missing-composite-index"},
    "6 stored procedures": {"syntax-error", "lock-of-absent-row"},
    "7 no foreign key to users": {"id-column-without-foreign-key"},
    "8 down in comments": {"down-in-comment"},
    "9 no materialized view": {"reporting-view-missing"},
    "10 range of the risk score": {"score-without-range-check"},
}
MISSED = {
    "001 UNIQUE with WHERE in a table": {"inline-unique-where"},
    "001 cascade from users to orders": {"cascade-to-retained-record"},
    "002 CONCURRENTLY in a transaction": {"concurrently-in-transaction"},
    "002 partial in name only": {"partial-in-name-only"},
    "003 partition of a plain table": {"partition-of-plain-table"},
    "003 trigger writes a missing column": {"trigger-writes-missing-column"},
    "005 NaN in a score": {"score-without-range-check"},
    "006 ON CONFLICT never fires": {"on-conflict-on-nullable-key"},
}


@cache
def reviewed(name: str) -> Review:
    return review_folder(HERE / name, Settings())


def marks(name: str) -> set[tuple[str, int, str]]:
    return {
        (path.name, number, rule)
        for path in (HERE / name).glob("*.sql")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (match := _MARK.search(line))
        for rule in match[1].split()
    }


def found(name: str) -> set[tuple[str, int, str]]:
    return {(Path(f.location.path).name, f.location.line, f.rule) for f in reviewed(name).findings}


@pytest.mark.parametrize("name", ["founding", "founding_advice"])
def test_every_marked_error_is_found_at_its_line(name: str) -> None:
    assert marks(name) - found(name) == set()


@pytest.mark.parametrize("name", ["founding", "founding_advice"])
def test_nothing_critical_is_reported_beside_the_marks(name: str) -> None:
    loud = {
        (Path(f.location.path).name, f.location.line, f.rule)
        for f in reviewed(name).findings
        if f.severity in {"critical", "major"}
    }
    assert loud - marks(name) == set()


@pytest.mark.parametrize("finding", [*TEN_FINDINGS, *MISSED])
def test_each_finding_of_the_review_and_each_it_missed_is_settled(finding: str) -> None:
    rules = {rule for _, _, rule in found("founding")}
    assert {**TEN_FINDINGS, **MISSED}[finding] <= rules


def test_the_migrations_are_blocked_and_the_report_says_so() -> None:
    review = reviewed("founding")
    assert score_of(review.findings).status is Status.BLOCKED
    text = render(review)
    for part in (
        "Executive summary",
        "BLOCKED",
        "AUTO_INCREMENT is MySQL",
        "Strengths",
        "Priority 1",
        "Testing checklist",
        "Files reviewed",
        "006_add_payment_tables.sql` (",
        "Financial precision",
        "**Overall**",
    ):
        assert part in text


def test_strengths_of_the_review_are_found_too() -> None:
    text = render(reviewed("founding")).partition("## Strengths")[2]
    for strength in (
        "Composite indexes",
        "BRIN",
        "GIN",
        "Partial indexes",
        "Referential integrity",
        "Financial precision",
        "Concurrent index creation",
        "Statistics",
    ):
        assert strength in text
