"""PostgreSQL's own word on the rules that say a migration cannot apply."""

from pathlib import Path

import psycopg
import pytest

from tests.review.cases_file import CASES, Case, read_cases, review_case
from tradewright.review.model import Category, Severity
from tradewright.review.registry import all_rules
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Wrapping

OF_FILES = {"duplicate-version", "byte-order-mark"}
"""Rules about the files themselves, of which the server knows nothing."""

REFUSED = [
    case
    for rule in all_rules().values()
    if rule.category is Category.SYNTAX and rule.severity is Severity.CRITICAL
    if rule.id not in OF_FILES and rule.needs != "shadow"
    for case in read_cases(CASES / f"{rule.id}.sql")
    if case.kind == "bad"
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.rule}: {case.title}")
def test_the_server_refuses_what_the_review_says_cannot_apply(
    case: Case, tmp_path: Path, database: str
) -> None:
    readings = list(review_case(case, tmp_path).context.ups())
    with (
        psycopg.connect(database, autocommit=True) as connection,
        pytest.raises(psycopg.Error) as caught,
    ):
        apply_all(connection, readings)
    assert caught.value.sqlstate is not None


def apply_all(connection: psycopg.Connection, readings: list[Reading]) -> None:
    for reading in readings:
        apply(connection, reading)


def apply(connection: psycopg.Connection, reading: Reading) -> None:
    """Send a file as its tool does, with names that nobody has filled in as they stand."""
    source = reading.source
    if source.written is not None:
        connection.execute(source.written.encode())
    elif source.wrapping is Wrapping.BARE:
        texts = [s.text for s in reading.statements] + [r.broken.text for r in reading.refusals]
        for text in texts:
            connection.execute(text.encode())
    else:
        connection.execute(b"BEGIN;\n" + source.data + b";\nCOMMIT")
