"""The plain statements of a routine: SET, SELECT INTO, SIGNAL, CALL, and what ends a transaction.

A function of PostgreSQL runs inside its caller's transaction, all or nothing. So a body that opens
a transaction, commits at its end and rolls back on an error needs none of these words; any other
COMMIT or ROLLBACK means something else and is refused.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from tradewright.review.rewrite.mysql.draft import Refused, literal, quoted
from tradewright.review.rewrite.mysql.rows import Rows
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas
from tradewright.review.rewrite.mysql.types import Converted

_CLOSERS = frozenset({"END", "ELSE", "ELSEIF", "UNTIL", "WHEN"})
_QUERIES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})
_EXPLAINED = "{}: the function runs in its caller's transaction, all of it or nothing."


@dataclass(slots=True)
class Variables:
    """The parameters and variables of a routine, and which of them may hold a value by now."""

    types: dict[str, Converted] = field(default_factory=dict)
    set_before: set[str] = field(default_factory=set)
    uuids: frozenset[str] = frozenset()


class Steps:
    """Edits single statements; `Bodies` knows the blocks and loops around them."""

    def __init__(self, rows: Rows, variables: Variables) -> None:
        self.rows = rows
        self.expressions = rows.expressions
        self.draft = rows.draft
        self.tokens = rows.tokens
        self.variables = variables
        self.loops = 0
        self.kept = 0
        self.opened = False
        self.strict = False
        self.extra: list[str] = []

    def _explain(self, start: int, stop: int, what: str) -> None:
        """Put a comment in the place of a statement that is not needed."""
        told = _EXPLAINED.format(what)
        rest = self.draft.text[stop : (self.draft.text + "\n").index("\n", stop)]
        self.draft.replace(start, stop, f"/* {told} */" if rest.strip() else f"-- {told}")

    def _end(self, cursor: Cursor) -> int:
        """Return the index of the semicolon that ends the statement."""
        for at in range(cursor.at, len(cursor.tokens)):
            if cursor.tokens[at].word == ";":
                return at
        raise Refused("a semicolon is missing", cursor.place)

    def _set(self, cursor: Cursor) -> None:
        word, end = cursor.next(), self._end(cursor)
        parts = commas(self.tokens, cursor.at, end)
        for number, (start, stop) in enumerate(parts):
            self._assignment(start, stop)
            if number:
                comma = self.tokens[start - 1]
                self.draft.replace(comma.start, comma.end, ";")
        self.draft.remove(word.start, self.tokens[parts[0][0]].start)
        cursor.at = end + 1

    def _assignment(self, start: int, stop: int) -> None:
        equals = next((i for i in range(start, stop) if self.tokens[i].word in {"=", ":="}), None)
        name = self.tokens[start]
        if equals is None or not name.is_name:
            raise Refused("only variables of the routine can be set", name.start)
        row = name.word == "NEW" and equals == start + 3
        if not row and (equals != start + 1 or name.name not in self.variables.types):
            raise Refused(f'"{name.text}" is not a variable of the routine', name.start)
        self.draft.replace(self.tokens[equals].start, self.tokens[equals].end, ":=")
        kind = self.variables.types.get(name.name, Converted(""))
        flagged = kind.is_boolean and stop == equals + 2
        if not (flagged and self.expressions.flag(self.tokens[equals + 1])):
            self.expressions.convert(equals + 1, stop)
        self.variables.set_before.add(name.name)

    def _return(self, cursor: Cursor) -> None:
        end = self._end(cursor)
        self.expressions.convert(cursor.at + 1, end)
        cursor.at = end + 1

    def _call(self, cursor: Cursor) -> None:
        """CALL name(values) becomes PERFORM; results in parameters would be lost."""
        word = cursor.next()
        self.draft.replace(word.start, word.end, "PERFORM")
        name = cursor.name()
        end = self._end(cursor)
        if cursor.word() == "(":
            first, last = cursor.group()
            if any(t.name in self.variables.types for t in self.tokens[first:last]):
                known = self.rows.schema.routines.get(self.rows.schema.key(("", name.name)))
                if known is None:
                    raise Refused(f'the parameters of "{name.text}" are not known', name.start)
            self.expressions.convert(first, last)
        else:
            self.draft.insert(name.end, "()")
        cursor.at = end + 1

    def _signal(self, cursor: Cursor) -> None:
        word = cursor.next()
        cursor.expect("SQLSTATE")
        cursor.take("VALUE")
        state = cursor.next()
        if state.kind != "string" or state.text[:2] in {"00", "01", "02"}:
            raise Refused(
                "only errors can be raised: a constant SQLSTATE above class 02", state.start
            )
        parts = [f"ERRCODE = {literal(state.text)}"]
        if cursor.take("SET"):
            parts += self._signal_items(cursor)
        stop = cursor.place
        self.draft.replace(word.start, stop, f"RAISE EXCEPTION USING {', '.join(parts)}")
        cursor.expect(";")

    def _signal_items(self, cursor: Cursor) -> list[str]:
        names = {"MESSAGE_TEXT": "MESSAGE", "TABLE_NAME": "TABLE", "COLUMN_NAME": "COLUMN"}
        end, parts = self._end(cursor), []
        for start, stop in commas(self.tokens, cursor.at, end):
            item = self.tokens[start]
            if item.word == "MYSQL_ERRNO":
                continue
            if item.word not in names:
                raise Refused(f"{item.text} of SIGNAL has no counterpart", item.start)
            value = self.expressions.rendered(start + 2, stop)
            parts.append(f"{names[item.word]} = {value.text}")
        cursor.at = end
        return parts

    def _resignal(self, cursor: Cursor) -> None:
        raise Refused("RESIGNAL outside a handler that rolls back", cursor.place)

    def _transaction(self, cursor: Cursor) -> None:
        """Take away what opens and ends the one transaction of a body."""
        first, end = cursor.next(), self._end(cursor)
        last = end + 1 == self._last_statement_end()
        raised = self.tokens[end + 1].word in {"SIGNAL", "RESIGNAL"}
        if first.word == "ROLLBACK" and not raised:
            raise Refused(
                "ROLLBACK that is not followed by SIGNAL goes on with half the work", first.start
            )
        if first.word == "COMMIT" and not (last and self.opened):
            raise Refused("COMMIT before the end keeps a part of the work", first.start)
        self.opened = self.opened or first.word == "START"
        told = {"START": "no START TRANSACTION", "COMMIT": "no COMMIT", "ROLLBACK": "no ROLLBACK"}
        stop = self.tokens[end].end
        self._explain(first.start, stop, told[first.word])
        cursor.at = end + 1

    def _last_statement_end(self) -> int:
        """Return the index of the END that closes the body."""
        return max(i for i, token in enumerate(self.tokens) if token.word == "END")

    def _select(self, cursor: Cursor) -> None:
        """SELECT ... INTO keeps a variable's value in MySQL when no row is found."""
        first, end = cursor.at, self._end(cursor)
        into = next((i for i in range(first, end) if self.tokens[i].word == "INTO"), None)
        if into is None:
            raise Refused(
                "a query that answers the client needs RETURNS TABLE (...)",
                self.tokens[first].start,
            )
        stop = into + 1
        names = []
        while stop < end:
            names.append(self.tokens[stop])
            stop += 1
            if self.tokens[stop].word != ",":
                break
            stop += 1
        for name in names:
            if name.name not in self.variables.types:
                raise Refused(f'"{name.text}" is not a variable of the routine', name.start)
        self.rows.convert(first, into)
        self.rows.convert(stop, end)
        words = [token.word or token.name.upper() for token in self.tokens[first:end]]
        self._into(names, self.tokens[end], words=words)
        cursor.at = end + 1

    def _into(self, names: list[Token], end: Token, *, words: list[str]) -> None:
        """Keep the old values where no row is found, when there may be any."""
        self.strict = self.strict or not self._one_row(words)
        held = [n for n in names if n.name in self.variables.set_before or self.loops]
        certain = "FROM" not in words or self._aggregates(words)
        self.variables.set_before.update(name.name for name in names)
        if not held or certain:
            return
        told = []
        for name in names:
            self.kept += 1
            kept = f"found_{self.kept}"
            self.extra.append(f"{kept} {self.variables.types[name.name].text};")
            self.draft.replace(name.start, name.end, kept)
            told.append(f"{quoted(name.text)} := {kept};")
        self.draft.insert(end.end, f" IF FOUND THEN {' '.join(told)} END IF;")

    def _one_row(self, words: list[str]) -> bool:
        if "FROM" not in words or words[-2:] == ["LIMIT", "1"] or self._aggregates(words):
            return True
        return not {"JOIN", "OR", "UNION"} & set(words) and self._by_key(words)

    def _by_key(self, words: list[str]) -> bool:
        """Return whether the condition names a whole unique key of the one table."""
        at = words.index("FROM") + 1
        table = self.rows.schema.table(("", words[at].lower()))
        equal = {w.lower() for w, sign in pairwise(words[at:]) if sign == "="}
        return table is not None and any(set(key) <= equal for key in table.unique_keys())

    def _aggregates(self, words: list[str]) -> bool:
        return words[1] in {"COUNT", "SUM", "MIN", "MAX"} and "GROUP" not in words
