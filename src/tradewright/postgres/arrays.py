"""Write the columns of many rows as arrays, in the form that the server reads at least cost.

A set-based statement takes its rows by `unnest(%(a)s::uuid[], %(b)s::numeric[], ...)`. Unlike
COPY, such statements can be queued one behind the other without waiting for the server in between
(`pipeline`), which is worth more to a batch of hundreds than COPY's cheaper rows. The server reads
an array in its text form character by character, so what is long goes in the binary form: ids are
half of all that a batch sends, and documents are the longest.
"""

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import cast

from psycopg.pq import Format

Column = Sequence[object | None]
Encoder = Callable[[Column], bytes]

_HEADER = Struct("!iiIii")
_LENGTH = Struct("!i")
_UUID_OID, _JSONB_OID = 2950, 3802
_UUID_LENGTH, _ABSENT_LENGTH = "00000010", "ffffffff"
_ABSENT = _LENGTH.pack(-1)
_JSONB_VERSION = b"\x01"


def columns(names: Sequence[str], rows: Sequence[Column]) -> Mapping[str, Column]:
    """Return `rows` turned into one column for each name."""
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def encoder_of(array_type: str) -> tuple[Encoder, Format]:
    """Return what writes a column of this type (`uuid[]`), and the form that it writes."""
    return _ENCODERS.get(array_type, (_plain, Format.TEXT))


def _plain(values: Column) -> bytes:
    """Write numbers, booleans and times, which need no quotes and never hold the word None."""
    return ("{" + ",".join(map(str, values)).replace("None", "NULL") + "}").encode()


def _texts(values: Column) -> bytes:
    texts = cast("Sequence[str | None]", values)
    if None not in texts:
        joined = '","'.join(cast("Sequence[str]", texts))
        if "\\" not in joined and joined.count('"') == 2 * (len(texts) - 1):
            return ('{"' + joined + '"}').encode() if texts else b"{}"
    quoted = ["NULL" if text is None else f'"{_escaped(text)}"' for text in texts]
    return ("{" + ",".join(quoted) + "}").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _uuids(values: Column) -> bytes:
    """Write ids in their canonical text form as the 16 bytes that each stands for."""
    ids = cast("Sequence[str | None]", values)
    if None in ids:
        parts = [_ABSENT_LENGTH if one is None else _UUID_LENGTH + one for one in ids]
    else:
        parts = [_UUID_LENGTH, _UUID_LENGTH.join(cast("Sequence[str]", ids))] if ids else []
    body = bytes.fromhex("".join(parts).replace("-", ""))
    if len(body) != 20 * len(ids) - 16 * ids.count(None):
        raise ValueError("an id is not in its canonical form of 36 characters")
    return _header(_UUID_OID, len(ids)) + body


def _documents(values: Column) -> bytes:
    """Write JSON documents given as text."""
    parts = [_header(_JSONB_OID, len(values))]
    for document in cast("Sequence[str | None]", values):
        if document is None:
            parts.append(_ABSENT)
        else:
            body = _JSONB_VERSION + document.encode()
            parts += (_LENGTH.pack(len(body)), body)
    return b"".join(parts)


def _header(oid: int, count: int) -> bytes:
    """Return the head of an array of one dimension that may hold NULL."""
    return _HEADER.pack(1, 1, oid, count, 1)


_ENCODERS: Mapping[str, tuple[Encoder, Format]] = {
    "text[]": (_texts, Format.TEXT),
    "tid[]": (_texts, Format.TEXT),
    "uuid[]": (_uuids, Format.BINARY),
    "jsonb[]": (_documents, Format.BINARY),
}
