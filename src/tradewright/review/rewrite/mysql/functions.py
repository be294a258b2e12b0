"""MySQL's functions: which are the same, which have another name, and which need another form."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SAME_NAMES = """
    coalesce nullif upper lower trim ltrim rtrim replace left right reverse lpad rpad
    char_length character_length abs ceil ceiling floor round sign mod power exp ln sqrt count
    sum min max row_number rank dense_rank current_user md5 concat_ws
"""
SAME = frozenset(_SAME_NAMES.split())
"""Functions that mean the same in both, for the arguments that both accept."""

RENAMED = {
    "ifnull": "coalesce",
    "pow": "power",
    "length": "octet_length",
    "truncate": "trunc",
    "lcase": "lower",
    "ucase": "upper",
    "rand": "random",
    "uuid": "uuidv7",
    "json_object": "jsonb_build_object",
    "json_array": "jsonb_build_array",
}

_OURS = re.compile(
    r"jsonb?_.*|pg_.*|uuid_generate_v[14]|gen_random_uuid|uuidv[47]|(?:clock|statement)_timestamp|"
    r"to_(?:char|timestamp|date|number|jsonb?)|date_trunc|string_agg|array_agg|nextval|currval|setval|"
    r"generate_series|row_to_json|isfinite|extract|octet_length|substr|trunc|random"
)


def is_ours(name: str) -> bool:
    """Return whether only PostgreSQL has a function of this name: a file may mix the two."""
    return _OURS.fullmatch(name) is not None


MOMENTS = {
    "now": "now()",
    "current_timestamp": "CURRENT_TIMESTAMP",
    "localtime": "now()",
    "localtimestamp": "now()",
    "utc_timestamp": "now()",
    "sysdate": "clock_timestamp()",
    "curdate": "current_date",
    "current_date": "current_date",
    "curtime": "localtime",
    "unix_timestamp": "extract(epoch FROM now())::bigint",
}
"""Functions of the moment, called without arguments (a precision is dropped)."""

REASONS = {
    "last_insert_id": "use RETURNING in the INSERT instead",
    "row_count": "MySQL counts the rows that changed, PostgreSQL those that matched",
    "found_rows": "count the rows in a query of its own",
    "greatest": "MySQL gives NULL when one of the values is NULL, PostgreSQL leaves it out",
    "least": "MySQL gives NULL when one of the values is NULL, PostgreSQL leaves it out",
    "avg": "MySQL keeps four more digits than the column has, PostgreSQL at least sixteen",
    "group_concat": "its order and its limit of length differ; use string_agg",
    "get_lock": "use pg_advisory_lock",
}
"""Functions without a sure counterpart → why, or what to do."""

UNITS = {
    "MICROSECOND": "microseconds",
    "SECOND": "seconds",
    "MINUTE": "minutes",
    "HOUR": "hours",
    "DAY": "days",
    "WEEK": "weeks",
    "MONTH": "months",
    "YEAR": "years",
}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
_CASTS = {"SIGNED": "bigint", "CHAR": "text", "DATETIME": "timestamptz"}
_FORMATS = {
    "%Y": "YYYY",
    "%m": "MM",
    "%d": "DD",
    "%H": "HH24",
    "%i": "MI",
    "%s": "SS",
    "%S": "SS",
    "%y": "YY",
    "%T": "HH24:MI:SS",
}


_CLOSED = re.compile(r"[\w.\"]+(?:\(\))?")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, converted; `literal` is its text when it is a string constant."""

    text: str
    literal: str | None = None
    simple: bool = False

    @property
    def closed(self) -> str:
        """Return the argument so that an operator beside it cannot take it apart."""
        return self.text if self.simple or _CLOSED.fullmatch(self.text) else f"({self.text})"


def convert_call(name: str, arguments: Sequence[Argument]) -> str | None:
    """Return the call in PostgreSQL's form; None when its form has no entry here."""
    form = _FORMS.get(name)
    return form(arguments) if form is not None else None


def _concat(arguments: Sequence[Argument]) -> str | None:
    parts = [a.text if a.literal is not None else f"{a.closed}::text" for a in arguments]
    return f"({' || '.join(parts)})" if parts else None


def _if(arguments: Sequence[Argument]) -> str | None:
    if len(arguments) != 3:
        return None
    test, then, otherwise = (argument.text for argument in arguments)
    return f"CASE WHEN {test} THEN {then} ELSE {otherwise} END"


def _shifted(sign: str) -> Callable[[Sequence[Argument]], str | None]:
    def form(arguments: Sequence[Argument]) -> str | None:
        if len(arguments) != 2 or arguments[0].literal is not None:
            return None
        if not arguments[1].text.startswith(("INTERVAL", "(")):
            return None
        return f"({arguments[0].closed} {sign} {arguments[1].text})"

    return form


def _date_format(arguments: Sequence[Argument]) -> str | None:
    wanted = arguments[1].literal if len(arguments) == 2 else None
    if wanted is None:
        return None
    for theirs, ours in _FORMATS.items():
        wanted = wanted.replace(theirs, ours)
    rest = wanted
    for ours in sorted(set(_FORMATS.values()), key=len, reverse=True):
        rest = rest.replace(ours, "")
    if any(sign.isalpha() or sign in "%\"'" for sign in rest):
        return None
    return f"to_char({arguments[0].text}, '{wanted}')"


def _timestampdiff(arguments: Sequence[Argument]) -> str | None:
    seconds = _SECONDS.get(arguments[0].text.upper()) if len(arguments) == 3 else None
    if seconds is None:
        return None
    span = f"extract(epoch FROM ({arguments[2].closed} - {arguments[1].closed}))"
    return f"trunc({span}{f' / {seconds}' if seconds > 1 else ''})::bigint"


def _field(name: str) -> Callable[[Sequence[Argument]], str | None]:
    def form(arguments: Sequence[Argument]) -> str | None:
        if len(arguments) != 1:
            return None
        return f"extract({name} FROM {arguments[0].text})::integer"

    return form


def _one(pattern: str) -> Callable[[Sequence[Argument]], str | None]:
    return lambda given: pattern.format(given[0].closed) if len(given) == 1 else None


def _datediff(arguments: Sequence[Argument]) -> str | None:
    if len(arguments) != 2:
        return None
    return f"({arguments[0].closed}::date - {arguments[1].closed}::date)"


def _substring(arguments: Sequence[Argument]) -> str | None:
    if len(arguments) not in {2, 3} or not arguments[1].text.isdigit() or arguments[1].text == "0":
        return None
    return f"substr({', '.join(argument.text for argument in arguments)})"


def cast_type(word: str) -> str | None:
    """Return the type that CAST(... AS word) means; None for what is not known."""
    return _CASTS.get(word)


_FORMS: dict[str, Callable[[Sequence[Argument]], str | None]] = {
    "concat": _concat,
    "if": _if,
    "date_add": _shifted("+"),
    "date_sub": _shifted("-"),
    "adddate": _shifted("+"),
    "subdate": _shifted("-"),
    "date_format": _date_format,
    "timestampdiff": _timestampdiff,
    "datediff": _datediff,
    "year": _field("year"),
    "month": _field("month"),
    "day": _field("day"),
    "hour": _field("hour"),
    "minute": _field("minute"),
    "date": _one("{}::date"),
    "isnull": _one("({} IS NULL)"),
    "unix_timestamp": _one("extract(epoch FROM {})"),
    "substring": _substring,
    "substr": _substring,
}
