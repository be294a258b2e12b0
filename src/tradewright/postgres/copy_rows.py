r"""Write many rows at once: COPY FROM STDIN in PostgreSQL's text form.

A row is one line of tab-separated values that its maker has already put into COPY's text form:
`\\N` for NULL, `copy_text` for anything that may hold a tab, a backslash or a line's end. Making
the lines where the values are at hand costs a third of handing the values to the driver.
"""

from collections.abc import Iterable

from tradewright.postgres.connect import Session

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(connection: Session, statement: str, lines: Iterable[str]) -> None:
    """Send `lines` through `statement`, a COPY ... FROM STDIN, in the current transaction."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines))


def copy_text(value: str) -> str:
    """Return free text in COPY's text form."""
    return value.translate(_ESCAPES)


def copy_value(value: object | None) -> str:
    """Return a value that needs no escaping (a number, an id, a code) or NULL."""
    return NULL if value is None else str(value)
