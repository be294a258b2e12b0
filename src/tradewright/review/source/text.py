"""A migration's text: one direction of one file, with the places of everything in it.

A file that holds both directions (dbmate, goose, ...) becomes two sources in which the other
direction is blanked out, so that every offset still points into the file itself.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import accumulate

from tradewright.migrate.naming import Direction
from tradewright.review.model import Location
from tradewright.review.source.parser import Node, decode

__all__ = ["DIGESTED", "BrokenStatement", "Direction", "Source", "Statement", "Wrapping"]


class Wrapping(StrEnum):
    """How the runner sends a file: in a transaction of its own, as one message, or bare."""

    WRAPPED = "wrapped"
    IMPLICIT = "implicit"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A value in the place of a placeholder; the offset is the byte where the value begins."""

    offset: int
    placeholder: str
    value: str

    def beyond(self, offset: int) -> int:
        """Return by how many characters a later byte of the line stands further right for it."""
        inside = self.value.encode("utf-8", "replace")[: offset - self.offset]
        if len(inside) < len(self.value.encode("utf-8", "replace")):
            return len(inside.decode("utf-8", "replace"))
        return len(self.value) - len(self.placeholder)


SAMPLE_BYTES = 8_000
"""Bytes at the beginning that tell a text from other files, as git looks at them."""


@dataclass(frozen=True)
class Source:
    """The text of one migration in one direction, or of the schema that stands before them all.

    `undecodable` is the first byte that is not UTF-8, if there is one. Where `values` stand in the
    place of placeholders, or names stand in for `placeholders` (byte, text) that have no value,
    `written` is the text without them.
    """

    path: str
    text: str
    version: tuple[int | str, ...]
    label: str
    direction: Direction = Direction.UP
    wrapping: Wrapping = Wrapping.WRAPPED
    layout: str = "numbered"
    repeatable: bool = False
    has_down: bool = False
    standing: bool = False
    undecodable: int = -1
    written: str | None = field(default=None, repr=False)
    placeholders: tuple[tuple[int, str], ...] = ()
    values: tuple["FilledIn", ...] = ()
    sample: bytes = field(default=b"", repr=False)

    @cached_property
    def data(self) -> bytes:
        """Return the text as the bytes that the parser counts in."""
        return self.text.encode("utf-8", "replace")

    @cached_property
    def lowered(self) -> str:
        """Return the text in lower case."""
        return self.text.lower()

    @cached_property
    def line_starts(self) -> list[int]:
        """Return the byte at which each line begins."""
        lengths = (len(line) + 1 for line in self.data.split(b"\n"))
        return [0, *accumulate(lengths)][:-1]

    @property
    def line_count(self) -> int:
        """Return the number of lines as editors count them."""
        return self.data.count(b"\n") + (0 if self.data.endswith(b"\n") else 1)

    def byte_of(self, character: int) -> int:
        """Return the byte offset of a character offset in the text."""
        if len(self.data) == len(self.text):
            return character
        line = bisect_right(self._line_characters, character) - 1
        before = self.text[self._line_characters[line] : character]
        return self.line_starts[line] + len(before.encode("utf-8", "replace"))

    @cached_property
    def _line_characters(self) -> list[int]:
        """Return the character at which each line begins, as `line_starts` has the bytes."""
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        return [0, *accumulate(lengths)][:-1]

    def locate(self, offset: int, end: int = 0) -> Location:
        """Return the place of a byte offset."""
        offset = min(max(offset, 0), len(self.data))
        line = bisect_right(self.line_starts, offset)
        start = self.line_starts[line - 1]
        column = len(self.data[start:offset].decode("utf-8", "replace")) + 1
        column -= sum(each.beyond(offset) for each in self.values if start <= each.offset < offset)
        end_line = bisect_right(self.line_starts, max(min(end, len(self.data)) - 1, offset))
        return Location(self.path, line, column, end_line)

    def line_text(self, line: int) -> str:
        """Return one line of the file without its end; empty when there is no such line."""
        if not 0 < line <= len(self.line_starts):
            return ""
        if self.written is not None:
            return self.written.split("\n")[line - 1].rstrip("\r")
        start = self.line_starts[line - 1]
        end = self.data.find(b"\n", start)
        return self.data[start : end if end >= 0 else None].decode("utf-8", "replace").rstrip("\r")

    def holds_placeholder(self, start: int, end: int) -> bool:
        """Return whether a name stands in for a placeholder between two bytes."""
        return any(start <= offset < end for offset, _ in self.placeholders)


DIGESTED = (
    "A_Const",
    "A_Expr",
    "ColumnDef",
    "ColumnRef",
    "Constraint",
    "FuncCall",
    "IndexElem",
    "RangeVar",
)
"""The kinds of nodes that rules look for anywhere in a statement."""

_BARREN = frozenset(
    {
        "typeName",
        "relation",
        "pktable",
        "names",
        "funcname",
        "fields",
        "name",
        "keys",
        "fk_attrs",
        "pk_attrs",
        "String",
        "A_Const",
        "ColumnRef",
        "RangeVar",
        "objects",
    }
)
"""Keys below which no digested node stands."""


_PLAIN_CALL = re.compile(r'"FuncCall":\{"funcname":\[\{"String":\{"sval":"(\w+)"\}\}\]')


@dataclass(slots=True, eq=False, repr=False)
class Statement:
    """One statement of a source; offsets are bytes from the file's beginning.

    `tree` is the node as the parser wrote it; it is decoded when somebody asks for `node`. `shift`
    is added to locations inside the tree, which count from where its parse began.
    """

    source: Source
    kind: str
    tree: str
    start: int
    end: int
    shift: int = 0
    repaired: bool = False
    decoded: Node | None = None
    digest: dict[str, list[Node]] | None = None

    @property
    def node(self) -> Node:
        """Return the inside of the statement's node."""
        if self.decoded is None:
            self.decoded = decode(self.tree) if self.tree else {}
        return self.decoded

    def has(self, key: str) -> bool:
        """Return whether a key (a kind of node, say) occurs anywhere in the tree."""
        return f'"{key}":' in self.tree

    def says(self, word: str) -> bool:
        """Return whether a name or a string of the tree is this very word."""
        return f'"{word}"' in self.tree

    @property
    def text(self) -> str:
        """Return the statement as written."""
        return self.source.data[self.start : self.end].decode("utf-8", "replace")

    def plain_calls(self) -> list[str]:
        """Return the functions called, if each by one plain name; else nothing."""
        names = _PLAIN_CALL.findall(self.tree)
        return names if len(names) == self.tree.count('"FuncCall":') else []

    def nodes(self, kind: str) -> list[Node]:
        """Return every node of a digested kind; one walk serves all the rules that ask."""
        if self.digest is None:
            if not self.has(kind):
                return []
            self.digest = _digest(self.node)
        return self.digest[kind]

    def place(self, node: Node | None) -> int:
        """Return the byte offset of a node, or of the statement when the node has none."""
        if node is None:
            return self.start
        location: int = node.get("location", -1)
        if location < 0:
            return self.start
        return location + self.shift


def _digest(node: Node) -> dict[str, list[Node]]:
    """Return the nodes below a tree by their kind, in the order of the text."""
    found: dict[str, list[Node]] = {kind: [] for kind in DIGESTED}
    pending: list[Node | list[Node]] = [node]
    while pending:
        current = pending.pop()
        if type(current) is list:
            pending.extend(reversed(current))
            continue
        for key, value in current.items():  # type: ignore[union-attr]
            if type(value) is dict:
                if key in found:
                    found[key].append(value)
                if key not in _BARREN:
                    pending.append(value)
            elif type(value) is list and key not in _BARREN:
                pending.append(value)
    return found


@dataclass(frozen=True, slots=True)
class BrokenStatement:
    """A statement that PostgreSQL's parser refused."""

    source: Source
    start: int
    end: int
    message: str
    offset: int

    @property
    def text(self) -> str:
        """Return the statement as written."""
        return self.source.data[self.start : self.end].decode("utf-8", "replace")
