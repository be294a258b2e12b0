"""ALTER TABLE: each action as PostgreSQL has it, and indexes in statements of their own."""

from tradewright.review.rewrite.mysql.columns import Columns, Written
from tradewright.review.rewrite.mysql.draft import Refused, quoted
from tradewright.review.rewrite.mysql.expressions import Expressions
from tradewright.review.rewrite.mysql.tables import Tables
from tradewright.review.rewrite.mysql.tokens import Cursor, commas
from tradewright.review.rewrite.mysql.types import condition, read_type

_CONSTRAINTS = frozenset({"CONSTRAINT", "FOREIGN", "PRIMARY", "UNIQUE", "CHECK"})
_INDEXES = frozenset({"INDEX", "KEY", "FULLTEXT", "SPATIAL"})


class Alterations:
    """Converts one ALTER TABLE."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.draft = expressions.draft
        self.tokens = expressions.tokens
        self.tables = Tables(self.draft, self.tokens, expressions)

    def convert(self, first: int, last: int) -> Written:
        """Edit the statement; return what is to follow it."""
        cursor = Cursor(self.tokens[:last], first)
        cursor.expect("ALTER", "TABLE")
        name = cursor.name()
        self.draft.replace(name.start, name.end, quoted(name.text))
        self.tables.table = name.name
        actions = commas(self.tokens, cursor.at, last)
        gone = [action for action in actions if self._is_index(*action)]
        for start, end in actions:
            self._action(start, end)
        self.tables.write_indexes()
        self._remove(actions, gone, first, last)
        return self.tables.written

    def _is_index(self, start: int, end: int) -> bool:
        words = [token.word for token in self.tokens[start:end]]
        return words[:1] == ["ADD"] and bool(_INDEXES & set(words[1:2]))

    def _remove(
        self, actions: list[tuple[int, int]], gone: list[tuple[int, int]], first: int, last: int
    ) -> None:
        """Take away the actions that became statements, and the whole where none is left."""
        kept = [action for action in actions if action not in gone]
        if not kept:
            made = self.tables.written.statements
            told = made.pop(0).removesuffix(";") if made else "-- a key serves already\n"
            self.draft.replace(self.tokens[first].start, self.tokens[last - 1].end, told)
            return
        for start, end in gone:
            before = start - 1 if (start, end) != actions[0] else start
            after = end - 1 if (start, end) != actions[0] else end
            self.draft.remove(self.tokens[before].start, self.tokens[after].end)

    def _action(self, start: int, end: int) -> None:
        cursor = Cursor(self.tokens[:end], start)
        verb = cursor.next()
        if verb.word == "ADD":
            self._add(cursor, end)
        elif verb.word == "DROP":
            self._drop(cursor)
        elif verb.word == "MODIFY":
            self._modify(cursor, start, end)
        elif verb.word in {"RENAME", "ALTER"} and cursor.word() in {"TO", "COLUMN"}:
            self.expressions.convert(cursor.at, end)
        else:
            raise Refused(f"ALTER TABLE ... {verb.text} needs a decision", verb.start)

    def _add(self, cursor: Cursor, end: int) -> None:
        if cursor.word() in _CONSTRAINTS | _INDEXES:
            self.tables.constraint(cursor.at, end)
            return
        cursor.take("COLUMN")
        if cursor.word() == "(":
            raise Refused("columns in brackets are not read; add one by one", cursor.place)
        stop = self._without_position(cursor.at, end)
        tables = self.tables
        columns = Columns(self.expressions, tables.table, frozenset(), tables.written)
        columns.convert(cursor.at, stop)
        tables.foreign += columns.foreign

    def _without_position(self, start: int, end: int) -> int:
        """Take FIRST and AFTER column away; PostgreSQL adds columns at the end."""
        for at in range(start, end):
            if self.tokens[at].word in {"FIRST", "AFTER"} and at > start:
                self.draft.remove(self.tokens[at - 1].end, self.tokens[end - 1].end)
                return at
        return end

    def _drop(self, cursor: Cursor) -> None:
        word = self.tokens[cursor.at]
        if word.word in {"INDEX", "KEY", "PRIMARY"}:
            raise Refused("drop it by the name it has in PostgreSQL", word.start)
        if cursor.take("FOREIGN", "KEY"):
            stop = self.tokens[cursor.at - 1].end
            self.draft.replace(word.start, stop, "CONSTRAINT")
        cursor.take("COLUMN")
        cursor.take("CONSTRAINT")
        name = cursor.name()
        self.draft.replace(name.start, name.end, quoted(name.text))

    def _modify(self, cursor: Cursor, start: int, end: int) -> None:
        """MODIFY says a column anew: its type, whether it may be NULL, and its default."""
        cursor.take("COLUMN")
        token = cursor.name()
        name = quoted(token.text)
        kind = read_type(cursor, token.name, keyed=token.name.endswith("_id"))
        parts = [f"ALTER COLUMN {name} TYPE {kind.text} USING {name}::{kind.text}"]
        null, default = "DROP NOT NULL", "DROP DEFAULT"
        while not cursor.ended:
            if cursor.take("NOT", "NULL"):
                null = "SET NOT NULL"
            elif cursor.take("DEFAULT"):
                value = self.expressions.rendered(cursor.at, cursor.at + 1)
                default = f"SET DEFAULT {value.text}"
                cursor.next()
            elif not cursor.take("NULL"):
                raise Refused(f"{cursor.next().text} is not read in MODIFY", token.start)
        parts += [f"ALTER COLUMN {name} {null}", f"ALTER COLUMN {name} {default}"]
        if kind.check:
            parts.append(f"ADD CHECK ({condition(kind, token.text)})")
        self.draft.replace(self.tokens[start].start, self.tokens[end - 1].end, ", ".join(parts))
