"""The reader of quote files: both layouts, gzip, and an error for whatever is broken."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity import Quote, read_quotes

DATA = Path(__file__).parents[2] / "data" / "quotes"
HEADER = "timestamp,symbol,bid,ask\n"
LINE = "2024-05-06T08:00:00Z,EURUSD,1.07650,1.07656\n"


def failure_of(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        list(read_quotes(path))
    return caught.value


def failure_of_text(folder: Path, text: str) -> InputError:
    path = folder / "quotes.csv"
    path.write_bytes(text.encode())
    return failure_of(path)


def test_a_headed_line_becomes_a_quote_with_its_digits_kept() -> None:
    first = next(read_quotes(DATA / "headed.csv"))
    assert first == Quote(
        "EURUSD", Decimal("1.07650"), Decimal("1.07656"), datetime(2024, 5, 6, 8, tzinfo=UTC)
    )
    assert str(first.bid) == "1.07650"


def test_both_layouts_of_the_same_quotes_read_the_same() -> None:
    headed = list(read_quotes(DATA / "headed.csv"))
    assert len(headed) == 8
    assert list(read_quotes(DATA / "truefx.csv")) == headed


def test_every_time_is_read_as_utc() -> None:
    for name in ("headed.csv", "truefx.csv"):
        assert {quote.quoted_at.tzinfo for quote in read_quotes(DATA / name)} == {UTC}


@pytest.mark.parametrize("name", ["headed.csv", "truefx.csv"])
def test_a_gzipped_file_is_known_by_its_content_not_its_name(name: str, tmp_path: Path) -> None:
    packed = tmp_path / "quotes.csv"
    packed.write_bytes(gzip.compress((DATA / name).read_bytes()))
    assert list(read_quotes(packed)) == list(read_quotes(DATA / name))


def test_carriage_returns_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    text = (DATA / "headed.csv").read_text()
    path = tmp_path / "windows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (text.replace("\n", "\r\n") + "\r\n \r\n").encode())
    assert list(read_quotes(path)) == list(read_quotes(DATA / "headed.csv"))


def test_a_last_line_without_an_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text(HEADER + LINE.rstrip())
    assert [str(quote.ask) for quote in read_quotes(path)] == ["1.07656"]


def test_a_broken_line_is_named_with_its_file_number_text_and_problem(tmp_path: Path) -> None:
    error = failure_of_text(tmp_path, HEADER + LINE + "2024-05-06T08:00:01Z,EURUSD,1.0x,1.1\n")
    path = tmp_path / "quotes.csv"
    assert error.code is ErrorCode.QUOTE_LINE_MALFORMED
    assert error.what == (
        f'quote file "{path}" line 3 cannot be read: "1.0x" is not a price in digits with a point'
    )
    assert "'2024-05-06T08:00:01Z,EURUSD,1.0x,1.1'" in error.why
    assert error.facts["line"] == 3


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2024-05-06T08:00:00Z,EURUSD,1.1", "it has 3 fields between commas, not 4"),
        ("2024-05-06T08:00:00Z,EURUSD,1.1,1.2,", "it has 5 fields between commas, not 4"),
        ("2024-05-06T08:00:00,EURUSD,1.1,1.2", 'the time "2024-05-06T08:00:00" has no zone'),
        ("2024-13-06T08:00:00Z,EURUSD,1.1,1.2", '"2024-13-06T08:00:00Z" is not a time'),
        ("0001-01-01T00:00:00+09:00,EURUSD,1,2", '"0001-01-01T00:00:00+09:00" is not a time'),
        ("2024-05-06T08:00:00Z,eur usd,1.1,1.2", '"eur usd" is not a symbol'),
        ("2024-05-06T08:00:00Z,EURUSD,NaN,1.2", '"NaN" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,Infinity,1.2", '"Infinity" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,-1.1,1.2", '"-1.1" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,1_1,1.2", '"1_1" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,1e1,1.2", '"1e1" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,1.123456789,1.2", '"1.123456789" is not a price'),
        ("2024-05-06T08:00:00Z,EURUSD,١.١,1.2", '"١.١" is not a price'),  # noqa: RUF001
        ("2024-05-06T08:00:00Z,EURUSD,0.000,1.2", 'the price "0.000" is not above zero'),
        (HEADER.strip(), '"timestamp" is not a time'),
        ("x" * 5000, "it is longer than 200 characters"),
    ],
)
def test_each_kind_of_broken_line_says_what_is_wrong(
    line: str, problem: str, tmp_path: Path
) -> None:
    error = failure_of_text(tmp_path, HEADER + LINE + line + "\n" + LINE)
    assert error.code is ErrorCode.QUOTE_LINE_MALFORMED
    assert error.facts["line"] == 3
    assert problem in error.what
    assert len(error.what) < 250 + len(str(tmp_path))


def test_a_file_that_begins_with_neither_layout_is_told_of_both(tmp_path: Path) -> None:
    error = failure_of_text(tmp_path, "date;open;high;low,1,2,3\n")
    assert error.facts["line"] == 1
    assert "timestamp,symbol,bid,ask" in error.render()
    assert "USD/JPY,20130101 22:00:00.295,86.655,86.728" in error.render()


def test_the_quotes_before_a_broken_line_are_given_before_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    path.write_text(HEADER + LINE + "broken\n")
    quotes = read_quotes(path)
    assert next(quotes).symbol == "EURUSD"
    with pytest.raises(InputError, match="line 3"):
        next(quotes)


@pytest.mark.parametrize("text", ["", HEADER, "\n\n", HEADER + "\n \n"])
def test_a_file_without_quotes_is_refused_as_empty(text: str, tmp_path: Path) -> None:
    error = failure_of_text(tmp_path, text)
    assert error.code is ErrorCode.QUOTE_FILE_EMPTY
    assert error.what == f'quote file "{tmp_path / "quotes.csv"}" has no quotes'


def test_a_missing_file_and_a_folder_are_refused_as_unreadable(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        error = failure_of(path)
        assert error.code is ErrorCode.QUOTE_FILE_UNREADABLE
        assert why in error.why


@pytest.mark.parametrize(
    "content", [b"\x7fELF\x02\x01\x01\x00\x00", b"\xff\xd8\xff\xe0\n", b"PK\x03\x04\x00"]
)
def test_a_binary_file_is_refused_as_unreadable(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    path.write_bytes(content * 100)
    error = failure_of(path)
    assert error.code is ErrorCode.QUOTE_FILE_UNREADABLE
    assert error.why == "Its first line is not text in UTF-8."


def test_a_damaged_gzip_is_refused_as_unreadable(tmp_path: Path) -> None:
    packed = gzip.compress((DATA / "headed.csv").read_bytes())
    flipped = packed[:30] + bytes([packed[30] ^ 0xFF]) + packed[31:]
    for content in (packed[: len(packed) // 2], packed[:3], flipped, packed[:-8] + bytes(8)):
        path = tmp_path / "quotes.csv.gz"
        path.write_bytes(content)
        assert failure_of(path).code is ErrorCode.QUOTE_FILE_UNREADABLE


def test_nothing_is_opened_until_the_first_quote_is_asked_for(tmp_path: Path) -> None:
    quotes = read_quotes(tmp_path / "later.csv")
    (tmp_path / "later.csv").write_text(HEADER + LINE)
    assert len(list(quotes)) == 1
