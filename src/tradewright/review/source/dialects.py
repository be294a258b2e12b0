"""Other databases' words: what they are called here, and how to read on behind them.

PostgreSQL refuses a MySQL table as a whole. The words in this list name the dialect and the
PostgreSQL way to write it, and blank the foreign part out in place, so that the rest of the
statement can still be read and reviewed at its true lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tradewright.migrate.sections import blank


@dataclass(frozen=True, slots=True)
class Idiom:
    """A construct of another database; `stand_in` is what it is read as, padded in place."""

    pattern: re.Pattern[str]
    dialect: str
    name: str
    advice: str
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An idiom met in a text, with its character offset."""

    idiom: Idiom
    start: int
    end: int


def _idiom(dialect: str, name: str, pattern: str, advice: str, stand_in: str = "") -> Idiom:
    return Idiom(re.compile(pattern, re.IGNORECASE | re.MULTILINE), dialect, name, advice, stand_in)


_INLINE_INDEX = (
    r",\s*(?:(?:FULLTEXT|SPATIAL)\s+)?(?:INDEX|KEY)\s+(?:[`\"\w]+\s*)?"
    r"\((?:[^()]|\([^()]*\))*\)(?:\s*USING\s+\w+)?"
)

_IDIOMS = (
    (
        "MySQL",
        "DELIMITER",
        r"^[ \t]*DELIMITER[ \t]+\S+[ \t]*$",
        "Quote the body instead: CREATE FUNCTION ... LANGUAGE plpgsql AS $$ ... $$;",
    ),
    (
        "MySQL",
        "inline INDEX",
        _INLINE_INDEX,
        "Create the index after the table: CREATE INDEX name ON table (columns);",
    ),
    (
        "MySQL",
        "inline UNIQUE KEY",
        r"\bUNIQUE\s+(?:KEY|INDEX)\s+[`\"\w]*\s*(?=\()",
        "Write CONSTRAINT name UNIQUE (columns).",
        "UNIQUE",
    ),
    (
        "MySQL",
        "AUTO_INCREMENT",
        r"\bAUTO_?INCREMENT\b(?:\s*=\s*\d+)?",
        "Use bigint GENERATED ALWAYS AS IDENTITY.",
    ),
    ("MySQL", "ENGINE=", r"\bENGINE\s*=\s*\w+", "Remove it; PostgreSQL has one engine."),
    (
        "MySQL",
        "table charset",
        r"\b(?:DEFAULT\s+)?(?:CHARSET|CHARACTER\s+SET)\s*=?\s*\w+",
        "Remove it; the encoding belongs to the database.",
    ),
    (
        "MySQL",
        "COLLATE=",
        r"\bCOLLATE\s*=\s*\w+|\bCOLLATE\s+utf8\w+",
        "Use COLLATE on the column with a collation of PostgreSQL, or remove it.",
    ),
    (
        "MySQL",
        "ON UPDATE CURRENT_TIMESTAMP",
        r"\bON\s+UPDATE\s+(?:CURRENT_TIMESTAMP|NOW)(?:\s*\(\s*\d*\s*\))?",
        "Set the column in a BEFORE UPDATE trigger.",
    ),
    (
        "MySQL",
        "ON DUPLICATE KEY UPDATE",
        r"\bON\s+DUPLICATE\s+KEY\s+UPDATE\b[^;]*",
        "Use ON CONFLICT (columns) DO UPDATE SET column = EXCLUDED.column.",
    ),
    (
        "MySQL",
        "UNSIGNED",
        r"\b(?:UNSIGNED|ZEROFILL)\b",
        "Use the next wider type, or a CHECK (column >= 0).",
    ),
    (
        "MySQL",
        "COMMENT in a definition",
        r"\bCOMMENT\s*=?\s*'(?:[^']|'')*'",
        "Use COMMENT ON COLUMN table.column IS '...';",
    ),
    (
        "MySQL",
        "inline ENUM",
        r"\bENUM\s*\(\s*'[^)]*\)",
        "Use text with CHECK (column IN (...)), or CREATE TYPE ... AS ENUM.",
        "text",
    ),
    (
        "MySQL",
        "integer display width",
        r"\b(?:TINYINT|SMALLINT|MEDIUMINT|BIGINT|INTEGER|INT)\s*\(\s*\d+\s*\)",
        "Write the type without a width: smallint, integer, bigint.",
        "bigint",
    ),
    (
        "MySQL",
        "INSERT IGNORE",
        r"\bINSERT\s+IGNORE\b",
        "Use INSERT ... ON CONFLICT DO NOTHING.",
        "INSERT",
    ),
    (
        "MySQL",
        "REPLACE INTO",
        r"^\s*REPLACE\s+INTO\b",
        "Use INSERT ... ON CONFLICT (columns) DO UPDATE.",
        "INSERT INTO",
    ),
    (
        "MySQL",
        "MODIFY COLUMN",
        r"\bMODIFY\s+(?:COLUMN\s+)?(?=\w+\s+\w)",
        "Use ALTER COLUMN name TYPE type.",
    ),
    ("MySQL", "backticks", r"`([^`\n]*)`", "Write names bare, or in double quotes.", '"'),
    ("T-SQL", "GO", r"^[ \t]*GO[ \t]*;?[ \t]*$", "End each statement with a semicolon."),
    (
        "T-SQL",
        "IDENTITY(seed, step)",
        r"\bIDENTITY\s*\(\s*\d+\s*,\s*\d+\s*\)",
        "Use bigint GENERATED ALWAYS AS IDENTITY.",
    ),
    (
        "T-SQL",
        "type(MAX)",
        r"\bN?VAR(?:CHAR|BINARY)\s*\(\s*MAX\s*\)",
        "Use text, or bytea for bytes.",
        "text",
    ),
    ("T-SQL", "CLUSTERED", r"\b(?:NON)?CLUSTERED\b", "Remove it; tables of PostgreSQL are heaps."),
    ("T-SQL", "square brackets", r"(?<![\w\])])\[(\w+)\]", "Write names bare.", '"'),
    (
        "Oracle",
        "NUMBER",
        r"\bNUMBER\s*\(\s*\d+\s*,\s*-?\d+\s*\)",
        "Use numeric(precision, scale), or bigint.",
        "numeric",
    ),
    (
        "Oracle",
        "VARCHAR2",
        r"\bN?VARCHAR2\s*\(\s*\d+(?:\s+(?:CHAR|BYTE))?\s*\)",
        "Use text.",
        "text",
    ),
    ("Oracle", "slash line", r"^[ \t]*/[ \t]*$", "End each statement with a semicolon."),
    (
        "Oracle",
        "sequence.NEXTVAL",
        r"\b\w+\.NEXTVAL\b(?!\s*\()",
        "Use nextval('sequence'), or an identity column.",
        "NULL",
    ),
    ("Oracle", "FROM DUAL", r"\bFROM\s+DUAL\b", "Leave FROM away."),
)


@cache
def idioms() -> tuple[Idiom, ...]:
    """Return the idioms; their patterns are compiled when the first statement is refused."""
    return tuple(_idiom(*parts) for parts in _IDIOMS)


FOREIGN_TYPES = {
    "datetime": ("MySQL or T-SQL", "timestamptz"),
    "datetime2": ("T-SQL", "timestamptz"),
    "smalldatetime": ("T-SQL", "timestamptz"),
    "datetimeoffset": ("T-SQL", "timestamptz"),
    "tinyint": ("MySQL or T-SQL", "smallint"),
    "mediumint": ("MySQL", "integer"),
    "double": ("MySQL", "double precision, or numeric for money"),
    "longtext": ("MySQL", "text"),
    "mediumtext": ("MySQL", "text"),
    "tinytext": ("MySQL", "text"),
    "blob": ("MySQL", "bytea"),
    "longblob": ("MySQL", "bytea"),
    "mediumblob": ("MySQL", "bytea"),
    "varbinary": ("MySQL or T-SQL", "bytea"),
    "binary": ("MySQL or T-SQL", "bytea"),
    "nvarchar": ("T-SQL", "text"),
    "nchar": ("T-SQL", "text"),
    "ntext": ("T-SQL", "text"),
    "uniqueidentifier": ("T-SQL", "uuid"),
    "smallmoney": ("T-SQL", "numeric(20, 8)"),
    "image": ("T-SQL", "bytea"),
    "rowversion": ("T-SQL", "xid8, or a version column"),
    "number": ("Oracle", "numeric or bigint"),
    "varchar2": ("Oracle", "text"),
    "nvarchar2": ("Oracle", "text"),
    "clob": ("Oracle", "text"),
    "nclob": ("Oracle", "text"),
    "raw": ("Oracle", "bytea"),
    "binary_float": ("Oracle", "real"),
    "binary_double": ("Oracle", "double precision"),
}
"""Types that parse but do not exist in PostgreSQL → (dialect, what to use)."""

FOREIGN_FUNCTIONS = {
    "getdate": ("T-SQL", "now()"),
    "getutcdate": ("T-SQL", "now()"),
    "sysdatetime": ("T-SQL", "clock_timestamp()"),
    "newid": ("T-SQL", "gen_random_uuid()"),
    "newsequentialid": ("T-SQL", "uuidv7()"),
    "isnull": ("T-SQL", "coalesce(a, b)"),
    "ifnull": ("MySQL", "coalesce(a, b)"),
    "nvl": ("Oracle", "coalesce(a, b)"),
    "unix_timestamp": ("MySQL", "extract(epoch FROM now())"),
    "curdate": ("MySQL", "current_date"),
    "uuid": ("MySQL", "uuidv7()"),
    "last_insert_id": ("MySQL", "RETURNING"),
    "date_format": ("MySQL", "to_char(value, format)"),
    "group_concat": ("MySQL", "string_agg(value, ',')"),
    "sys_guid": ("Oracle", "gen_random_uuid()"),
}
"""Functions of other databases → (dialect, what to use)."""


def sightings(text: str) -> list[Sighting]:
    """Return the foreign idioms in a refused statement, in order, outside strings and comments."""
    masked = mask(text)
    found = [
        Sighting(idiom, match.start(), match.end())
        for idiom in idioms()
        for match in idiom.pattern.finditer(_pick(idiom, text, masked))
    ]
    return sorted(found, key=lambda sighting: sighting.start)


def _pick(idiom: Idiom, text: str, masked: str) -> str:
    """Idioms whose pattern holds a quoted string must see the text itself."""
    return text if "'" in idiom.pattern.pattern else masked


_MASKED = re.compile(r"--[^\n]*|/\*(?:.*?\*/|.*)|'(?:[^']|'')*'", re.DOTALL)


def mask(text: str) -> str:
    """Return the text with comments and strings blanked in place, counted in characters."""
    return _MASKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def without(text: str, seen: list[Sighting]) -> str:
    """Return the text with every sighting replaced in place by its stand-in."""
    for sighting in sorted(seen, key=lambda s: s.start, reverse=True):
        part = text[sighting.start : sighting.end]
        text = text[: sighting.start] + _replacement(sighting, part) + text[sighting.end :]
    return text


def _replacement(sighting: Sighting, part: str) -> str:
    stand_in = sighting.idiom.stand_in
    if stand_in == '"':
        return '"' + part[1:-1] + '"'
    if not stand_in or len(stand_in) > len(part):
        return blank(part)
    return stand_in + blank(part[len(stand_in) :])


def merged(seen: list[Sighting]) -> Iterator[Sighting]:
    """Yield the sightings that do not lie inside an earlier one."""
    end = -1
    for sighting in seen:
        if sighting.start >= end:
            yield sighting
            end = sighting.end
