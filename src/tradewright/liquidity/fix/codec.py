"""FIX 4.4 on the wire: fields to bytes, bytes to fields, and nothing that is not whole.

Owns framing, body length and checksum (FIX 4.4, volume 1, "Message format"). A message that is
garbled is passed over, as the standard asks: its number is then missing, and the session asks for
it again. What the fields mean stands in session.py and application.py.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BEGIN = b"8=FIX.4.4\x019="
MESSAGE_BYTES_MAX = 1 << 20
"""No message is longer; what claims to be is garbled."""

_SOH = b"\x01"
_HEADER = re.compile(rb"8=FIX\.4\.4\x019=(\d{1,7})\x01")
_TAG = re.compile("[1-9][0-9]{0,8}")
_TRAILER_LENGTH = len(b"10=000\x01")

Fields = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its type (35), and its other fields in their order, without 8, 9 and 10."""

    kind: str
    fields: Fields

    def get(self, tag: int) -> str | None:
        """Return the first value of a field, or None."""
        return next((value for name, value in self.fields if name == tag), None)

    def text(self, tag: int) -> str:
        """Return the first value of a field, or an empty text."""
        return self.get(tag) or ""

    def number(self, tag: int) -> int | None:
        """Return a whole number of at most 18 digits, or None."""
        value = self.text(tag)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    def groups(self, first_tag: int) -> list["Message"]:
        """Return the entries of a repeating group, each of which begins with `first_tag`."""
        starts = [place for place, (tag, _) in enumerate(self.fields) if tag == first_tag]
        ends = [*starts[1:], len(self.fields)]
        return [
            Message(self.kind, self.fields[start:end])
            for start, end in zip(starts, ends, strict=False)
        ]


def encode(kind: str, fields: Iterable[tuple[int, str]]) -> bytes:
    """Return a message as bytes, with its length and checksum.

    Raises:
        ValueError: a value is empty, or holds the separator or a byte of zero, as no field may.

    """
    parts = [(35, kind), *fields]
    for tag, value in parts:
        if not value or "\x01" in value or "\x00" in value:
            raise ValueError(f"field {tag} cannot be {value!r}")
    body = b"".join(f"{tag}={value}\x01".encode() for tag, value in parts)
    head = BEGIN + str(len(body)).encode() + _SOH + body
    return head + f"10={sum(head) % 256:03d}\x01".encode()


def decode(data: bytes) -> Message | None:
    """Return one whole message, or None when it is garbled.

    A field that is none (without a value, or a tag that is no number) is left out: a whole message
    that were passed over for it would be asked for again for ever.
    """
    header = _HEADER.match(data)
    if header is None or len(data) != header.end() + int(header[1]) + _TRAILER_LENGTH:
        return None
    body = data[:-_TRAILER_LENGTH]
    if data[-_TRAILER_LENGTH:] != f"10={sum(body) % 256:03d}\x01".encode():
        return None
    parts = [_field(part) for part in _text(body[header.end() : -1]).split("\x01")]
    if parts[0] is None or parts[0][0] != 35:
        return None
    return Message(parts[0][1], tuple(part for part in parts[1:] if part is not None))


class Framer:
    """Cuts a stream of bytes into messages; what is garbled is counted and passed over."""

    def __init__(self) -> None:
        self._buffer = b""
        self.garbled_count = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes as they arrive; yield the messages that are whole."""
        self._buffer += data
        while True:
            start = self._buffer.find(BEGIN)
            if start < 0:
                self._buffer = self._buffer[-len(BEGIN) :]
                return
            self._buffer = self._buffer[start:]
            length = self._length()
            if length is None or (len(self._buffer) < length and not self._is_cut_short()):
                return
            message = decode(self._buffer[:length])
            if message is None:
                self.garbled_count += 1
                self._buffer = self._buffer[len(BEGIN) :]
                continue
            self._buffer = self._buffer[length:]
            yield message

    def _length(self) -> int | None:
        """Return what the message at the front claims; 0 is garbled, None not known yet."""
        header = _HEADER.match(self._buffer)
        if header is None:
            return None if len(self._buffer) < len(BEGIN) + 8 else 0
        length = header.end() + int(header[1]) + _TRAILER_LENGTH
        return length if length <= MESSAGE_BYTES_MAX else 0

    def _is_cut_short(self) -> bool:
        """Return whether another message begins before this one has its length."""
        return _SOH + BEGIN in self._buffer[1:]


def _text(body: bytes) -> str:
    """Return what is written: in UTF-8, else in Latin 1; a zero, which no text holds, is U+FFFD."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return text.replace("\x00", "\ufffd")


def _field(part: str) -> tuple[int, str] | None:
    tag, _, value = part.partition("=")
    return (int(tag), value) if value and _TAG.fullmatch(tag) else None
