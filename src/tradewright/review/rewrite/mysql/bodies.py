"""The body of a stored routine: blocks, declarations, conditions and loops as PL/pgSQL has them.

MySQL declares inside BEGIN, PostgreSQL before it; labels, loops and their ends have other words.
"""

from collections.abc import Callable

from tradewright.review.rewrite.mysql.draft import Refused, quoted
from tradewright.review.rewrite.mysql.steps import Steps
from tradewright.review.rewrite.mysql.tokens import Cursor, Token
from tradewright.review.rewrite.mysql.types import Converted, read_type

_CLOSERS = frozenset({"END", "ELSE", "ELSEIF", "UNTIL", "WHEN"})


class Bodies(Steps):
    """Edits the statements between the first BEGIN and its END."""

    def convert(self, cursor: Cursor, prologue: str = "") -> None:
        """Edit a block, at whose BEGIN the cursor stands; `prologue` is to run first."""
        begin = cursor.next()
        outer, self.extra = self.extra, []
        end = self._declarations(cursor)
        self._statements(cursor)
        self._move_begin(begin, end, prologue)
        self.extra = outer
        cursor.expect("END")

    def _declarations(self, cursor: Cursor) -> int:
        """Edit what is declared; return where it ends, or 0 when nothing is."""
        end = 0
        while cursor.word() == "DECLARE":
            self._declaration(cursor)
            end = cursor.tokens[cursor.at - 1].end
        return end

    def _move_begin(self, begin: Token, end: int, prologue: str) -> None:
        """Put BEGIN behind the declarations, which MySQL writes after it."""
        line = self.draft.text.rfind("\n", 0, begin.start) + 1
        lead = self.draft.text[line : begin.start]
        indent = lead if not lead.strip() else ""
        extra = "".join(f"\n{indent}    {told}" for told in self.extra)
        begins = "".join(f"\n{indent}    {told}" for told in prologue.splitlines())
        if end:
            self.draft.replace(begin.start, begin.end, "DECLARE")
            self.draft.insert(end, f"{extra}\n{indent}BEGIN{begins}")
        elif extra:
            new = f"DECLARE{extra}\n{indent}BEGIN{begins}"
            self.draft.replace(begin.start, begin.end, new)
        elif begins:
            self.draft.insert(begin.end, begins)

    def _declaration(self, cursor: Cursor) -> None:
        word = cursor.next()
        if cursor.word() in {"EXIT", "CONTINUE", "UNDO"}:
            self._handler(cursor, word)
            return
        self.draft.remove(word.start, cursor.place)
        names = [cursor.name()]
        while cursor.take(","):
            names.append(cursor.name())
        if cursor.word() in {"CURSOR", "CONDITION"}:
            raise Refused(f"a declared {cursor.word()} has another form", word.start)
        first = cursor.at
        kind = read_type(cursor, names[0].name)
        kind = Converted("uuid") if names[0].name in self.variables.uuids else kind
        last = cursor.at
        if cursor.take("DEFAULT"):
            at = cursor.at
            end = self._end(cursor)
            if not (kind.is_boolean and self.expressions.flag(self.tokens[at])):
                self.expressions.convert(at, end)
            self.variables.set_before.update(name.name for name in names)
            cursor.at = end
        self._declared(names, kind, (self.tokens[first].start, self.tokens[last - 1].end), cursor)
        cursor.expect(";")

    def _declared(
        self, names: list[Token], kind: Converted, span: tuple[int, int], cursor: Cursor
    ) -> None:
        self.draft.replace(*span, kind.text)
        for name in names:
            self.variables.types[name.name] = kind
            if kind.is_boolean:
                self.expressions.scope.booleans.add(name.name)
        if len(names) > 1:
            rest = self.draft.between(span[0], self.tokens[cursor.at - 1].end)
            more = "".join(f" {quoted(name.text)} {rest};" for name in names[1:])
            self.draft.remove(names[0].end, names[-1].end)
            self.draft.insert(cursor.tokens[cursor.at].end, more)

    def _handler(self, cursor: Cursor, word: Token) -> None:
        """Take away EXIT HANDLER ... ROLLBACK; RESIGNAL, which PostgreSQL does by itself."""
        words: list[str] = []
        while not cursor.ended and len(words) < 16:
            words.append(cursor.next().word)
            if words[-1] == ";" and ("BEGIN" not in words or words[-2] == "END"):
                break
        usual = "EXIT HANDLER FOR SQLEXCEPTION"
        said = " ".join(words)
        if said not in {f"{usual} BEGIN ROLLBACK ; RESIGNAL ; END ;", f"{usual} RESIGNAL ;"}:
            raise Refused(
                "this handler hides or changes errors; write EXCEPTION WHEN ... by hand", word.start
            )
        stop = cursor.tokens[cursor.at - 1].end
        self._explain(word.start, stop, "an error undoes everything")

    def _statements(self, cursor: Cursor) -> None:
        while not cursor.ended and cursor.word() not in _CLOSERS:
            self._statement(cursor)

    def _statement(self, cursor: Cursor) -> None:
        if cursor.word(1) == ":":
            self._label(cursor)
        form = self._forms().get(cursor.word())
        if form is None:
            raise Refused(f"{self.tokens[cursor.at].text} is not read in a routine", cursor.place)
        form(cursor)

    def _forms(self) -> dict[str, Callable[[Cursor], None]]:
        return {
            **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "REPLACE"), self._write),
            "SET": self._set,
            "IF": self._if,
            "CASE": self._case,
            "WHILE": self._while,
            "LOOP": self._loop,
            "REPEAT": self._repeat,
            "LEAVE": self._leave,
            "ITERATE": self._leave,
            "SIGNAL": self._signal,
            "RESIGNAL": self._resignal,
            "SELECT": self._select,
            "START": self._transaction,
            "COMMIT": self._transaction,
            "ROLLBACK": self._transaction,
            "RETURN": self._return,
            "CALL": self._call,
            "BEGIN": self._block,
        }

    def _write(self, cursor: Cursor) -> None:
        end = self._end(cursor)
        self.rows.convert(cursor.at, end)
        cursor.at = end + 1

    def _block(self, cursor: Cursor) -> None:
        self.convert(cursor)
        if cursor.word() != ";":
            cursor.next()
        cursor.expect(";")

    def _label(self, cursor: Cursor) -> None:
        name, colon = cursor.next(), cursor.next()
        self.draft.replace(name.start, colon.end, f"<<{quoted(name.text)}>>")

    def _condition(self, cursor: Cursor, *until: str) -> None:
        """Edit a condition; a number alone is no condition in PostgreSQL."""
        first, depth = cursor.at, 0
        while depth or cursor.word() not in until:
            depth += (cursor.word() == "(") - (cursor.word() == ")")
            depth += (cursor.word() == "CASE") - (cursor.word() == "END" and depth > 0)
            cursor.next()
        alone = self.tokens[first : cursor.at]
        words = [token for token in alone if token.word not in {"(", ")", "NOT"}]
        known = self.expressions.scope.booleans | {"true", "false"}
        if len(words) == 1 and words[0].name not in known:
            raise Refused(f'"{words[0].text}" is no condition; compare it', words[0].start)
        self.expressions.convert(first, cursor.at)

    def _if(self, cursor: Cursor) -> None:
        cursor.next()
        while True:
            self._condition(cursor, "THEN")
            cursor.expect("THEN")
            self._statements(cursor)
            if not cursor.take("ELSEIF"):
                break
            word = self.tokens[cursor.at - 1]
            self.draft.replace(word.start, word.end, "ELSIF")
        if cursor.take("ELSE"):
            self._statements(cursor)
        cursor.expect("END", "IF", ";")

    def _case(self, cursor: Cursor) -> None:
        cursor.next()
        if cursor.word() != "WHEN":
            first = cursor.at
            while cursor.word() != "WHEN":
                cursor.next()
            self.expressions.convert(first, cursor.at)
        while cursor.take("WHEN"):
            first = cursor.at
            while cursor.word() != "THEN":
                cursor.next()
            self.expressions.convert(first, cursor.at)
            cursor.expect("THEN")
            self._statements(cursor)
        if cursor.take("ELSE"):
            self._statements(cursor)
        cursor.expect("END", "CASE", ";")

    def _while(self, cursor: Cursor) -> None:
        cursor.next()
        self._condition(cursor, "DO")
        word = cursor.next()
        self.draft.replace(word.start, word.end, "LOOP")
        self._repeated(cursor)
        cursor.expect("END", "WHILE")
        word = self.tokens[cursor.at - 1]
        self.draft.replace(word.start, word.end, "LOOP")
        self._end_label(cursor)

    def _loop(self, cursor: Cursor) -> None:
        cursor.next()
        self._repeated(cursor)
        cursor.expect("END", "LOOP")
        self._end_label(cursor)

    def _repeat(self, cursor: Cursor) -> None:
        """REPEAT ... UNTIL condition becomes LOOP ... EXIT WHEN condition."""
        word = cursor.next()
        self.draft.replace(word.start, word.end, "LOOP")
        self._repeated(cursor)
        cursor.expect("UNTIL")
        until = self.tokens[cursor.at - 1]
        self.draft.replace(until.start, until.end, "EXIT WHEN")
        self._condition(cursor, "END")
        end = cursor.next()
        repeat = cursor.next()
        self.draft.insert(self.tokens[cursor.at - 3].end, ";")
        self.draft.replace(end.start, repeat.end, "END LOOP")
        self._end_label(cursor)

    def _repeated(self, cursor: Cursor) -> None:
        self.loops += 1
        self._statements(cursor)
        self.loops -= 1

    def _end_label(self, cursor: Cursor) -> None:
        if cursor.word() != ";":
            name = cursor.next()
            self.draft.replace(name.start, name.end, quoted(name.text))
        cursor.expect(";")

    def _leave(self, cursor: Cursor) -> None:
        word, name = cursor.next(), cursor.next()
        new = "EXIT" if word.word == "LEAVE" else "CONTINUE"
        self.draft.replace(word.start, word.end, new)
        self.draft.replace(name.start, name.end, quoted(name.text))
        cursor.expect(";")
