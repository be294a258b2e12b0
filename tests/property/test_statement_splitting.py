"""Laws of splitting a file: each statement comes out whole, whatever stands between them."""

from hypothesis import given
from hypothesis import strategies as st

from tradewright.migrate.model import statements_checksum, text_checksum
from tradewright.migrate.statements import parse_statements

STATEMENTS = st.sampled_from(
    [
        "SELECT 1",
        "SELECT ';', $$;$$, $tag$ -- ; $tag$, U&'\\0041', E'\\';'",
        "CREATE TABLE \"t;\n--\" (a int /* ; */, b text DEFAULT 'ü;')",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n    RETURN 1;\nEND;\n$$",
        "CREATE FUNCTION g() RETURNS int\nBEGIN ATOMIC\n    SELECT 1;\n    SELECT 2;\nEND",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "DO $do$ BEGIN PERFORM 1; END $do$",
        "CREATE RULE r AS ON DELETE TO t DO ALSO (SELECT 1; SELECT 2)",
    ],
)
GAPS = st.lists(
    st.sampled_from(
        [" ", "\n", "\t\n", "-- a; 'b\n", "/* ; ' $$ */", "/* a /* b; */ c\n */", "\r\n"]
    ),
    max_size=4,
).map("".join)


@given(st.lists(st.tuples(GAPS, STATEMENTS), min_size=1, max_size=6), GAPS, st.integers(1, 900))
def test_every_statement_comes_out_whole_and_on_its_line(
    parts: list[tuple[str, str]],
    end: str,
    first_line: int,
) -> None:
    text, lines = "", []
    for gap, statement in parts:
        text += gap
        lines.append(first_line + text.count("\n"))
        text += f"{statement};"
    found = parse_statements(text + end, "x.sql", first_line=first_line)
    assert [each.text for each in found] == [statement for _, statement in parts]
    assert [each.line for each in found] == lines


@given(st.lists(st.tuples(GAPS, STATEMENTS), min_size=1, max_size=4), GAPS)
def test_what_stands_between_statements_does_not_change_the_checksum_of_what_ran(
    parts: list[tuple[str, str]],
    end: str,
) -> None:
    spaced = "".join(f"{gap}{statement};" for gap, statement in parts) + end
    plain = "\n".join(f"{statement};" for _, statement in parts)
    assert statements_checksum(parse_statements(spaced, "x.sql")) == statements_checksum(
        parse_statements(plain, "x.sql"),
    )


@given(st.text(alphabet="a'; \n", max_size=30))
def test_a_checksum_is_the_same_on_every_system_but_not_for_another_text(text: str) -> None:
    assert text_checksum(text) == text_checksum(text.replace("\n", "\r\n"))
    assert text_checksum(text) == text_checksum(f"\ufeff{text}\n")
    assert text_checksum(f"{text}x") != text_checksum(f"{text}y")
