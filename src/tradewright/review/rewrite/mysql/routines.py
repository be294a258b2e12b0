"""CREATE PROCEDURE, FUNCTION and TRIGGER: the head of a routine, and a quoted body.

A procedure becomes a function that returns nothing, or its OUT parameters. A parameter takes the
type uuid when the body compares it with a column that has become one.
"""

from dataclasses import dataclass, field

from tradewright.review.meaning import TEXTS
from tradewright.review.rewrite.mysql.bodies import Bodies
from tradewright.review.rewrite.mysql.draft import Refused, literal, quoted
from tradewright.review.rewrite.mysql.rows import Rows
from tradewright.review.rewrite.mysql.steps import Variables
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas
from tradewright.review.rewrite.mysql.types import Converted, read_type

_TEXTS = TEXTS | {"varchar"}


@dataclass(slots=True)
class _Head:
    """What stands before the body."""

    kind: str
    name: str
    parameters: str = "()"
    returns: str = ""
    definer: bool = False
    comment: str = ""
    rounded: list[str] = field(default_factory=list)
    trigger: str = ""


class Routines:
    """Converts one CREATE of a routine."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.draft = rows.draft
        self.tokens = rows.tokens
        self.variables = Variables()

    def convert(self, first: int, last: int) -> list[str]:
        """Edit the statement; return what is to follow it."""
        cursor = Cursor(self.tokens[:last], first + 1)
        cursor.take("OR", "REPLACE")
        if cursor.take("DEFINER", "="):
            while cursor.word() not in {"PROCEDURE", "FUNCTION", "TRIGGER"}:
                cursor.next()
        kind = cursor.next().word
        cursor.take("IF", "NOT", "EXISTS")
        head = _Head(kind, cursor.name().name)
        self.variables.uuids = self._uuids(cursor.at, last)
        if kind == "TRIGGER":
            self._trigger(cursor, head)
        else:
            self._parameters(cursor, head)
            self._characteristics(cursor, head)
        self._body(cursor, head, first)
        return self._following(head)

    def _parameters(self, cursor: Cursor, head: _Head) -> None:
        opening = cursor.place
        first, last = cursor.group()
        results = []
        for start, end in commas(self.tokens, first, last):
            part = Cursor(self.tokens[:end], start)
            way = part.next().word if part.word() in {"IN", "OUT", "INOUT"} else "IN"
            results += [way] if way != "IN" else []
            self._parameter(part, head, way)
        head.parameters = self.draft.between(opening, self.tokens[last].end)
        if head.kind == "PROCEDURE":
            head.returns = "" if results else "RETURNS void"
        else:
            cursor.expect("RETURNS")
            head.returns = f"RETURNS {read_type(cursor, head.name).text}"

    def _parameter(self, part: Cursor, head: _Head, way: str) -> None:
        name = part.name()
        self.draft.replace(name.start, name.end, quoted(name.text))
        first = part.place
        kind = read_type(part, name.name)
        kind = Converted("uuid") if name.name in self.variables.uuids else kind
        self.draft.replace(first, self.tokens[part.at - 1].end, kind.text)
        self.variables.types[name.name] = kind
        if way != "OUT":
            self.variables.set_before.add(name.name)
            if kind.scale is not None:
                shown = quoted(name.text)
                head.rounded.append(f"{shown} := round({shown}, {kind.scale});")
        if kind.is_boolean:
            self.rows.expressions.scope.booleans.add(name.name)

    def _characteristics(self, cursor: Cursor, head: _Head) -> None:
        """Read what MySQL says about a routine; only its security and comment are kept."""
        plain = {"DETERMINISTIC", "NOT", "LANGUAGE", "CONTAINS", "NO", "READS", "MODIFIES", "DATA"}
        while cursor.word() in plain | {"SQL", "COMMENT"}:
            token = cursor.next()
            if token.word == "COMMENT":
                head.comment = cursor.next().text
            elif token.word == "SQL" and cursor.take("SECURITY"):
                head.definer = cursor.next().word == "DEFINER"

    def _trigger(self, cursor: Cursor, head: _Head) -> None:
        time, event = cursor.next().word, cursor.next().word
        cursor.expect("ON")
        table = quoted(cursor.name().text)
        cursor.expect("FOR", "EACH", "ROW")
        if cursor.word() in {"FOLLOWS", "PRECEDES"}:
            raise Refused("triggers fire in the order of their names in PostgreSQL", cursor.place)
        head.returns = "RETURNS trigger"
        head.trigger = (
            f"CREATE TRIGGER {quoted(head.name)} {time} {event} ON {table}\n"
            f"    FOR EACH ROW EXECUTE FUNCTION {quoted(head.name)}();"
        )
        head.comment = "OLD" if event == "DELETE" else "NEW"

    def _body(self, cursor: Cursor, head: _Head, first: int) -> None:
        """Quote the body, and put a head before it."""
        label = self._label(cursor)
        if cursor.word() != "BEGIN":
            raise Refused(
                "a body of one statement is not read; put it between BEGIN and END", cursor.place
            )
        begin = cursor.place
        self.rows.expressions.scope.variables = set(self.variables.types)
        bodies = Bodies(self.rows, self.variables)
        mark = self.draft.mark()
        bodies.convert(cursor, self._prologue(head))
        end = self.tokens[cursor.at - 1]
        if head.trigger:
            if label:
                raise Refused("a labelled body of a trigger could end without a row", begin)
            self.draft.insert(end.start, f"    RETURN {head.comment};\n")
        body = self.draft.between(begin, end.end)
        self.draft.undo(mark)
        new = self._head(head, strict=bodies.strict) + self._conflict() + label + body + ";\n$$"
        self.draft.replace(self.tokens[first].start, self._stop(cursor), new)

    def _label(self, cursor: Cursor) -> str:
        if cursor.word(1) != ":":
            return ""
        name = cursor.next()
        cursor.next()
        return f"<<{quoted(name.text)}>>\n"

    def _stop(self, cursor: Cursor) -> int:
        """Return where the statement ends: behind END, its label and a semicolon."""
        return self.tokens[len(cursor.tokens) - 1].end

    def _head(self, head: _Head, *, strict: bool) -> str:
        lines = [f"CREATE FUNCTION {quoted(head.name)}{head.parameters}"]
        lines += [head.returns] if head.returns else []
        lines.append("LANGUAGE plpgsql")
        if head.definer:
            lines += ["SECURITY DEFINER", "SET search_path FROM CURRENT"]
        if strict:
            lines.append("SET plpgsql.extra_errors = 'too_many_rows'")
        return "\n".join([*lines, "AS $$\n"])

    def _conflict(self) -> str:
        """Let a variable hide a column of its name, as it does in MySQL."""
        columns = {name for table in self.rows.schema.tables.values() for name in table.columns}
        return "#variable_conflict use_variable\n" if columns & set(self.variables.types) else ""

    def _prologue(self, head: _Head) -> str:
        if not head.rounded:
            return ""
        return "\n".join(["-- PostgreSQL does not round a parameter to its scale.", *head.rounded])

    def _following(self, head: _Head) -> list[str]:
        if head.trigger:
            return [head.trigger]
        if head.comment:
            return [f"COMMENT ON FUNCTION {quoted(head.name)} IS {literal(head.comment)};"]
        return []

    def _uuids(self, first: int, last: int) -> frozenset[str]:
        """Return the names that the routine compares with, or writes into, uuid columns."""
        types = self._column_types(self.tokens[first:last])
        compared = [pair for pair in self._compared(first, last) if pair[1] in types]
        found = {name for name, column in compared if "uuid" in types[column]}
        found |= {n for n, c in self._inserted(first, last) if types.get(c) == {"uuid"}}
        for name, column in compared:
            if name in found and types[column] & _TEXTS and "uuid" not in types[column]:
                raise Refused(
                    f'"{name}" is compared with a uuid and with a text', self.tokens[first].start
                )
        return frozenset(found)

    def _column_types(self, tokens: list[Token]) -> dict[str, set[str]]:
        mentioned = {token.name for token in tokens if token.is_name}
        found: dict[str, set[str]] = {}
        for table in self.rows.schema.tables.values():
            if table.name in mentioned:
                for column in table.columns.values():
                    found.setdefault(column.name, set()).add(column.type)
        return found

    def _compared(self, first: int, last: int) -> list[tuple[str, str]]:
        """Return (name, name) of every `a = b` with plain names, both ways."""
        pairs = []
        for at in range(first + 1, last - 1):
            left, right = self.tokens[at - 1], self.tokens[at + 1]
            if self.tokens[at].word == "=" and left.is_name and right.is_name:
                if at + 3 < last and self.tokens[at + 2].word == ".":
                    right = self.tokens[at + 3]
                pairs += [(left.name, right.name), (right.name, left.name)]
        return pairs

    def _inserted(self, first: int, last: int) -> list[tuple[str, str]]:
        """Return (value, column) of every INSERT of plain names."""
        pairs = []
        for at in range(first, last - 1):
            if self.tokens[at].word not in {"VALUES", "VALUE"} or self.tokens[at + 1].word != "(":
                continue
            names = self._given(first, at)
            values = commas(self.tokens, *Cursor(self.tokens[:last], at + 1).group())
            for column, (value, end) in zip(names, values, strict=False):
                if end == value + 1:
                    pairs.append((self.tokens[value].name, column))
        return pairs

    def _given(self, first: int, at: int) -> list[str]:
        """Return the columns that stand before VALUES, or all those of the table named there."""
        if self.tokens[at - 1].word != ")":
            table = self.rows.schema.table(("", self.tokens[at - 1].name))
            return list(table.columns) if table is not None else []
        opening = at - 2
        while self.tokens[opening].word != "(" and opening > first:
            opening -= 1
        return [self.tokens[n].name for n, _ in commas(self.tokens, opening + 1, at - 1)]
