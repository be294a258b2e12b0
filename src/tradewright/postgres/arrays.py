"""Hand many rows to one statement: each column as one array, in PostgreSQL's own text form.

A set-based statement takes its rows by `unnest(%(a)s::uuid[], %(b)s::numeric[], ...)`. Unlike
COPY, such statements can be queued one behind the other without waiting for the server in between
(pipeline mode), which is worth more to a batch of hundreds than COPY's cheaper rows. Writing the
arrays here, where the values are plain, costs a fraction of what the driver's general way does.
"""

from collections.abc import Iterable, Mapping, Sequence

_QUOTE = str.maketrans({"\\": "\\\\", '"': '\\"'})


def array(values: Iterable[object | None]) -> str:
    """Return an array of values that need no quotes: numbers, ids, codes, times, booleans."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def text_array(values: Iterable[str | None]) -> str:
    """Return an array of free text."""
    quoted = ["NULL" if value is None else f'"{value.translate(_QUOTE)}"' for value in values]
    return "{" + ",".join(quoted) + "}"


def columns(
    names: Sequence[str], rows: Sequence[Sequence[object | None]], *, texts: Sequence[str] = ()
) -> Mapping[str, str]:
    """Return `rows` turned into one array for each name; the columns in `texts` are free text."""
    arrays = dict(zip(names, zip(*rows, strict=True), strict=True))
    return {
        name: text_array(values) if name in texts else array(values)
        for name, values in arrays.items()
    }
