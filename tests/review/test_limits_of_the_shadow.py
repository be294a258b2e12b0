"""What the shadow's server was built without is not held against a migration."""

from pathlib import Path

import pytest

from tradewright.review.prove.model import ServerWord
from tradewright.review.prove.verdict import Memory
from tradewright.review.source.layouts import read_folder
from tradewright.review.source.statements import read_statements
from tradewright.review.source.text import Statement


def said(code: str, message: str, detail: str = "") -> ServerWord:
    return ServerWord(sqlstate=code, message=message, detail=detail)


BUILT = "This functionality requires the server to be built with {} support."


@pytest.fixture
def statement(tmp_path: Path) -> Statement:
    (tmp_path / "001_a.sql").write_text("ALTER TABLE a ALTER b SET COMPRESSION lz4;\n")
    return read_statements(read_folder(tmp_path)[0]).statements[0]


@pytest.mark.parametrize(
    "word",
    [
        said("0A000", "compression method lz4 not supported", BUILT.format("lz4")),
        said("0A000", "unsupported XML feature", BUILT.format("libxml")),
        said("0A000", "ICU is not supported in this build"),
        said("42704", 'collation "de-x-icu" for encoding "UTF8" does not exist'),
        said("42704", 'tablespace "fast" does not exist'),
        said("42704", 'language "plpython3u" does not exist'),
    ],
    ids=str,
)
def test_what_another_server_may_have_is_not_held_against_a_migration(
    word: ServerWord, statement: Statement
) -> None:
    assert Memory().reason(statement, word) == (
        f"the shadow's server was not set up for it ({word.message})"
    )


@pytest.mark.parametrize(
    "word",
    [
        said("0A000", "cannot use subquery in check constraint"),
        said("42704", 'type "moneyy" does not exist'),
        said("42704", 'index "idx_a" does not exist'),
    ],
    ids=str,
)
def test_what_every_server_refuses_is(word: ServerWord, statement: Statement) -> None:
    assert Memory().reason(statement, word) == ""


LACKING = "it may need postgis, which the shadow lacks"


@pytest.fixture
def without_postgis(statement: Statement) -> Memory:
    memory = Memory(made=frozenset({"orders", "area_of"}))
    memory.reason(statement, said("0A000", 'extension "postgis" is not available'))
    return memory


@pytest.mark.parametrize(
    "word",
    [
        said("42704", 'type "geometry" does not exist'),
        said("42704", "type geometry does not exist"),
        said("42883", "function public.st_area(integer) does not exist"),
        said("42883", "operator does not exist: text && text"),
        said("42P01", 'relation "tiger.county" does not exist'),
    ],
    ids=str,
)
def test_what_an_absent_extension_may_bring_is_not_held_against_a_migration(
    word: ServerWord, statement: Statement, without_postgis: Memory
) -> None:
    assert without_postgis.reason(statement, word).startswith(LACKING)


@pytest.mark.parametrize(
    "word",
    [
        said("42703", 'column "sise" of relation "orders" does not exist'),
        said("42P01", 'relation "ordres" does not exist'),
        said("42883", "function area_of(uuid) does not exist"),
        said("42704", 'index "idx_orders" does not exist'),
        said("42704", 'type "vector" does not exist'),
        said("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT"),
    ],
    ids=str,
)
def test_what_no_extension_brings_is_refused_beside_an_absent_one_too(
    word: ServerWord, statement: Statement, without_postgis: Memory
) -> None:
    assert without_postgis.reason(statement, word) == ""


def test_a_name_behind_its_schema_is_the_same_name(statement: Statement) -> None:
    memory = Memory(untried={"places"})
    word = said("42P01", 'relation "public.places" does not exist')
    assert memory.reason(statement, word).startswith("places was to be made by a statement")


def test_what_files_in_the_middle_of_a_history_do_not_make_is_not_held_against_them(
    statement: Statement,
) -> None:
    memory, word = Memory(begins=False), said("42P01", 'relation "users" does not exist')
    assert memory.reason(statement, word).startswith("no file makes this")
    memory.met.add("users")
    assert memory.reason(statement, word) == ""
