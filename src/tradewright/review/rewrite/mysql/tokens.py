"""The words of a MySQL text with their places, as the package sqlglot reads them.

The package is imported when the first text is read: it takes a tenth of a second, and only
rewriting needs it. Offsets are characters of the whole file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tradewright.core.errors import ErrorCode, StateError
from tradewright.review.rewrite.mysql.draft import Refused

_STRINGS = frozenset({"STRING", "NATIONAL_STRING"})
_FOREIGN = frozenset(
    {"HEX_STRING", "BIT_STRING", "INTRODUCER", "PARAMETER", "SESSION_PARAMETER", "PLACEHOLDER"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign; `word` is upper case and empty for strings and quoted names."""

    kind: str
    text: str
    word: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        """Return whether the token can name something."""
        return self.kind in {"word", "quoted"}

    @property
    def name(self) -> str:
        """Return the name as PostgreSQL folds it; names of MySQL's columns ignore case."""
        return self.text.lower()


def tokenize(text: str, start: int, end: int) -> list[Token]:
    """Return the tokens of a part of a text.

    Raises:
        Refused: MySQL's words cannot be told apart.
        StateError: REWRITE_READER_MISSING.

    """
    try:
        from sqlglot.dialects.mysql import MySQL  # noqa: PLC0415 - only when something is rewritten
        from sqlglot.errors import TokenError  # noqa: PLC0415
    except ImportError as error:
        raise _reader_missing() from error
    try:
        read = MySQL().tokenize(text[start:end])
    except TokenError as error:
        raise Refused("its strings or comments do not end", start) from error
    spans = ((str(t.token_type.name), t.text, t.start + start, t.end + start + 1) for t in read)
    return [token for kind, value, *span in spans for token in _tokens(kind, value, text, *span)]


def _reader_missing() -> StateError:
    return StateError(
        ErrorCode.REWRITE_READER_MISSING,
        "files of MySQL cannot be read here",
        why="The package sqlglot reads their words, and it is not installed.",
        hint='Install it with: pip install "tradewright[mysql]"',
    )


def _tokens(kind: str, value: str, text: str, first: int, last: int) -> Iterator[Token]:
    """Yield one token, or each word of what the package reads as one (ORDER BY)."""
    raw = text[first:last]
    if kind not in _STRINGS and raw[:1].isalpha() and not raw.isidentifier():
        for part in re.finditer(r"[^\W\d]\w*", raw):
            yield Token("word", part[0], part[0].upper(), first + part.start(), first + part.end())
        return
    yield _token(kind, value, text, (first, last))


def _token(kind: str, value: str, text: str, span: tuple[int, int]) -> Token:
    raw = text[span[0] : span[1]]
    if kind in _STRINGS:
        return Token("string", value, "", *span)
    if raw.startswith("`"):
        return Token("quoted", value, "", *span)
    if kind in _FOREIGN:
        return Token("foreign", raw, raw.upper(), *span)
    if raw[:1].isalpha() or raw[:1] == "_":
        return Token("word", raw, raw.upper(), *span)
    if raw[:1].isdigit() or (raw[:1] == "." and raw[1:2].isdigit()):
        return Token("number", raw, raw, *span)
    return Token("sign", raw, raw, *span)


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens: Sequence[Token], at: int = 0) -> None:
        self.tokens = tokens
        self.at = at

    @property
    def ended(self) -> bool:
        """Return whether no token is left."""
        return self.at >= len(self.tokens)

    @property
    def place(self) -> int:
        """Return the character where the current token stands, or the last one ended."""
        return self.tokens[self.at].start if not self.ended else self.tokens[-1].end

    def word(self, ahead: int = 0) -> str:
        """Return the word (upper case) or sign at the cursor; empty at the end."""
        at = self.at + ahead
        return self.tokens[at].word if at < len(self.tokens) else ""

    def next(self) -> Token:
        """Return the current token and go on."""
        if self.ended:
            raise Refused("it ends too early", self.place)
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *words: str) -> bool:
        """Go behind the words when they stand here, one after the other."""
        if all(self.word(i) == word for i, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Go behind the words, which must stand here."""
        if not self.take(*words):
            raise Refused(f"{' '.join(words)} is expected before this", self.place)

    def name(self) -> Token:
        """Return the name at the cursor and go on; of `schema.name` the last part."""
        token = self.next()
        if not token.is_name:
            raise Refused("a name is expected here", token.start)
        while self.word() == "." and not self.ended:
            self.at += 1
            token = self.next()
        return token

    def group(self) -> tuple[int, int]:
        """Go behind the brackets that open here; return the indexes inside them."""
        if self.word() != "(":
            raise Refused("an opening bracket is expected here", self.place)
        first, depth = self.at + 1, 0
        while not self.ended:
            sign = self.next().word
            depth += (sign == "(") - (sign == ")")
            if depth == 0:
                return first, self.at - 1
        raise Refused("a bracket is not closed", self.tokens[first - 1].start)


def commas(tokens: Sequence[Token], first: int, last: int) -> list[tuple[int, int]]:
    """Return the index bounds of the parts between the commas of a list."""
    parts, depth, start = [], 0, first
    for at in range(first, last):
        sign = tokens[at].word
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append((start, at))
            start = at + 1
    if start < last or parts:
        parts.append((start, last))
    return parts
