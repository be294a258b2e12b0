"""Statements of others, as files: every line is read or the whole file is refused.

Half a statement would look like a difference between their books and ours.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from tradewright.core.errors import ErrorCode, InputError

FILE_BYTES_MAX = 50 << 20


def require_size(content: bytes) -> None:
    """Refuse a file that is too large to be a statement.

    Raises:
        InputError: STATEMENT_UNREADABLE.

    """
    if len(content) > FILE_BYTES_MAX:
        raise unreadable("it is too large", f"At most {FILE_BYTES_MAX >> 20} MiB are read.")


def read_csv(content: bytes, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line with its fields; the first line must name these columns.

    Raises:
        InputError: STATEMENT_UNREADABLE, naming the line.

    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable("it is no CSV", str(error)) from None
    if not rows or tuple(rows[0]) != tuple(columns):
        raise unreadable("its first line is another", f"It should be {','.join(columns)}.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            raise unreadable(f"line {number} has {len(row)} fields", f"{len(columns)} are needed.")
        yield number, dict(zip(columns, row, strict=True))


def unreadable(what: str, why: str) -> InputError:
    """Return the refusal of a statement."""
    return InputError(
        ErrorCode.STATEMENT_UNREADABLE,
        f"the statement cannot be read: {what}",
        why=why,
        hint="Give the file as the provider wrote it, in a form that is documented.",
    )
