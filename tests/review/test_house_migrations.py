"""The review of the house's own migrations: a good schema comes out nearly silent."""

from pathlib import Path

import tradewright
from tradewright.review.model import Severity
from tradewright.review.result import Scope, review_folder
from tradewright.review.settings import Settings

MIGRATIONS = Path(tradewright.__file__).parent / "migrations"


def test_migrations_of_a_new_database_have_nothing_to_block_or_repair() -> None:
    review = review_folder(MIGRATIONS, Settings(), Scope(after="0"))
    loud = [
        f"{f.rule} {Path(f.location.path).name}:{f.location.line} {f.message}"
        for f in review.findings
        if f.severity in {Severity.CRITICAL, Severity.MAJOR}
    ]
    assert loud == []


def test_findings_of_lesser_weight_stay_few() -> None:
    review = review_folder(MIGRATIONS, Settings(), Scope(after="0"))
    assert review.count(Severity.MINOR) <= 3
