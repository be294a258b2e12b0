"""The reference pages list what is there: tables, laws, SQLSTATEs, constraints, checks."""

import re

from tests.style.house import ROOT
from tradewright.payments import checks as fraud_checks
from tradewright.payments.providers import cards
from tradewright.payments.providers.booking import COLUMNS
from tradewright.postgres.connect import Session
from tradewright.postgres.constraint_refusals import CONSTRAINT_REFUSALS
from tradewright.postgres.function_refusals import FUNCTION_REFUSALS
from tradewright.trading.lifecycle import ALLOWED_TRANSITIONS, LEADS_TO
from tradewright.trading.model import EventType, OrderStatus

REFERENCE = ROOT / "docs" / "reference"


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the tables under a heading, as their cells."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    section = re.split(
        r"^## ", text.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE
    )[0]
    lines = [line.strip("|") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")] for line in lines[1:]]


def names(engine: Session, kinds: list[str]) -> set[str]:
    found = engine.execute(
        "SELECT relname FROM pg_class WHERE relkind = ANY(%s) AND NOT relispartition"
        " AND relnamespace = current_schema()::regnamespace",
        (kinds,),
    )
    return {row[0] for row in found}


def test_the_page_of_tables_lists_every_table_once(engine: Session) -> None:
    headings = (
        "Who and what there is",
        "Orders and positions",
        "Money",
        "Payments",
        "Records",
    )
    listed = [row[0].strip("`") for heading in headings for row in rows("tables.md", heading)]
    assert sorted(listed) == sorted(names(engine, ["r", "p"]))


def test_the_page_of_tables_lists_every_law(engine: Session) -> None:
    laws = {name.removeprefix("law_") for name in names(engine, ["v"]) if name.startswith("law_")}
    assert {row[0].strip("`") for row in rows("tables.md", "The laws")} == laws


def test_the_page_of_sqlstates_lists_what_functions_raise_with_its_code() -> None:
    listed = {state: code.strip("`") for state, code, *_ in rows("sqlstates.md", "Class TW")}
    assert listed == {state: str(code) for state, (_, code) in FUNCTION_REFUSALS.items()}


def test_the_page_of_sqlstates_lists_every_constraint_with_its_code() -> None:
    heading = "Constraints that have a code of their own"
    listed = {
        constraint: code
        for cell, told in rows("sqlstates.md", heading)
        for constraint in re.findall(r"`(\w+)`", cell)
        for code in re.findall(r"^`(\w+)`", told)
    }
    assert listed == {name: str(code) for name, (_, code) in CONSTRAINT_REFUSALS.items()}


def test_the_page_of_alerts_lists_every_kind_and_which_are_over_by_themselves(
    engine: Session,
) -> None:
    def words(question: str) -> set[str]:
        (text,) = engine.execute(question).fetchone() or ("",)
        return set(re.findall(r"'(\w+)'", text))

    known = words(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'alerts_kind_known'"
    )
    ending = words("SELECT pg_get_indexdef('idx_alerts_kind_about_unresolved'::regclass)")
    listed = {row[0].strip("`"): row[3] for row in rows("alerts.md", "Kinds")}
    assert listed.keys() == known
    assert {kind for kind, end in listed.items() if end != "never"} == ending


def test_the_page_of_order_types_draws_every_step_that_is_allowed() -> None:
    listed = [row for row in rows("order-types.md", "States") if len(row) == 10]
    drawn = {
        None if name == "(create)" else OrderStatus(name): {
            column for column, mark in zip(OrderStatus, marks, strict=True) if mark == "yes"
        }
        for name, *marks in listed
        if not name.startswith("---")
    }
    assert drawn == ALLOWED_TRANSITIONS


def test_the_page_of_order_types_lists_every_event_with_where_it_leads() -> None:
    listed = {
        EventType(row[0].strip("`")): {OrderStatus(word) for word in row[2].split(", ")}
        for row in rows("order-types.md", "States")
        if len(row) == 3 and row[0].startswith("`")
    }
    assert listed == LEADS_TO


def test_the_page_of_payments_lists_every_step_that_is_allowed(engine: Session) -> None:
    listed = {
        (kind, before, after)
        for kind, before, targets in rows("payments.md", "Steps")
        for after in targets.split(", ")
    }
    found = engine.execute("SELECT object, from_status, to_status FROM payment_transitions")
    assert listed == set(found)


def test_the_page_of_payments_lists_every_message_of_the_cards() -> None:
    told = {
        name: f"{kind} {status}"
        for name, (kind, status) in {**cards.PAYMENT_EVENTS, **cards.CLAIM_EVENTS}.items()
    }
    listed = {name.strip("`"): what for name, what in rows("payments.md", "Messages of cards")}
    assert listed == told


def test_the_page_of_payments_lists_the_fraud_checks_and_the_columns() -> None:
    listed = [row[0].strip("`") for row in rows("payments.md", "Fraud checks")]
    assert listed == list(fraud_checks.CHECKS)
    text = (REFERENCE / "payments.md").read_text(encoding="utf-8")
    assert f"```text\n{','.join(COLUMNS)}\n```" in text


def test_the_page_of_roles_lists_the_rights_that_do_not_follow_from_guards(engine: Session) -> None:
    found = engine.execute(
        "SELECT table_name, array_agg(array_to_string(rights[2:], ', ') ORDER BY role_name)"
        " FROM engine_rights AS r JOIN pg_class AS c ON c.oid = r.table_id"
        " WHERE relkind NOT IN ('v', 'm') AND role_name <> 'reader'"
        " GROUP BY table_name, is_append_only"
        " HAVING array_agg(array_to_string(rights[2:], ', ')) <> CASE WHEN is_append_only"
        " THEN ARRAY['INSERT', 'INSERT'] ELSE ARRAY['INSERT, UPDATE', 'INSERT, UPDATE'] END"
    ).fetchall()

    def words(rights: str) -> str:
        return rights.replace("INSERT", "inserts").replace("UPDATE", "updates") or "reads"

    listed = {row[0].strip("`"): row[1:] for row in rows("roles.md", "Rights on tables")}
    assert listed == {name: [words(right) for right in rights] for name, rights in found}


def test_the_page_of_jobs_lists_every_job_with_its_first_schedule(engine: Session) -> None:
    text = (REFERENCE / "jobs.md").read_text(encoding="utf-8").partition("\n## ")[0]
    listed = [
        (cells[1].strip(" `"), cells[4].strip())
        for cells in (line.split("|") for line in text.splitlines() if line.startswith("| `"))
    ]
    found = engine.execute(
        "SELECT name, coalesce('daily at ' || to_char(daily_at, 'HH24:MI') || ' UTC',"
        " CASE extract(epoch FROM every)::integer WHEN 60 THEN 'every minute' WHEN 300 THEN"
        " 'every 5 minutes' WHEN 3600 THEN 'every hour'"
        " ELSE 'every ' || extract(epoch FROM every)::integer || ' seconds' END)"
        " FROM jobs ORDER BY name"
    ).fetchall()
    assert listed == found
