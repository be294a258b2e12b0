"""The edits of one text, in characters, and the refusal of what cannot be converted."""

from dataclasses import dataclass, field

from tradewright.review.rewrite import names


class Refused(Exception):  # noqa: N818 - never seen outside this room
    """Something has no sure meaning in PostgreSQL; `at` is the character where it stands."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


def quoted(name: str) -> str:
    """Return a name as PostgreSQL must read it; MySQL's columns ignore case, so it is lowered."""
    return names.quoted(name.lower())


def literal(value: str) -> str:
    """Return a text as a string constant of PostgreSQL."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(slots=True)
class Draft:
    """A text and what is to be changed in it; the parts of an edit never overlap another's."""

    text: str
    changes: list[tuple[int, int, int, str]] = field(default_factory=list)

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in the place of the characters from start to end."""
        if self.text[start:end] != new:
            self.changes.append((start, end, len(self.changes), new))

    def insert(self, at: int, new: str) -> None:
        """Put `new` before a character."""
        self.replace(at, at, new)

    def remove(self, start: int, end: int) -> None:
        """Take characters away."""
        self.replace(start, end, "")

    def mark(self) -> int:
        """Return a point to which `undo` can go back."""
        return len(self.changes)

    def undo(self, mark: int) -> None:
        """Forget every change made since a mark."""
        del self.changes[mark:]

    def between(self, start: int, end: int) -> str:
        """Return a part of the text with its changes made."""
        parts, at = [], start
        inside = (c for c in self.changes if start <= c[0] and c[1] <= end)
        for first, last, _, new in sorted(inside):
            if first >= at:
                parts += [self.text[at:first], new]
                at = last
        return "".join([*parts, self.text[at:end]])
