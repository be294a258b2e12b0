"""Reading recorded quotes, line by line, from a plain or gzipped file in one of two layouts.

Owns the two layouts and the errors of a broken file; whether a quote may be traded on is
quote_filter.py's question. The first line tells the layout: the header
`timestamp,symbol,bid,ask` (times in ISO 8601 with their zone), or TrueFX's
`USD/JPY,20130101 22:00:00.295,86.655,86.728` (no header, times in UTC). Gzip is told by the
file's first bytes, not by its name. This is the hot loop of a replay, so a line is read by one
function of plain calls, and symbols and prices, which repeat, are remembered as values.
"""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, cast

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.model import Quote

HEADER = "timestamp,symbol,bid,ask"
LINE_LENGTH_MAX = 200
LINE_SHOWN_MAX = 80
PRICES_REMEMBERED = 65_536

_GZIP_MAGIC = b"\x1f\x8b"
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._]{1,15}")
_PRICE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,8})?)\r?\n?")


def read_quotes(path: str | Path) -> Iterator[Quote]:
    """Yield the quotes of a file in its order, holding one line at a time.

    Nothing is opened before the first quote is asked for. Blank lines are skipped. Crossed,
    locked and repeated quotes are read like any other; a price that is not above zero is not a
    price of a currency pair or a metal, and its line is malformed.

    Raises:
        InputError: QUOTE_FILE_UNREADABLE (missing, no right to read it, damaged gzip, not text),
            QUOTE_FILE_EMPTY (no quotes in it), QUOTE_LINE_MALFORMED (names the line).
    """
    source = Path(path)
    is_empty = True
    with _opened(source) as stream:
        for number, line, quote_of in _lines(source, stream):
            try:
                quote = quote_of(line)
            except ValueError as error:
                if line.isspace():
                    continue
                raise _malformed(source, number, line, str(error)) from None
            is_empty = False
            yield quote
    if is_empty:
        raise InputError(
            ErrorCode.QUOTE_FILE_EMPTY,
            f'quote file "{source}" has no quotes',
            why="The file was read to its end and no line of it holds a quote.",
            hint="Give a file with at least one quote after its header.",
            facts={"file": source},
        )


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open the file as text, and turn what the system or gzip says into an error of ours."""
    try:
        with path.open("rb") as raw:
            is_packed = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
            plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_packed else raw
            with io.TextIOWrapper(plain, "utf-8-sig", errors="replace", newline="\n") as stream:
                yield stream
    except (OSError, EOFError, zlib.error) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise _unreadable(path, f"Reading it failed with: {problem}.") from error


def _lines(
    path: Path, stream: io.TextIOWrapper
) -> Iterator[tuple[int, str, Callable[[str], Quote]]]:
    """Yield each line after the header with its number and the reader of the file's layout."""
    next_line = partial(stream.readline, LINE_LENGTH_MAX + 1)
    first = next_line()
    if "\0" in first or "\ufffd" in first:
        raise _unreadable(path, "Its first line is not text in UTF-8.")
    is_headed = first.strip() == HEADER
    if first and not is_headed:
        yield 1, first, _truefx_quote
    quote_of = _headed_quote if is_headed else _truefx_quote
    for number, line in enumerate(iter(next_line, ""), start=2):
        yield number, line, quote_of


def _headed_quote(line: str) -> Quote:
    time_text, symbol, bid, ask = _fields(line)
    quoted_at = _instant(time_text)
    return Quote(_symbol(symbol), _price(bid), _price(ask), quoted_at)


def _truefx_quote(line: str) -> Quote:
    pair, time_text, bid, ask = _fields(line)
    return Quote(_truefx_symbol(pair), _price(bid), _price(ask), _instant(time_text + "Z"))


def _fields(line: str) -> list[str]:
    if len(line) > LINE_LENGTH_MAX:
        raise ValueError(f"it is longer than {LINE_LENGTH_MAX} characters")
    fields = line.split(",")
    if len(fields) != 4:
        raise ValueError(f"it has {len(fields)} fields between commas, not 4")
    return fields


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is UTC:
            return instant
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is not a time') from None
    raise ValueError(f'the time "{text}" has no zone')


@lru_cache(maxsize=1024)
def _symbol(text: str) -> str:
    if not _SYMBOL.fullmatch(text):
        raise ValueError(f'"{text}" is not a symbol of 2 to 16 capitals and digits')
    return text


@lru_cache(maxsize=1024)
def _truefx_symbol(text: str) -> str:
    base, slash, quoted = text.partition("/")
    if not slash:
        raise ValueError(f'"{text}" is neither a pair such as "USD/JPY" nor the header "{HEADER}"')
    return _symbol(base + quoted)


@lru_cache(maxsize=PRICES_REMEMBERED)
def _price(text: str) -> Decimal:
    digits = _PRICE.fullmatch(text)
    if digits is None:
        raise ValueError(f'"{text.strip()}" is not a price in digits with a point')
    price = Decimal(digits[1])
    if not price:
        raise ValueError(f'the price "{digits[1]}" is not above zero')
    return price


def _malformed(path: Path, number: int, line: str, problem: str) -> InputError:
    shown = _shortened(line.rstrip("\r\n"))
    return InputError(
        ErrorCode.QUOTE_LINE_MALFORMED,
        f'quote file "{path}" line {number} cannot be read: {_shortened(problem)}',
        why=f"The line is: {shown!r}. The first line tells the layout: the header {HEADER}, or "
        "a line such as USD/JPY,20130101 22:00:00.295,86.655,86.728.",
        hint="Correct or remove the line; no quote after it was read.",
        facts={"file": path, "line": number, "text": shown},
    )


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        ErrorCode.QUOTE_FILE_UNREADABLE,
        f'quote file "{path}" could not be read',
        why=why,
        hint="Give a text file of quotes, plain or gzipped, that this user may read.",
        facts={"file": path},
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LINE_SHOWN_MAX else text[:LINE_SHOWN_MAX] + "..."
