"""Finding migrations: names, pairs, order, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import find_migrations, our_migrations
from tradewright.migrate.model import text_checksum

Write = Callable[..., Path]


def _refusal(folder: Path, **options: bool) -> MigrationError:
    with pytest.raises(MigrationError) as caught:
        find_migrations(folder, **options)
    return caught.value


def test_files_are_ordered_by_number_and_paired_with_their_way_back(write: Write) -> None:
    folder = write(_10_ten="", _9_nine="", _10_ten__down="", _9_nine__down="")
    (folder / "11_eleven.up.sql").write_text("")
    (folder / "README.md").write_text("not a migration")
    found = [(each.version, each.name, each.down is not None) for each in find_migrations(folder)]
    assert found == [(9, "nine", True), (10, "ten", True), (11, "eleven", False)]


def test_one_number_in_two_files_is_refused_and_both_are_named(write: Write) -> None:
    refusal = _refusal(write(_001_a="", _1_b=""))
    assert refusal.code == ErrorCode.MIGRATION_VERSION_DUPLICATED
    assert "001_a.sql" in refusal.why
    assert "1_b.sql" in refusal.why


@pytest.mark.parametrize("up", ["_001_b", "_002_a"])
def test_a_way_back_without_its_way_there_is_refused(write: Write, up: str) -> None:
    refusal = _refusal(write(_001_a__down="", **{up: ""}))
    assert refusal.code == ErrorCode.MIGRATION_DOWN_ORPHANED
    assert "001_a.down.sql" in refusal.what


def test_a_gap_is_refused_only_where_gaps_are_not_allowed(write: Write) -> None:
    folder = write(_001_a="", _003_c="")
    assert len(find_migrations(folder)) == 2
    assert _refusal(folder, gaps_allowed=False).code == ErrorCode.MIGRATION_VERSION_SKIPPED


def test_a_sql_file_that_is_not_named_like_a_migration_is_refused(write: Write) -> None:
    assert _refusal(write(init="")).code == ErrorCode.MIGRATION_NAME_MALFORMED


def test_an_empty_folder_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    empty, missing = _refusal(tmp_path), _refusal(tmp_path / "nowhere")
    assert empty.code == missing.code == ErrorCode.MIGRATION_FOLDER_EMPTY
    assert empty.why != missing.why


def test_a_file_that_is_not_utf_8_is_refused(write: Write) -> None:
    folder = write(_001_a="")
    (folder / "001_a.sql").write_bytes(b"SELECT '\xff'")
    assert _refusal(folder).code == ErrorCode.MIGRATION_FILE_UNREADABLE


def test_line_ends_and_the_blank_end_do_not_change_a_checksum_but_words_do() -> None:
    assert text_checksum("\ufeffSELECT 1;\r\nSELECT 2;\r\n\r\n") == text_checksum(
        "SELECT 1;\nSELECT 2;",
    )
    assert text_checksum("SELECT 'a b';") != text_checksum("SELECT 'a  b';")


def test_our_own_folder_lies_inside_the_package() -> None:
    assert our_migrations().parts[-2:] == ("tradewright", "migrations")
