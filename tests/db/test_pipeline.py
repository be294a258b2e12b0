"""A pipeline brings every value to the server as it is, and fails as one transaction."""

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.pipeline import Pipeline

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
) | st.sampled_from(["", "NULL", "None", '"', "\\", "{}", "a,b", " a ", "'", "\\N"])
ids = st.uuids().map(str)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-9999)
documents = st.dictionaries(texts, texts | st.integers(), max_size=3).map(json.dumps)

BACK = "SELECT * FROM unnest(%(a)s::uuid[], %(b)s::text[], %(c)s::numeric[], %(d)s::jsonb[])"


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with connect(database, autocommit=True, schema="public") as session:
        session.execute("CREATE TEMPORARY TABLE kept (id uuid PRIMARY KEY, note text)")
        yield session


def kept(session: Session) -> list[str]:
    return [row[0] for row in session.execute("SELECT note FROM kept ORDER BY note")]


KEEP = "INSERT INTO kept SELECT * FROM unnest(%(ids)s::uuid[], %(notes)s::text[])"
ONE, TWO = (str(UUID(int=number)) for number in (1, 2))


@pytest.fixture(scope="module")
def echo(server: EmbeddedServer) -> Iterator[Pipeline]:
    with connect(server.conninfo(), autocommit=True, schema="public") as session:
        yield Pipeline(session)


@given(
    rows=st.lists(
        st.tuples(st.none() | ids, st.none() | texts, st.none() | numbers, st.none() | documents),
        max_size=8,
    )
)
def test_every_value_comes_back_as_it_was_sent(
    echo: Pipeline, rows: list[tuple[str | None, str | None, Decimal | None, str | None]]
) -> None:
    columns = {name: [row[place] for row in rows] for place, name in enumerate("abcd")}
    with echo.transaction():
        answered = echo.execute(BACK, columns).fetchall()
    assert [
        (None if one is None else str(one), text, number) for one, text, number, _ in answered
    ] == [row[:3] for row in rows]
    assert [row[3] for row in answered] == [
        None if row[3] is None else json.loads(row[3]) for row in rows
    ]


def test_what_is_sent_is_committed_together(session: Session) -> None:
    pipeline = Pipeline(session)
    with pipeline.transaction():
        pipeline.execute(KEEP, {"ids": [ONE], "notes": ["one"]})
        pipeline.execute(KEEP, {"ids": [TWO], "notes": ["two"]})
    assert kept(session) == ["one", "two"]


def test_a_refused_statement_raises_its_error_and_leaves_nothing(session: Session) -> None:
    pipeline = Pipeline(session)
    twice = pytest.raises(psycopg.errors.UniqueViolation, match="kept_pkey")
    with twice, pipeline.transaction():
        pipeline.execute(KEEP, {"ids": [ONE, ONE], "notes": ["one", "again"]})
        pipeline.execute("SELECT * FROM unnest(%(ids)s::uuid[])", {"ids": [TWO]})
    assert kept(session) == []


def test_a_refusal_is_raised_where_the_rows_are_asked_for(session: Session) -> None:
    pipeline = Pipeline(session)
    with pytest.raises(psycopg.errors.UndefinedTable), pipeline.transaction():  # noqa: PT012
        pipeline.execute("SELECT FROM nowhere WHERE id = ANY(%(ids)s::uuid[])", {"ids": [ONE]})
        pipeline.execute(BACK, {"a": [], "b": [], "c": [], "d": []}).fetchall()
        pytest.fail("the refusal came too late")


def test_a_pipeline_goes_on_after_a_refusal(session: Session) -> None:
    """What was to be prepared behind the refused statement is prepared again."""
    pipeline = Pipeline(session)
    with pytest.raises(psycopg.errors.DivisionByZero), pipeline.transaction():  # noqa: PT012
        pipeline.execute("SELECT 1 / n FROM unnest(%(n)s::integer[]) AS n", {"n": [0]})
        pipeline.execute(KEEP, {"ids": [ONE], "notes": ["lost"]})
    for note, one in (("one", ONE), ("two", TWO)):
        with pipeline.transaction():
            pipeline.execute(KEEP, {"ids": [one], "notes": [note]})
    assert kept(session) == ["one", "two"]


def test_an_exception_of_the_caller_rolls_back(session: Session) -> None:
    pipeline = Pipeline(session)
    with pytest.raises(KeyError, match="mine"), pipeline.transaction():  # noqa: PT012
        pipeline.execute(KEEP, {"ids": [ONE], "notes": ["one"]})
        raise KeyError("mine")
    assert kept(session) == []


def test_megabytes_pass_in_both_directions_at_once(session: Session) -> None:
    """Neither side waits for the other to read first."""
    pipeline = Pipeline(session)
    long = ["x" * 1000] * 4000
    with pipeline.transaction():
        asked = [
            pipeline.execute("SELECT * FROM unnest(%(b)s::text[])", {"b": long}) for _ in range(4)
        ]
        answered = [rows.fetchall() for rows in asked]
    assert [len(rows) for rows in answered] == [4000] * 4
    assert answered[3][3999] == (long[0],)


def test_a_lost_session_is_told_and_closed(session: Session) -> None:
    pipeline = Pipeline(session)
    end = "SELECT pg_terminate_backend(n) FROM unnest(%(n)s::integer[]) AS n"
    with pytest.raises(psycopg.OperationalError), pipeline.transaction():
        pipeline.execute(end, {"n": [session.info.backend_pid]})
    assert session.closed


def test_refusals_do_not_pile_up_prepared_statements(session: Session) -> None:
    pipeline = Pipeline(session)
    for _ in range(20):
        with (
            pytest.raises(psycopg.errors.UniqueViolation),
            pipeline.transaction(),
        ):
            pipeline.execute(KEEP, {"ids": [ONE, ONE], "notes": ["one", "again"]})
    row = session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert row == (1,)


def test_statements_that_the_server_has_forgotten_are_prepared_again(session: Session) -> None:
    pipeline = Pipeline(session)
    with pipeline.transaction():
        pipeline.execute(KEEP, {"ids": [ONE], "notes": ["one"]})
    session.execute("DEALLOCATE ALL")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName), pipeline.transaction():
        pipeline.execute(KEEP, {"ids": [TWO], "notes": ["two"]})
    with pipeline.transaction():
        pipeline.execute(KEEP, {"ids": [TWO], "notes": ["two"]})
    assert kept(session) == ["one", "two"]


def test_a_refusal_that_the_caller_passed_over_is_not_taken_for_a_commit(session: Session) -> None:
    pipeline = Pipeline(session)

    def pass_over() -> None:
        with pipeline.transaction(), suppress(psycopg.Error):
            pipeline.execute(KEEP, {"ids": [ONE, ONE], "notes": ["one", "again"]}).fetchall()

    with pytest.raises(AssertionError, match="passed over"):
        pass_over()
    assert kept(session) == []


def test_an_id_of_another_length_does_not_shift_the_others(session: Session) -> None:
    pipeline = Pipeline(session)
    with pytest.raises(ValueError, match="canonical"), pipeline.transaction():
        pipeline.execute(KEEP, {"ids": ["face", ONE], "notes": ["short", "one"]})
    assert kept(session) == []
