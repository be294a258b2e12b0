"""A whole file of MySQL, statement by statement.

Statements that cannot be converted stay as they are under a note that says why, and under a line
that no database reads where the result is to be written. What only steers MySQL's own client and
server is dropped, and said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tradewright.review.meaning import TEXTS, referred_table
from tradewright.review.rewrite.mysql.alter import Alterations
from tradewright.review.rewrite.mysql.columns import Written
from tradewright.review.rewrite.mysql.draft import Draft, Refused, quoted
from tradewright.review.rewrite.mysql.expressions import Expressions, Scope
from tradewright.review.rewrite.mysql.quoting import with_our_quotes
from tradewright.review.rewrite.mysql.routines import Routines
from tradewright.review.rewrite.mysql.rows import Rows
from tradewright.review.rewrite.mysql.tables import Tables, index_name
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas, tokenize
from tradewright.review.schema.build import apply
from tradewright.review.schema.catalog import Schema, Table
from tradewright.review.source.splitting import split
from tradewright.review.source.statements import read_statements
from tradewright.review.source.text import Source, Statement

_GAP = re.compile(r"\s*")
_DELIMITER = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[^\n]*(?:\n|\Z)", re.MULTILINE | re.IGNORECASE)
_SETTINGS = frozenset({"SET", "USE", "LOCK", "UNLOCK"})
_NOTE = "-- tradewright: not converted: "
_STOP = "NOT CONVERTED -- remove this line when what follows is PostgreSQL's"
"""No statement begins so: what follows runs in no tool until a person has read it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader of the result must know; `line` counts in the file given."""

    line: int
    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted file, with what was refused and what was changed beyond its words."""

    text: str
    notes: tuple[Note, ...]
    pieces: tuple[tuple[int, bool], ...] = ()
    """The line where each statement's outcome begins, and whether it was converted."""

    @property
    def refusals(self) -> tuple[Note, ...]:
        """Return the notes about what was not converted."""
        return tuple(note for note in self.notes if note.refused)


def convert(
    text: str,
    schema: Schema,
    refused: Mapping[int, str] = MappingProxyType({}),
    *,
    stops: bool = False,
) -> Conversion:
    """Convert a file, given what the files before it have built; the schema grows with it.

    `refused` are statements (by their place in `pieces`) that are known not to work, and why. With
    `stops` what is not converted stands under a line that no database reads.
    """
    return _Script(text, schema, refused, stops=stops).run()


def stopped(text: str, reason: str) -> str:
    """Return a text under a note, and under a line that no database reads."""
    return f"{_NOTE}{' '.join(reason.split())}\n{_STOP}\n{text}"


class _Script:
    def __init__(
        self, text: str, schema: Schema, refused: Mapping[int, str], *, stops: bool
    ) -> None:
        self.refused = refused
        self.stops = stops
        self.draft = Draft(with_our_quotes(text))
        self.schema = schema
        self.notes: list[Note] = []
        self.booleans = _booleans(schema)

    def run(self) -> Conversion:
        text = self.draft.text
        marks = self._delimiters()
        spans = [s for s in split(text) if not text[slice(*s)].upper().startswith("DELIMITER")]
        done = [self._piece(*span, marks, self.refused.get(n)) for n, span in enumerate(spans)]
        notes = sorted(self.notes, key=lambda note: note.line)
        pieces = tuple(zip(self._outcome_lines(spans), done, strict=True))
        return Conversion(self.draft.between(0, len(text)), tuple(notes), pieces)

    def _outcome_lines(self, spans: list[tuple[int, int]]) -> list[int]:
        """Return the line where the outcome of each statement begins."""
        lines: list[int] = []
        line, at = 1, 0
        for start, _ in spans:
            line += self.draft.between(at, start).count("\n")
            if lines:  # the note before the last statement was counted with it
                line -= self.draft.between(at, at).count("\n")
            lines.append(line)
            at = start
        return lines

    def _delimiters(self) -> list[tuple[int, str]]:
        """Drop the DELIMITER lines; return where each mark begins to hold."""
        marks = [(0, ";")]
        for match in _DELIMITER.finditer(self.draft.text):
            marks.append((match.end(), match[1]))
            blank = re.compile(r"[ \t]*\n").match(self.draft.text, match.end())
            self.draft.remove(match.start(), blank.end() if blank else match.end())
        return marks

    def _line(self, at: int) -> int:
        return self.draft.text.count("\n", 0, at) + 1

    def _piece(self, start: int, end: int, marks: list[tuple[int, str]], known: str | None) -> bool:
        """Convert one statement, or leave it under a note; tell whether it was converted."""
        mark = self.draft.mark()
        ending = next(sign for place, sign in reversed(marks) if place <= start)
        refused = Refused(known, start) if known is not None else None
        try:
            if refused is None:
                self._statement(start, end, ending)
        except Refused as error:
            refused = error
        if refused is not None:
            self.draft.undo(mark)
            at = min(max(refused.at, start), end)
            self.notes.append(Note(self._line(at), refused.reason, refused=True))
            note = f"{_NOTE}{' '.join(refused.reason.split())}\n"
            self.draft.insert(start, stopped("", refused.reason) if self.stops else note)
        return refused is None

    def _statement(self, start: int, end: int, ending: str) -> None:
        text = self.draft.text
        tokens = tokenize(text, start, end)
        while tokens and tokens[-1].word == ";":
            tokens.pop()
        if not tokens:
            return
        ends_with = " ".join(token.word for token in tokens[-2:])
        if tokens[0].word in _SETTINGS or ends_with in {"DISABLE KEYS", "ENABLE KEYS"}:
            self._drop(start, end, ending)
            return
        following = self._convert(tokens)
        stop = self._behind(end, ending)
        if stop > end and ending != ";":
            self.draft.replace(end, stop, "" if text.endswith(";", start, end) else ";")
        self._learn(start, end)
        self._follow(stop, following)

    def _behind(self, end: int, ending: str) -> int:
        """Return the place behind the sign that ends a statement, which may stand apart: END //."""
        gap = _GAP.match(self.draft.text, end)
        at = gap.end() if gap else end
        return at + len(ending) if self.draft.text.startswith(ending, at) else end

    def _drop(self, start: int, end: int, ending: str) -> None:
        """Take a setting of MySQL away with the rest of its line."""
        text = self.draft.text
        stop = self._behind(end, ending)
        rest = re.compile(r"[ \t]*\n").match(text, stop)
        self.draft.remove(start, rest.end() if rest else stop)
        self.notes.append(Note(self._line(start), f"dropped: {text[start:end]}"))

    def _convert(self, tokens: list[Token]) -> list[str]:
        words = [token.word for token in tokens[:12]]
        expressions = Expressions(self.draft, tokens, self._scope())
        rows = Rows(self.schema, expressions)
        if words[0] == "CREATE" and "TABLE" in words[1:3]:
            return self._table(tokens, expressions)
        if words[0] == "CREATE" and {"PROCEDURE", "FUNCTION", "TRIGGER"} & set(words[1:9]):
            return Routines(rows).convert(0, len(tokens))
        if words[0] in {"CREATE", "DROP"}:
            self._definition(tokens, expressions)
        elif words[0] == "ALTER":
            return self._alter(tokens, expressions)
        elif words[0] == "INSERT":
            return rows.insert(0, len(tokens))
        elif words[0] in {"UPDATE", "DELETE", "REPLACE", "SELECT", "WITH"}:
            rows.convert(0, len(tokens))
        elif words[0] in {"START", "BEGIN", "COMMIT", "ANALYZE", "COMMENT", "TRUNCATE"}:
            expressions.convert(0, len(tokens))
        else:
            raise Refused(
                f"statements that begin with {tokens[0].text} are not read", tokens[0].start
            )
        return []

    def _scope(self) -> Scope:
        routines = {name for _, name in self.schema.routines}
        return Scope(
            booleans=set(self.booleans),
            routines=frozenset(routines),
            indexes=frozenset(self.schema.index_owners),
        )

    def _alter(self, tokens: list[Token], expressions: Expressions) -> list[str]:
        written = Alterations(expressions).convert(0, len(tokens))
        self.booleans |= written.booleans
        return written.statements

    def _table(self, tokens: list[Token], expressions: Expressions) -> list[str]:
        """Convert a table; a second time when text columns turn out to refer to uuids."""
        mark = self.draft.mark()
        written = self._table_once(tokens, expressions, frozenset())
        start, end = tokens[0].start, tokens[-1].end
        table = self._preview(start, end)
        uuids = self._referring(table) if table is not None else frozenset()
        if uuids:
            self.draft.undo(mark)
            written = self._table_once(tokens, expressions, uuids)
        self.booleans |= written.booleans
        self.notes += [Note(self._line(at), text) for at, text in written.notes]
        return written.statements

    def _table_once(
        self, tokens: list[Token], expressions: Expressions, uuids: frozenset[str]
    ) -> Written:
        return Tables(self.draft, tokens, expressions).convert(0, len(tokens), uuids)

    def _preview(self, start: int, end: int) -> Table | None:
        """Return the table as it reads now, without keeping it."""
        reading = self._read(start, end)
        for statement in reading:
            apply(self.schema, statement)
            name = statement.node.get("relation", {}).get("relname", "")
            table = self.schema.table(("", name))
            if table is not None:
                self.schema.remove(table)
                return table
        return None

    def _referring(self, table: Table) -> frozenset[str]:
        """Return the text columns that refer to a uuid, by a foreign key or by their name."""
        found = set()
        for column in table.columns.values():
            target = referred_table(column, self.schema)
            for constraint in table.constraints:
                if column.name in constraint.columns and constraint.target[1]:
                    target = self.schema.table(constraint.target) or target
            key = target.columns.get((target.primary_key or ("id",))[0]) if target else None
            if column.type in TEXTS and key is not None and key.type == "uuid":
                found.add(column.name)
        return frozenset(found)

    def _definition(self, tokens: list[Token], expressions: Expressions) -> None:
        """CREATE INDEX, CREATE VIEW and DROP; DROP INDEX has no table in PostgreSQL."""
        words = [token.word for token in tokens]
        if words[:2] == ["DROP", "INDEX"] and "ON" in words:
            on = words.index("ON")
            name, table = tokens[on - 1], tokens[on + 1].name
            kept = name.name if table in name.name else self._renamed(table, name)
            self.draft.replace(name.start, tokens[-1].end, quoted(kept))
            return
        if words[:2] == ["DROP", "PROCEDURE"]:
            self.draft.replace(tokens[1].start, tokens[1].end, "FUNCTION")
        if {"FULLTEXT", "SPATIAL", "DATABASE", "EVENT", "USER"} & set(words[1:3]):
            raise Refused(f"{words[0]} {words[1]} needs a decision", tokens[0].start)
        if "INDEX" in words[1:3]:
            self._index(tokens, words.index("INDEX"))
        else:
            expressions.convert(1, len(tokens))

    def _index(self, tokens: list[Token], at: int) -> None:
        """Edit CREATE INDEX name ON table (columns); anything more needs a decision."""
        cursor = Cursor(tokens, at + 1)
        name = cursor.name()
        cursor.expect("ON")
        table = cursor.name()
        first, last = cursor.group()
        parts = [tokens[start:end] for start, end in commas(tokens, first, last)]
        plain = all(len(p) == 1 or (len(p) == 2 and p[1].word in {"ASC", "DESC"}) for p in parts)
        if not plain or not cursor.ended:
            raise Refused("this index needs a decision", name.start)
        for token in (table, *(part[0] for part in parts)):
            self.draft.replace(token.start, token.end, quoted(token.text))
        columns = [quoted(part[0].text) for part in parts]
        taken = self._scope().indexes
        self.draft.replace(name.start, name.end, index_name(table.name, name.name, columns, taken))

    def _renamed(self, table: str, name: Token) -> str:
        raise Refused(
            f"which index of {table} was renamed from {name.text} is not known", name.start
        )

    def _learn(self, start: int, end: int) -> None:
        """Let PostgreSQL's parser read the result, and the model grow by it."""
        for statement in self._read(start, end):
            apply(self.schema, statement)

    def _read(self, start: int, end: int) -> list[Statement]:
        after = self.draft.between(start, end)
        source = Source("converted", after, (), "converted")
        reading = read_statements(source)
        if reading.refusals:
            told = reading.refusals[0].broken.message
            raise Refused(f"PostgreSQL does not read the result: {told}", start)
        return reading.statements

    def _follow(self, stop: int, statements: list[str]) -> None:
        """Write what belongs to a table or routine behind it, on lines of its own."""
        if not statements:
            return
        text = self.draft.text
        comment = re.compile(r"[ \t]*--[^\n]*").match(text, stop)
        at = comment.end() if comment else stop
        self.draft.insert(at, "\n" + "\n".join(statements))
        for told in statements:
            for statement in read_statements(Source("converted", told, (), "converted")).statements:
                apply(self.schema, statement)


def _booleans(schema: Schema) -> set[str]:
    """Return the names that stand for a boolean in every table that has such a column."""
    columns = [c for table in schema.tables.values() for c in table.columns.values()]
    others = {column.name for column in columns if column.type != "boolean"}
    return {column.name for column in columns} - others
