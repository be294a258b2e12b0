"""INSERT, UPDATE and DELETE: the key that ON DUPLICATE KEY means, and what has no counterpart."""

from collections.abc import Sequence
from dataclasses import replace

from tradewright.review.rewrite.mysql.draft import Refused, literal, quoted
from tradewright.review.rewrite.mysql.expressions import Expressions
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas
from tradewright.review.schema.catalog import Column, Schema, Table

_HINTS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK"})

_GO_ON = "SELECT setval({sequence}, (SELECT max({column}) FROM {table}));"


class Rows:
    """Converts the statements that write rows, knowing the tables they write to."""

    def __init__(self, schema: Schema, expressions: Expressions) -> None:
        self.schema = schema
        self.expressions = expressions
        self.draft = expressions.draft
        self.tokens = expressions.tokens

    def convert(self, first: int, last: int) -> None:
        """Edit one statement; queries are edited as expressions are."""
        word = self.tokens[first].word
        if word == "INSERT":
            self._insert(first, last)
        elif word == "UPDATE":
            self._update(first, last)
        elif word == "DELETE":
            self._delete(first, last)
        elif word == "REPLACE":
            raise Refused(
                "REPLACE deletes the row and inserts another; say which key and which columns "
                "are meant with INSERT ... ON CONFLICT",
                self.tokens[first].start,
            )
        else:
            self.expressions.convert(first, last)

    def insert(self, first: int, last: int) -> list[str]:
        """Edit one INSERT; return what lets an identity go on behind the rows."""
        into, given = self._insert(first, last)
        table = self.schema.table(("", into.name))
        counted = [c.name for c in table.columns.values() if c.identity] if table else []
        if table is None or not counted or (given is not None and counted[0] not in given):
            return []
        name, column = quoted(table.name), quoted(counted[0])
        sequence = f"pg_get_serial_sequence({literal(name)}, {literal(counted[0])})"
        return [_GO_ON.format(sequence=sequence, column=column, table=name)]

    def _insert(self, first: int, last: int) -> tuple[Token, list[str] | None]:
        cursor = Cursor(self.tokens[:last], first + 1)
        ignored = self._insert_words(cursor)
        name = cursor.name()
        self.draft.replace(name.start, name.end, _kept(name))
        table = self.schema.table(("", name.name))
        given = self._columns(cursor) if cursor.word() == "(" else None
        if cursor.word() not in {"VALUES", "VALUE", "SELECT", "(", "WITH"}:
            raise Refused("this form of INSERT is not read; list columns and VALUES", cursor.place)
        clause = self._clause(cursor.at, last)
        end = clause if clause is not None else last
        alias = self._rows(cursor, end, given or list(table.columns if table else ()), table)
        if clause is not None:
            self._on_duplicate(clause, last, (name, table), given, alias)
        elif ignored:
            self.draft.insert(self.tokens[last - 1].end, "\nON CONFLICT DO NOTHING")
        return name, given

    def _insert_words(self, cursor: Cursor) -> bool:
        """Go behind INSERT's own words; return whether IGNORE was among them."""
        ignored = False
        while cursor.word() in _HINTS | {"IGNORE"}:
            token = cursor.next()
            ignored = ignored or token.word == "IGNORE"
            self.draft.remove(token.start, cursor.place)
        if not cursor.take("INTO"):
            self.draft.insert(cursor.place, "INTO ")
        return ignored

    def _columns(self, cursor: Cursor) -> list[str]:
        first, last = cursor.group()
        names = []
        for start, _ in commas(self.tokens, first, last):
            token = self.tokens[start]
            self.draft.replace(token.start, token.end, _kept(token))
            names.append(token.name)
        return names

    def _clause(self, first: int, last: int) -> int | None:
        words = [token.word for token in self.tokens[first:last]]
        for at in range(len(words) - 3):
            if words[at : at + 4] == ["ON", "DUPLICATE", "KEY", "UPDATE"]:
                return first + at
        return None

    def _rows(self, cursor: Cursor, end: int, given: list[str], table: Table | None) -> str:
        """Edit the rows or the query; return MySQL's alias for the new row, if any."""
        if cursor.word() not in {"VALUES", "VALUE"}:
            self.expressions.convert(cursor.at, end)
            return ""
        token = cursor.next()
        self.draft.replace(
            token.start, token.end, "VALUES" if token.word == "VALUE" else token.text
        )
        while cursor.at < end and cursor.word() == "(":
            first, last = cursor.group()
            for name, bounds in zip(given, commas(self.tokens, first, last), strict=False):
                self._value(table.columns.get(name) if table else None, bounds)
            for bounds in commas(self.tokens, first, last)[len(given) :]:
                self.expressions.convert(*bounds)
            cursor.take(",")
        if cursor.at < end and cursor.word() == "AS":
            start = self.tokens[cursor.at - 1].end
            cursor.next()
            alias = cursor.next()
            self.draft.remove(start, alias.end)
            return alias.name
        return ""

    def _value(self, column: Column | None, bounds: tuple[int, int]) -> None:
        first, last = bounds
        alone = column is not None and column.type == "boolean" and last == first + 1
        if not (alone and self.expressions.flag(self.tokens[first])):
            self.expressions.convert(first, last)

    def _on_duplicate(
        self,
        clause: int,
        last: int,
        into: tuple[Token, Table | None],
        given: list[str] | None,
        alias: str,
    ) -> None:
        name, table = into
        key = self._arbiter(table, given, self.tokens[clause].start)
        shown = ", ".join(quoted(column) for column in key)
        self.draft.replace(
            self.tokens[clause].start,
            self.tokens[clause + 3].end,
            f"ON CONFLICT ({shown}) DO UPDATE SET",
        )
        scope = self.expressions.scope
        columns = frozenset(table.columns if table else ())
        self.expressions.scope = replace(
            scope, target=quoted(name.text), target_columns=columns, excluded=alias
        )
        self._assignments(clause + 4, last)
        self.expressions.scope = scope

    def _arbiter(self, table: Table | None, given: list[str] | None, at: int) -> tuple[str, ...]:
        """Return the one key that can be met twice; MySQL would take any of them."""
        if table is None or not table.columns:
            raise Refused("ON DUPLICATE KEY: the table's keys are not known", at)
        names = given if given is not None else list(table.columns)
        keys = {k for k in table.unique_keys() if not any(_fresh(table, c, names) for c in k)}
        if len(keys) != 1:
            shown = " or ".join(f"({', '.join(key)})" for key in sorted(keys)) or "none"
            raise Refused(f"ON DUPLICATE KEY could mean more than one key, or none: {shown}", at)
        return keys.pop()

    def _assignments(self, first: int, last: int) -> None:
        """Edit `column = value, ...`; MySQL assigns one after the other, PostgreSQL at once."""
        done: set[str] = set()
        for start, end in commas(self.tokens, first, last):
            equals = next((i for i in range(start, end) if self.tokens[i].word == "="), None)
            if equals is None:
                raise Refused("an assignment is expected here", self.tokens[start].start)
            column = self.tokens[equals - 1]
            self.draft.replace(self.tokens[start].start, column.end, _kept(column))
            for token in self.tokens[equals + 1 : end]:
                if token.is_name and token.name in done:
                    raise Refused(
                        f'"{token.name}" was assigned before: MySQL takes its new value here, '
                        "PostgreSQL its old one",
                        token.start,
                    )
            if not self._flag_assigned(column, equals, end):
                self.expressions.convert(equals + 1, end)
            done.add(column.name)

    def _flag_assigned(self, column: Token, equals: int, end: int) -> bool:
        known = column.name in self.expressions.scope.booleans
        return known and end == equals + 2 and self.expressions.flag(self.tokens[equals + 1])

    def _update(self, first: int, last: int) -> None:
        cursor = Cursor(self.tokens[:last], first + 1)
        if cursor.word() in _HINTS | {"IGNORE"}:
            raise Refused(f"UPDATE {cursor.word()} has no counterpart", cursor.place)
        name = cursor.name()
        self.draft.replace(name.start, name.end, _kept(name))
        if cursor.word() != "SET":
            raise Refused("an UPDATE of more than one table has another form", cursor.place)
        start = cursor.at + 1
        where = self._behind(start, last, "UPDATE")
        self._assignments(start, where)
        self.expressions.convert(where, last)

    def _delete(self, first: int, last: int) -> None:
        cursor = Cursor(self.tokens[:last], first + 1)
        if not cursor.take("FROM"):
            raise Refused("a DELETE of more than one table has another form", cursor.place)
        name = cursor.name()
        self.draft.replace(name.start, name.end, _kept(name))
        if not cursor.ended and cursor.word() not in {"WHERE", ";", "ORDER", "LIMIT"}:
            raise Refused("a DELETE of more than one table has another form", cursor.place)
        self.expressions.convert(self._behind(cursor.at, last, "DELETE"), last)

    def _behind(self, first: int, last: int, verb: str) -> int:
        """Return where WHERE stands (or the end); refuse an order and a limit."""
        depth, where = 0, last
        for at in range(first, last):
            word = self.tokens[at].word
            depth += (word == "(") - (word == ")")
            if depth == 0 and word in {"ORDER", "LIMIT"}:
                raise Refused(f"{verb} with {word} has no counterpart", self.tokens[at].start)
            if depth == 0 and word == "WHERE":
                where = min(where, at)
        return where


def _kept(token: Token) -> str:
    return quoted(token.text) if token.kind == "quoted" else token.text


def _fresh(table: Table, column: str, given: Sequence[str]) -> bool:
    """Return whether the server makes a new value for a column that is not given."""
    known = table.columns.get(column)
    if known is None or column in given:
        return False
    return known.identity or "FuncCall" in (known.default or {})
