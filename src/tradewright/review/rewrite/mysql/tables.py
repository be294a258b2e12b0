"""CREATE TABLE: columns, keys and options; what PostgreSQL keeps beside a table follows it.

An inline index becomes CREATE INDEX, a comment COMMENT ON, ON UPDATE CURRENT_TIMESTAMP a trigger.
Names of indexes belong to the schema in PostgreSQL, so one that does not name its table is renamed.
"""

import re
from collections.abc import Collection

from tradewright.review.rewrite.mysql.columns import Columns, Written
from tradewright.review.rewrite.mysql.draft import Draft, Refused, literal, quoted
from tradewright.review.rewrite.mysql.expressions import Expressions
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas

_KEY_WORDS = frozenset({"PRIMARY", "UNIQUE", "INDEX", "KEY", "FULLTEXT", "SPATIAL"})
_OPTIONS = """
    ENGINE CHARSET COLLATE ROW_FORMAT KEY_BLOCK_SIZE STATS_PERSISTENT STATS_AUTO_RECALC
    AVG_ROW_LENGTH MAX_ROWS MIN_ROWS PACK_KEYS CHECKSUM DELAY_KEY_WRITE
"""
_DROPPED_OPTIONS = frozenset(_OPTIONS.split())


def index_name(table: str, name: str, columns: list[str], taken: Collection[str]) -> str:
    """Return the name of an index as it can stand beside those of other tables."""
    if name and table in name:
        return name
    plain = [column.removesuffix(" DESC").strip('"') for column in columns]
    named = f"idx_{table}_{'_'.join(plain)}"[:63]
    return f"{table}_{name or 'again'}"[:63] if named in taken else named


class Tables:
    """Converts one CREATE TABLE; `uuids` are the text columns that refer to a uuid."""

    def __init__(self, draft: Draft, tokens: list[Token], expressions: Expressions) -> None:
        self.draft = draft
        self.tokens = tokens
        self.expressions = expressions
        self.written = Written()
        self.table = ""
        self.keys: list[list[str]] = []
        self.indexes: list[tuple[list[str], str]] = []
        self.foreign: list[list[str]] = []
        self.taken = set(expressions.scope.indexes)
        self.places: dict[str, int] = {}

    def convert(self, first: int, last: int, uuids: frozenset[str]) -> Written:
        """Edit the statement; return what is to follow it."""
        cursor = Cursor(self.tokens[:last], first)
        while cursor.word() != "TABLE":
            cursor.next()
        cursor.next()
        cursor.take("IF", "NOT", "EXISTS")
        name = cursor.name()
        self.table = name.name
        self.draft.replace(name.start, name.end, _plain(name))
        if cursor.word() != "(":
            raise Refused("this form of CREATE TABLE is not read", cursor.place)
        start, end = cursor.group()
        self._items(commas(self.tokens, start, end), uuids)
        self._options(cursor, self.tokens[end].end)
        self.write_indexes()
        return self.written

    def _items(self, items: list[tuple[int, int]], uuids: frozenset[str]) -> None:
        columns = Columns(self.expressions, self.table, uuids, self.written)
        kept: list[int] = []
        for number, (start, end) in enumerate(items):
            if start >= end:
                raise Refused("a comma stands without a column", self.tokens[start].start)
            if self._is_column(start):
                columns.convert(start, end)
                self.keys += columns.keys
                self.foreign += columns.foreign
                columns.keys, columns.foreign = [], []
            elif not self.constraint(start, end):
                self._take_out(start, end, last=number + 1 == len(items), first=not kept)
                continue
            kept.append(number)

    def _is_column(self, start: int) -> bool:
        token = self.tokens[start]
        named = _KEY_WORDS | {"CONSTRAINT", "FOREIGN", "CHECK"}
        return token.kind == "quoted" or token.word not in named

    def _take_out(self, start: int, end: int, *, last: bool, first: bool) -> None:
        """Remove an item with the comma before it, or, of the first item, the one behind it."""
        text = self.draft.text
        begin, stop = self.tokens[start].start, self.tokens[end - 1].end
        comma = self.tokens[end] if first else self.tokens[start - 1]
        if comma.word == "," and not (first and last):
            self.draft.remove(comma.start, comma.end)
        line = text.rfind("\n", 0, begin)
        begin = line if text[line:begin].strip() == "" and line >= 0 else begin
        self.draft.remove(max(begin, 0), stop)
        trailing = re.compile(r",?([ \t]*)(--[^\n]*)").match(text, stop)
        if trailing:
            self.draft.remove(trailing.start(1), trailing.end())
            self.indexes[-1] = (self.indexes[-1][0], f"{self.indexes[-1][1]} {trailing[2]}")

    def constraint(self, start: int, end: int) -> bool:
        """Edit a table constraint; return False for an index, which has to go."""
        cursor = Cursor(self.tokens[:end], start)
        if cursor.take("CONSTRAINT") and cursor.word() not in _KEY_WORDS | {"FOREIGN", "CHECK"}:
            name = cursor.next()
            self.draft.replace(name.start, name.end, _plain(name))
        if cursor.take("CHECK"):
            self.expressions.convert(cursor.at, end)
        elif cursor.take("FOREIGN", "KEY"):
            self._foreign(cursor)
        elif cursor.take("PRIMARY", "KEY"):
            self._method(cursor)
            self.keys.insert(0, self._columns(cursor, unique=True))
            self._method(cursor)
        elif cursor.word() == "UNIQUE":
            self._unique(cursor)
        else:
            self._index(cursor)
            return False
        return True

    def _foreign(self, cursor: Cursor) -> None:
        if cursor.word() != "(":
            name = cursor.next()
            self.draft.remove(name.start, cursor.place)
        self.foreign.append(self._columns(cursor, unique=True))
        cursor.expect("REFERENCES")
        target = cursor.name()
        self.draft.replace(target.start, target.end, _plain(target))
        self._columns(cursor, unique=True)

    def _unique(self, cursor: Cursor) -> None:
        """Write UNIQUE KEY name (columns) as CONSTRAINT name UNIQUE (columns)."""
        unique = cursor.next()
        named = self.tokens[cursor.at - 2].word != "CONSTRAINT" and cursor.at >= 3
        before = self.tokens[cursor.at - 3].word if named else ""
        if cursor.word() in {"KEY", "INDEX"}:
            cursor.next()
        name = "" if cursor.word() in {"(", "USING"} else cursor.next().name
        self._method(cursor)
        opening = cursor.place
        columns = self._columns(cursor, unique=True)
        self._method(cursor)
        self.keys.append(columns)
        kept = name if name and self.table in name else f"{self.table}_{'_'.join(columns)}_key"
        head = (
            "UNIQUE " if before == "CONSTRAINT" or not name else f"CONSTRAINT {kept[:63]} UNIQUE "
        )
        self.draft.replace(unique.start, opening, head)

    def _index(self, cursor: Cursor) -> None:
        token = cursor.next()
        if token.word in {"FULLTEXT", "SPATIAL"}:
            raise Refused(
                f"a {token.word} index needs a decision: GIN over to_tsvector, or GiST", token.start
            )
        name = "" if cursor.word() in {"(", "USING"} else cursor.next().name
        self._method(cursor)
        columns = self._columns(cursor, unique=False)
        self._method(cursor)
        self.indexes.append((columns, name))
        self.places[name] = token.start

    def _method(self, cursor: Cursor) -> None:
        if cursor.word() == "USING":
            start = cursor.place
            method = cursor.tokens[cursor.at + 1]
            if method.word != "BTREE":
                raise Refused(f"an index USING {method.text} needs a decision", method.start)
            cursor.at += 2
            self.draft.remove(start, method.end)

    def _columns(self, cursor: Cursor, *, unique: bool) -> list[str]:
        """Return the columns in the brackets; a prefix of a column becomes the column."""
        first, last = cursor.group()
        names = []
        for start, end in commas(self.tokens, first, last):
            token = self.tokens[start]
            if not token.is_name or (end > start + 1 and self.tokens[start + 1].word == "."):
                raise Refused("an index over an expression is not read", token.start)
            prefixed = end > start + 1 and self.tokens[start + 1].word == "("
            if prefixed and unique:
                raise Refused("a key over the beginning of a column only", token.start)
            self.draft.replace(token.start, token.end, _plain(token))
            down = " DESC" if self.tokens[end - 1].word == "DESC" else ""
            names.append(_plain(token) + down)
        return names

    def _options(self, cursor: Cursor, end: int) -> None:
        """Drop what has no counterpart; keep a comment and the next number of the identity."""
        stop = end
        while not cursor.ended:
            token = cursor.next()
            if token.word in {"DEFAULT", ",", "="}:
                continue
            if token.word == "CHARACTER" and cursor.take("SET"):
                token = Token("word", "CHARSET", "CHARSET", token.start, token.end)
            if token.word not in _DROPPED_OPTIONS | {"COMMENT", "AUTO_INCREMENT"}:
                raise Refused(f"the table option {token.text} needs a decision", token.start)
            cursor.take("=")
            value = cursor.next()
            self._option(token, value)
            stop = value.end
        self.draft.remove(end, stop)

    def _option(self, option: Token, value: Token) -> None:
        if option.word == "COMMENT":
            told = f"COMMENT ON TABLE {quoted(self.table)} IS {literal(value.text)};"
            self.written.statements.append(told)
        elif option.word == "AUTO_INCREMENT":
            column = quoted(self.written.counter or "id")
            self.written.statements.append(
                f"ALTER TABLE {quoted(self.table)} ALTER COLUMN {column} RESTART WITH {value.text};"
            )

    def _note(self, name: str, text: str) -> None:
        if name in self.places:
            self.written.notes.append((self.places[name], f"index {name} {text}"))

    def _index_name(self, name: str, columns: list[str]) -> str:
        return index_name(self.table, name, columns, self.taken)

    def write_indexes(self) -> None:
        """Write the indexes, and those that MySQL makes for a foreign key by itself."""
        made: list[list[str]] = list(self.keys)
        wanted = [*self.indexes, *((columns, "") for columns in self.foreign)]
        found: list[str] = []
        for columns, said in wanted:
            name, _, comment = said.partition(" ")
            if any(key[: len(columns)] == columns for key in made):
                self._note(name, "is left out: a key or another index begins with its columns")
                continue
            made.append(columns)
            shown = self._index_name(name, columns)
            self.taken.add(shown)
            if name != shown:
                self._note(name, f"is named {shown}: names belong to the whole schema")
            told = f"CREATE INDEX {quoted(shown)} ON {quoted(self.table)} ({', '.join(columns)});"
            found.append(f"{told} {comment}".rstrip())
        self.written.statements[:0] = found


def _plain(token: Token) -> str:
    return quoted(token.text)
