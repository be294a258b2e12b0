"""Expressions: operators, functions, constants and names, edited where they differ.

Nothing is let through unread: an operator or a function that has no entry here or in `functions`
is refused. Comparisons of text ignore case in most collations of MySQL and never in PostgreSQL;
the documentation says so once, because no text can tell which collation a column had.
"""

from dataclasses import dataclass, field

from tradewright.review.rewrite.mysql import functions
from tradewright.review.rewrite.mysql.draft import Draft, Refused, quoted
from tradewright.review.rewrite.mysql.functions import Argument
from tradewright.review.rewrite.mysql.tokens import Cursor, Token, commas

_SIGNS = {
    "&&": "AND",
    "||": "OR",
    "<=>": "IS NOT DISTINCT FROM",
}
_SAME_SIGNS = frozenset(
    {"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "%", "(", ")", ",", ".", "::"}
)
_SIGN_REASONS = {
    "/": "MySQL keeps four more digits than the dividend has and gives NULL for a divisor of zero",
    ":=": "a user variable lives as long as its connection, and nothing here does",
    "^": "it is the bits' XOR in MySQL and a power in PostgreSQL",
}
_WORD_REASONS = {
    "DIV": "it rounds towards zero and gives NULL for a divisor of zero",
    "XOR": "PostgreSQL has no such operator; compare the two with <>",
    "REGEXP": "the patterns and their case differ; use ~ or ~*",
    "RLIKE": "the patterns and their case differ; use ~ or ~*",
    "BINARY": "it changes the collation of a comparison",
    "COLLATE": "the collation has another name, or none, in PostgreSQL",
    "SOUNDS": "it needs the extension fuzzystrmatch",
    "MATCH": "full-text search has another form; use to_tsvector @@ to_tsquery",
    "STRAIGHT_JOIN": "PostgreSQL's planner takes no hints",
    "SQL_CALC_FOUND_ROWS": "count the rows in a query of its own",
    "HIGH_PRIORITY": "PostgreSQL has no such hint",
    "SQL_NO_CACHE": "PostgreSQL has no such hint",
    "FORCE": "PostgreSQL's planner takes no hints",
    "OUTFILE": "use COPY",
    "DUMPFILE": "use COPY",
    "ROLLUP": "use GROUP BY ROLLUP (columns)",
}
_WORDS_BEFORE_BRACKET = """
    IN AND OR NOT EXISTS ANY ALL SOME ON WHERE WHEN THEN ELSE SELECT FROM JOIN BETWEEN AS BY
    HAVING UNION USING OVER DISTINCT LIMIT IS LIKE CASE CHECK DEFAULT RETURN WHILE UNTIL IF
    ELSEIF SET VALUES INTO
"""
_BEFORE_BRACKET = frozenset(_WORDS_BEFORE_BRACKET.split())
_EQUALITY = frozenset({"=", "<>", "!="})


@dataclass(slots=True)
class Scope:
    """What names mean around an expression.

    `booleans` are columns and variables that held 0 and 1; `target` is the table whose columns
    must be named with it, because EXCLUDED has the same ones (`excluded` is MySQL's alias for it).
    """

    booleans: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    target: str = ""
    target_columns: frozenset[str] = frozenset()
    excluded: str = ""
    routines: frozenset[str] = frozenset()
    indexes: frozenset[str] = frozenset()


class Expressions:
    """Edits parts of one text; each public method edits the tokens from `first` to `last`."""

    def __init__(self, draft: Draft, tokens: list[Token], scope: Scope) -> None:
        self.draft = draft
        self.tokens = tokens
        self.scope = scope

    def convert(self, first: int, last: int) -> None:
        """Edit an expression or a query."""
        at = first
        while at < last:
            at = self._token(at, last)

    def _token(self, at: int, last: int) -> int:
        """Edit the token at an index; return the index behind what was dealt with."""
        token = self.tokens[at]
        follower = self.tokens[at + 1] if at + 1 < last else None
        if token.kind == "string":
            self._string(token, follower)
        elif token.kind == "foreign":
            raise Refused(f"{token.text} has no counterpart", token.start)
        elif token.kind == "sign":
            self._sign(token)
        elif token.is_name:
            return self._name(at, last, follower)
        return at + 1

    def _string(self, token: Token, follower: Token | None) -> None:
        if follower is not None and follower.kind == "string":
            raise Refused("constants side by side are joined in MySQL only", token.start)
        if token.text.startswith("0000-00-00"):
            raise Refused("PostgreSQL has no day zero; use NULL", token.start)
        raw = self.draft.text[token.start : token.end]
        if raw[0] != "'" or "\\" in raw:
            raise Refused("a string with such an escape has another form", token.start)

    def _sign(self, token: Token) -> None:
        if token.word in _SAME_SIGNS:
            return
        ours = _SIGNS.get(token.word)
        if ours is None:
            reason = _SIGN_REASONS.get(token.word, "it has no counterpart")
            raise Refused(f'the operator "{token.text}": {reason}', token.start)
        self.draft.replace(token.start, token.end, ours)

    def _name(self, at: int, last: int, follower: Token | None) -> int:
        token = self.tokens[at]
        if token.word in _WORD_REASONS:
            raise Refused(f"{token.word}: {_WORD_REASONS[token.word]}", token.start)
        form = {"INTERVAL": self._interval, "LIMIT": self._limit, "LOCK": self._lock}
        if token.word in form:
            return form[token.word](at, last)
        called = follower is not None and follower.word == "(" and token.kind == "word"
        if called and (token.word not in _BEFORE_BRACKET or token.word in {"IF", "VALUES"}):
            return self._call(at, last)
        if token.word in {"MOD", "CURRENT_TIMESTAMP", "LOCALTIME", "UTC_TIMESTAMP"}:
            return self._bare_function(at)
        self._column(at, follower)
        return at + 1

    def _column(self, at: int, follower: Token | None) -> None:
        token = self.tokens[at]
        self._flag(at)
        before = self.tokens[at - 1].word if at else ""
        scope = self.scope
        new = quoted(token.text) if token.kind == "quoted" else token.text
        if scope.excluded and token.name == scope.excluded and follower and follower.word == ".":
            new = "EXCLUDED"
        elif token.name in scope.target_columns - scope.variables and before != ".":
            new = f"{scope.target}.{quoted(token.text)}"
        self.draft.replace(token.start, token.end, new)

    def _flag(self, at: int) -> None:
        """Write FALSE and TRUE where a column that held 0 and 1 is compared with a number."""
        following = self.tokens[at + 1 : at + 3]
        if self.tokens[at].name not in self.scope.booleans or len(following) < 2:
            return
        if following[0].word in _EQUALITY:
            self.flag(following[1])

    def flag(self, token: Token) -> bool:
        """Write 0 and 1 as FALSE and TRUE; return whether the token was one of them."""
        if token.kind == "number" and token.text in {"0", "1"}:
            self.draft.replace(token.start, token.end, "TRUE" if token.text == "1" else "FALSE")
            return True
        return False

    def _bare_function(self, at: int) -> int:
        token = self.tokens[at]
        new = "%" if token.word == "MOD" else functions.MOMENTS[token.name]
        if token.word != "CURRENT_TIMESTAMP":
            self.draft.replace(token.start, token.end, new)
        return at + 1

    def _interval(self, at: int, last: int) -> int:
        """INTERVAL 2 DAY becomes INTERVAL '2 days', and of a value that many times one."""
        end = at + 1
        depth = 0
        while end < last and (depth or self.tokens[end].word not in functions.UNITS):
            depth += (self.tokens[end].word == "(") - (self.tokens[end].word == ")")
            end += 1
        if end >= last or end == at + 1:
            raise Refused("the unit of this interval has no counterpart", self.tokens[at].start)
        unit = functions.UNITS[self.tokens[end].word]
        start, stop = self.tokens[at].start, self.tokens[end].end
        if end == at + 2 and self.tokens[at + 1].kind in {"number", "string"}:
            self.draft.replace(start, stop, f"INTERVAL '{self.tokens[at + 1].text} {unit}'")
            return end + 1
        value = self.rendered(at + 1, end)
        self.draft.replace(start, stop, f"({value.closed} * INTERVAL '1 {unit}')")
        return end + 1

    def _limit(self, at: int, last: int) -> int:
        """LIMIT 20, 10 becomes LIMIT 10 OFFSET 20."""
        parts = self.tokens[at + 1 : at + 4]
        if at + 3 < last and len(parts) == 3 and parts[1].word == ",":
            new = f"{parts[2].text} OFFSET {parts[0].text}"
            self.draft.replace(parts[0].start, parts[2].end, new)
            return at + 4
        return at + 1

    def _lock(self, at: int, _: int) -> int:
        words = [token.word for token in self.tokens[at : at + 4]]
        if words != ["LOCK", "IN", "SHARE", "MODE"]:
            self._column(at, None)
            return at + 1
        self.draft.replace(self.tokens[at].start, self.tokens[at + 3].end, "FOR SHARE")
        return at + 4

    def rendered(self, first: int, last: int) -> Argument:
        """Return a part as converted text, leaving the draft as it was."""
        if first >= last:
            raise Refused("an argument is missing", self.tokens[first].start)
        mark = self.draft.mark()
        self.convert(first, last)
        text = self.draft.between(self.tokens[first].start, self.tokens[last - 1].end)
        self.draft.undo(mark)
        only = self.tokens[first] if last == first + 1 else None
        said = only.text if only is not None and only.kind == "string" else None
        return Argument(text, said, simple=only is not None)

    def _call(self, at: int, last: int) -> int:
        cursor = Cursor(self.tokens[:last], at)
        token = cursor.next()
        first, end = cursor.group()
        self._convert_call(token, first, end)
        return end + 1

    def _convert_call(self, token: Token, first: int, end: int) -> None:
        name, stop = token.name, self.tokens[end].end
        before = self.tokens[first - 3].word if first > 2 else ""
        if name in functions.REASONS:
            raise Refused(f"{token.word}(): {functions.REASONS[name]}", token.start)
        if name in functions.MOMENTS and (first == end or self.tokens[first].kind == "number"):
            if functions.MOMENTS[name] not in {f"{name}()", token.word}:
                self.draft.replace(token.start, stop, functions.MOMENTS[name])
        elif name == "values":
            self._values(token, first, end)
        elif name == "cast":
            self._cast(first, end)
        elif name in functions.SAME or name in self.scope.routines or functions.is_ours(name):
            self.convert(first, end)
        elif before in {"::", "TYPE"}:
            return
        elif name in functions.RENAMED:
            self.draft.replace(token.start, token.end, functions.RENAMED[name])
            self.convert(first, end)
        else:
            self._other_form(token, first, end)

    def _other_form(self, token: Token, first: int, end: int) -> None:
        parts = [self.rendered(*bounds) for bounds in commas(self.tokens, first, end)]
        form = functions.convert_call(token.name, parts)
        if form is None:
            shown = self.draft.text[token.start : self.tokens[end].end]
            raise Refused(f"{shown}: this call has no sure counterpart", token.start)
        self.draft.replace(token.start, self.tokens[end].end, form)

    def _values(self, token: Token, first: int, end: int) -> None:
        """VALUES(column) behind ON DUPLICATE KEY UPDATE is the row that was not inserted."""
        if not self.scope.target:
            self.convert(first, end)
        elif end == first + 1:
            name = quoted(self.tokens[first].text)
            self.draft.replace(token.start, self.tokens[end].end, f"EXCLUDED.{name}")
        else:
            raise Refused("VALUES of more than a column", token.start)

    def _cast(self, first: int, end: int) -> None:
        last = next((i for i in range(end - 1, first, -1) if self.tokens[i].word == "AS"), None)
        if last is None:
            raise Refused("a cast without AS", self.tokens[first].start)
        kind = self.tokens[last + 1]
        known = functions.cast_type(kind.word)
        if known is not None and end == last + 2:
            self.draft.replace(kind.start, kind.end, known)
        elif kind.word not in {"DECIMAL", "DATE"}:
            raise Refused(f"a cast to {kind.text} has no sure counterpart", kind.start)
        self.convert(first, last)
