"""The reference page of the ledger's functions is complete, and what it shows is true."""

import re
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from tests.style.house import ROOT
from tradewright import audit
from tradewright.postgres.connect import Session
from tradewright.postgres.function_refusals import FUNCTION_REFUSALS

PAGE = ROOT / "docs" / "reference" / "ledger-functions.md"
EXAMPLE = re.compile(
    r"^```sql\n(?P<query>.*?)^```\n(?:```text\n(?P<answer>.*?)\n```)?", re.MULTILINE | re.DOTALL
)


def shown(value: object) -> str:
    """Return a value as psql shows it."""
    if isinstance(value, bool):
        return "t" if value else "f"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def answers(session: Session, query: str) -> Iterator[str]:
    """Run a query; yield its rows, or how it was refused, as the page shows them."""
    try:
        cursor = session.execute(query.encode())
    except psycopg.Error as error:
        yield f"ERROR {error.sqlstate}: {error.diag.message_primary}"
        return
    if cursor.description is not None:
        for row in cursor:
            yield " | ".join(shown(value) for value in row)


def test_every_example_of_the_page_answers_what_the_page_shows(engine: Session) -> None:
    examples = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))
    assert len(examples) > 10
    for example in examples:
        found = "\n".join(answers(engine, example["query"]))
        expected = example["answer"] or ""
        if re.fullmatch(r"ERROR \w+", expected):
            found = found.partition(":")[0]
        assert found == expected
    audit.require_laws(audit.check_laws(engine))


def test_every_function_that_answers_a_reply_has_its_section(engine: Session) -> None:
    rows = engine.execute(
        "SELECT proname FROM pg_proc WHERE prorettype = 'ledger_reply'::regtype"
        " AND proname !~ '^(replayed|post)_'"
    ).fetchall()
    sections = set(re.findall(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {row[0] for row in rows} == sections - {"Reading", "Refusals"}


def test_every_parameter_of_those_functions_is_explained(engine: Session) -> None:
    rows = engine.execute(
        "SELECT DISTINCT unnest(proargnames) FROM pg_proc"
        " WHERE prorettype = 'ledger_reply'::regtype AND proname !~ '^(replayed|post)_'"
    ).fetchall()
    text = PAGE.read_text(encoding="utf-8")
    assert [row[0] for row in rows if f"| `{row[0]}` |" not in text] == []


OF_OTHER_ROOMS = ("ARCHIVE_", "VIEW_")
"""Beginnings of the codes with which functions refuse that are not the ledger's."""


@pytest.mark.parametrize(
    "state",
    sorted(s for s, (_, code) in FUNCTION_REFUSALS.items() if not code.startswith(OF_OTHER_ROOMS)),
)
def test_every_refusal_is_listed_with_its_code(state: str) -> None:
    code = FUNCTION_REFUSALS[state][1]
    assert f"| {state} | `{code}` | " in PAGE.read_text(encoding="utf-8")
