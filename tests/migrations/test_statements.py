"""Splitting a file: lines, text, and which statements may run in a transaction."""

import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.statements import Kind, Statement, parse_statements


def _parse(text: str) -> tuple[Statement, ...]:
    return parse_statements(text, "001_a.sql")


def test_statements_begin_at_their_first_word_and_keep_their_bodies() -> None:
    text = (
        "-- first; comment\n"
        "/* a /* nested; */ one */\n"
        "CREATE TABLE überweisung (id int); -- trailing\n"
        "\n"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n"
        "    SELECT 1;\n"
        "$$;\n"
        "SELECT ';'"
    )
    statements = _parse(text)
    assert [each.line for each in statements] == [3, 5, 8]
    assert statements[0].text == "CREATE TABLE überweisung (id int)"
    assert statements[1].text.endswith("SELECT 1;\n$$")
    assert statements[2].text == "SELECT ';'"


def test_the_last_statement_without_semicolon_ends_before_the_blank_end() -> None:
    assert _parse("SELECT 1\n\n")[0].text == "SELECT 1"


def test_a_file_of_comments_has_no_statements() -> None:
    assert _parse("-- nothing to do\n") == ()


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("CREATE INDEX i ON t (a)", Kind.ORDINARY, ()),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a)", Kind.INDEX_BUILD, ('"s"."t"', '"i"')),
        ('CREATE INDEX CONCURRENTLY "I""x" ON t (a)', Kind.INDEX_BUILD, ('"t"', '"I""x"')),
        ("DROP INDEX i", Kind.ORDINARY, ()),
        ("DROP INDEX CONCURRENTLY IF EXISTS i, s.j", Kind.INDEX_DROP, ('"i"', '"s"."j"')),
        ("REINDEX TABLE t", Kind.ORDINARY, ()),
        ("REINDEX TABLE CONCURRENTLY t", Kind.INDEX_REBUILD, ('"t"',)),
        ("REINDEX (CONCURRENTLY) INDEX i", Kind.INDEX_REBUILD, ('"i"',)),
        ("REINDEX SCHEMA s", Kind.OUTSIDE, ()),
        ("VACUUM t", Kind.OUTSIDE, ()),
        ("ANALYZE t", Kind.ORDINARY, ()),
        ("CLUSTER", Kind.OUTSIDE, ()),
        ("CLUSTER t USING i", Kind.ORDINARY, ()),
        ("ALTER SYSTEM SET work_mem = '1MB'", Kind.OUTSIDE, ()),
        ("CREATE DATABASE d", Kind.OUTSIDE, ()),
        ("DROP DATABASE d", Kind.OUTSIDE, ()),
        ("ALTER DATABASE d SET TABLESPACE s", Kind.OUTSIDE, ()),
        ("ALTER DATABASE d SET work_mem = '1MB'", Kind.ORDINARY, ()),
        ("ALTER TABLE t DETACH PARTITION p", Kind.ORDINARY, ()),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", Kind.PARTITION_DETACH, ('"t"', '"p"')),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", Kind.ORDINARY, ()),
        ("SET lock_timeout = '1s'", Kind.SETTING, ()),
        ("SET LOCAL lock_timeout = '1s'", Kind.ORDINARY, ()),
        ("SAVEPOINT a", Kind.ORDINARY, ()),
    ],
)
def test_a_statement_is_classified_as_the_server_would_treat_it(
    text: str,
    kind: Kind,
    subject: tuple[str, ...],
) -> None:
    (statement,) = _parse(text)
    assert (statement.kind, statement.subject) == (kind, subject)


def test_a_file_in_its_own_begin_and_commit_is_unwrapped() -> None:
    statements = _parse("BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;\n")
    assert [each.text for each in statements] == ["SELECT 1", "SELECT 2"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;\nCOMMIT;\nSELECT 2;", 2),
        ("BEGIN;\nSELECT 1;", 1),
        ("BEGIN;\nSELECT 1;\nROLLBACK;", 1),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;", 1),
    ],
)
def test_other_control_of_the_transaction_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(MigrationError) as caught:
        _parse(text)
    assert caught.value.code == ErrorCode.MIGRATION_CONTROLS_TRANSACTION
    assert caught.value.facts["line"] == line


def test_a_syntax_error_is_refused_with_file_and_line() -> None:
    with pytest.raises(MigrationError) as caught:
        _parse("SELECT 'ü';\n\nCREATE TABLE t (\n    id int AUTO_INCREMENT\n);")
    assert caught.value.code == ErrorCode.MIGRATION_SYNTAX_WRONG
    assert caught.value.facts == {"file": "001_a.sql", "line": 4}
    assert "AUTO_INCREMENT" in caught.value.why


def test_an_unnamed_index_cannot_be_built_concurrently() -> None:
    with pytest.raises(MigrationError) as caught:
        _parse("CREATE INDEX CONCURRENTLY ON t (a)")
    assert caught.value.code == ErrorCode.MIGRATION_INDEX_UNNAMED


def test_a_comment_can_ask_for_no_transaction() -> None:
    statements = _parse("-- tradewright: no-transaction\nCALL fill();\nVACUUM;")
    assert [each.kind for each in statements] == [Kind.OUTSIDE, Kind.OUTSIDE]


def test_a_headline_is_one_short_line_without_passwords() -> None:
    (role, table) = _parse(
        "CREATE ROLE clerk\n    PASSWORD 'open''sesame' LOGIN;\n"
        f"CREATE TABLE t ({', '.join(f'column_{n} int' for n in range(20))});",
    )
    assert role.headline == "CREATE ROLE clerk PASSWORD '***' LOGIN"
    assert len(table.headline) == 100
    assert "\n" not in table.headline
