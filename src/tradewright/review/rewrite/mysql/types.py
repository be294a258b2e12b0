"""MySQL's types and what they become.

A type may bring a condition with it (UNSIGNED, ENUM), which becomes a CHECK on the column.
"""

from dataclasses import dataclass

from tradewright.review.meaning import is_exact_quantity
from tradewright.review.rewrite.mysql.draft import Refused, literal, quoted
from tradewright.review.rewrite.mysql.tokens import Cursor, Token
from tradewright.review.schema.builtins import types

_PLAIN = {
    "DATE": "date",
    "YEAR": "smallint",
    "JSON": "jsonb",
    "TEXT": "text",
    "TINYTEXT": "text",
    "MEDIUMTEXT": "text",
    "LONGTEXT": "text",
    "BLOB": "bytea",
    "TINYBLOB": "bytea",
    "MEDIUMBLOB": "bytea",
    "LONGBLOB": "bytea",
    "BINARY": "bytea",
    "VARBINARY": "bytea",
    "BOOL": "boolean",
    "BOOLEAN": "boolean",
}
_INTEGERS = {
    "TINYINT": ("smallint", "smallint"),
    "SMALLINT": ("smallint", "integer"),
    "MEDIUMINT": ("integer", "integer"),
    "INT": ("integer", "bigint"),
    "INTEGER": ("integer", "bigint"),
    "BIGINT": ("bigint", "numeric(20, 0)"),
}
"""Word → (type with a sign, type that holds all values without one)."""

_TIMES = {"TIMESTAMP": "timestamptz", "DATETIME": "timestamptz", "TIME": "time"}
_EXACT = frozenset({"DECIMAL", "NUMERIC", "DEC", "FIXED"})
_FLOATS = {"FLOAT": "real", "DOUBLE": "double precision", "REAL": "double precision"}
_KEPT = frozenset({"CHAR", "VARCHAR"})


@dataclass(frozen=True, slots=True)
class Converted:
    """A type of PostgreSQL; `check` is a condition in which `{}` stands for the column."""

    text: str
    check: str = ""

    @property
    def is_boolean(self) -> bool:
        """Return whether 0 and 1 must be written FALSE and TRUE."""
        return self.text == "boolean"

    @property
    def scale(self) -> int | None:
        """Return the digits behind the point that MySQL rounds a value to."""
        if not self.text.lower().startswith(("numeric(", "decimal(", "dec(", "fixed(")):
            return None
        inside = self.text.partition("(")[2].rstrip(") ").split(",")
        return int(inside[1]) if len(inside) > 1 else 0


def read_type(cursor: Cursor, name: str, *, keyed: bool = False) -> Converted:
    """Read a type with its brackets and flags; `keyed` numbers refer to identity columns."""
    first = cursor.next()
    word = first.word
    group = _group(cursor) if cursor.word() == "(" else []
    if word == "DOUBLE":
        cursor.take("PRECISION")
    flags = _flags(cursor)
    unsigned = bool(flags & {"UNSIGNED", "ZEROFILL"})
    found = _found(first, group, name, unsigned=unsigned, keyed=keyed)
    if unsigned and not found.is_boolean:
        return Converted(found.text, "{} >= 0")
    return found


def _group(cursor: Cursor) -> list[Token]:
    first, last = cursor.group()
    return [token for token in cursor.tokens[first:last] if token.word != ","]


def _flags(cursor: Cursor) -> set[str]:
    seen = set()
    while True:
        word = cursor.word()
        if word in {"UNSIGNED", "SIGNED", "ZEROFILL"}:
            seen.add(cursor.next().word)
        elif word in {"CHARSET", "COLLATE"}:
            cursor.at += 2
        elif word == "CHARACTER" and cursor.word(1) == "SET":
            cursor.at += 3
        else:
            return seen


def _found(
    first: Token, group: list[Token], name: str, *, unsigned: bool, keyed: bool
) -> Converted:
    word, size = first.word, ", ".join(token.text for token in group)
    if word not in {"ENUM", "SET"} and any(token.kind != "number" for token in group):
        raise Refused(f"the brackets of {first.text} do not hold numbers", first.start)
    if word == "TINYINT" and size == "1":
        return Converted("boolean")
    if word == "ENUM":
        values = ", ".join(literal(token.text) for token in group)
        return Converted("text", f"{{}} IN ({values})")
    if word in _INTEGERS:
        wide = unsigned and not (keyed and word == "BIGINT")
        return Converted(_INTEGERS[word][wide])
    if word in _FLOATS and is_exact_quantity(name):
        return Converted("numeric(20, 8)")
    plain = _PLAIN.get(word) or _FLOATS.get(word)
    return Converted(plain) if plain else _sized(first, size)


def _sized(first: Token, size: str) -> Converted:
    word, text = first.word, first.text
    if word in _TIMES:
        text = _TIMES[word]
    elif word in _EXACT:
        text, size = word if word in {"DECIMAL", "NUMERIC"} else "numeric", size or "10, 0"
    elif word not in _KEPT and word.lower() not in types():
        raise Refused(f"the type {first.text} has no counterpart", first.start)
    return Converted(f"{text}({size})" if size else text)


def condition(kind: Converted, column: str) -> str:
    """Return the condition that a type brings, spoken of a column; empty when it brings none."""
    return kind.check.format(quoted(column))
