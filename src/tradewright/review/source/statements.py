"""From a source to its statements, reading on behind everything that PostgreSQL refuses."""

import re
from dataclasses import dataclass, field
from itertools import islice

from tradewright.review.source.dialects import Sighting, idioms, mask, merged, sightings, without
from tradewright.review.source.parser import ParseError, RawStatement, parse
from tradewright.review.source.placeholders import with_stand_ins
from tradewright.review.source.splitting import split
from tradewright.review.source.text import BrokenStatement, Source, Statement

WHOLE_FILE_BYTES_MAX = 1_000_000
"""Larger files are read statement by statement, to bound memory."""

ROWS_MAX = 2_000
"""INSERT statements read of a file that is read statement by statement."""

SIGHTED_CHARACTERS_MAX = 32_000
"""Foreign idioms are looked for in so much of a refused statement."""

SIGHTINGS_MAX = 200
"""Foreign idioms reported for one statement; more of them are the same story."""

REFUSED_MAX = 1_000
"""Refused statements after which the rest of a file is not read: it is something else than SQL."""

STATEMENT_BYTES_MAX = 1_000_000
"""Larger statements (seed data, as a rule) are not read; a finding says so."""


@dataclass(slots=True, eq=False, repr=False)
class ForeignRoutine:
    """A stored procedure in another database's language, read as far as its SQL goes."""

    name: str
    body: str
    body_start: int
    broken: BrokenStatement


@dataclass(slots=True, eq=False, repr=False)
class Refusal:
    """A refused statement with the foreign idioms seen in it (byte offsets in the file)."""

    broken: BrokenStatement
    seen: list[tuple[Sighting, int]] = field(default_factory=list)
    routine: ForeignRoutine | None = None


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """What was read of one source."""

    source: Source
    statements: list[Statement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    unread: list[BrokenStatement] = field(default_factory=list)
    boundaries: list[tuple[int, bool | None]] | None = None


_ROUTINE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:PROCEDURE|FUNCTION)\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?[`\"]?(?P<name>\w+)[`\"]?\s*\(",
    re.IGNORECASE,
)


def read_statements(source: Source) -> Reading:
    """Parse a source; refused statements become refusals and the rest is read all the same."""
    reading = _read(source)
    if source.undecodable >= 0:
        at = source.undecodable
        message = "a byte here is not UTF-8, which servers and runners expect"
        broken = BrokenStatement(reading.source, at, at, message, at)
        reading.refusals.append(Refusal(broken))
    return reading


def _read(source: Source) -> Reading:
    reading = Reading(source)
    if b"\0" in source.sample:
        message = "zero bytes: the file is not text in UTF-8"
        reading.refusals.append(Refusal(BrokenStatement(source, 0, 0, message, 0)))
        return reading
    if len(source.data) <= WHOLE_FILE_BYTES_MAX:
        try:
            reading.statements = [_statement(source, raw, 0) for raw in parse(source.data)]
        except ParseError:
            filled = with_stand_ins(source)
            if filled is not source:
                return _read(filled)
            reading.statements = []
        else:
            return reading
    _read_pieces(reading)
    _read_client_lines(reading)
    return reading


def _statement(
    source: Source, raw: RawStatement, shift: int, *, repaired: bool = False
) -> Statement:
    start, end = raw.start + shift, raw.end + shift
    return Statement(source, raw.kind, raw.tree, start, end, shift, repaired, raw.node)


def _read_pieces(reading: Reading) -> None:
    """Read a file statement by statement; of a large file's rows only the first are read."""
    source, text = reading.source, reading.source.text
    rows_left = ROWS_MAX if len(source.data) > WHOLE_FILE_BYTES_MAX else len(text)
    skipped, character, byte, first = 0, 0, 0, 0
    for start, end in split(text):
        byte += len(text[character:start].encode("utf-8", "replace"))
        character = start
        if text.startswith(("INSERT", "insert"), start):
            rows_left -= 1
            if rows_left < 0:
                first = first if skipped else byte
                skipped += 1
                continue
        if len(reading.refusals) >= REFUSED_MAX:
            message = f"{REFUSED_MAX:,} statements were refused; the rest was not read"
            reading.unread.append(BrokenStatement(source, byte, byte, message, byte))
            break
        _read_piece(reading, text[start:end], byte)
    if skipped:
        message = f"{skipped:,} statements that insert rows were not read"
        reading.unread.append(BrokenStatement(source, first, first, message, first))


def _read_piece(reading: Reading, piece: str, shift: int) -> None:
    source = reading.source
    data = piece.encode("utf-8", "replace")
    if len(data) > STATEMENT_BYTES_MAX:
        message = f"statement of {len(data):,} bytes was not read"
        reading.unread.append(BrokenStatement(source, shift, shift + len(data), message, shift))
        return
    try:
        reading.statements += [_statement(source, raw, shift) for raw in parse(data)]
    except ParseError as error:
        broken = BrokenStatement(
            source, shift, shift + len(data), error.message, shift + error.offset
        )
        reading.refusals.append(_refusal(reading, broken, piece))


def _read_client_lines(reading: Reading) -> None:
    """Report the first line of each client's own command (DELIMITER, GO); psql's have a rule."""
    source = reading.source
    for idiom in (idiom for idiom in idioms() if idiom.name in {"DELIMITER", "GO"}):
        match = idiom.pattern.search(source.text)
        match = match and idiom.pattern.search(mask(source.text))
        if match is not None:
            start, end = source.byte_of(match.start()), source.byte_of(match.end())
            message = f'syntax error at or near "{idiom.name}"'
            broken = BrokenStatement(source, start, end, message, start)
            seen = [(Sighting(idiom, match.start(), match.end()), start)]
            reading.refusals.append(Refusal(broken, seen))


def _refusal(reading: Reading, broken: BrokenStatement, piece: str) -> Refusal:
    seen = list(islice(merged(sightings(piece[:SIGHTED_CHARACTERS_MAX])), SIGHTINGS_MAX))
    masked = mask(piece)
    refusal = Refusal(broken, [(s, broken.start + _bytes(piece, _word(masked, s))) for s in seen])
    routine = _ROUTINE.match(piece)
    if routine:
        refusal.routine = _foreign_routine(broken, piece, routine)
    repaired = _repaired(piece, seen)
    if repaired is not None:
        reading.statements += [
            _statement(reading.source, raw, broken.start, repaired=True) for raw in repaired
        ]
    return refusal


def _word(masked: str, sighting: Sighting) -> int:
    """Return where the idiom's first word begins, behind a comma, blanks and comments."""
    start = sighting.start
    while start < sighting.end - 1 and masked[start] in ", \t\r\n":
        start += 1
    return start


def _bytes(piece: str, character: int) -> int:
    return len(piece[:character].encode("utf-8", "replace"))


def _foreign_routine(
    broken: BrokenStatement, piece: str, match: re.Match[str]
) -> ForeignRoutine | None:
    begin = re.compile(r"\bBEGIN\b", re.IGNORECASE).search(piece, match.end())
    if begin is None or "$$" in piece:
        return None
    start = broken.start + _bytes(piece, begin.start())
    return ForeignRoutine(match["name"], piece[begin.start() :], start, broken)


_UNIQUE_WHERE = re.compile(
    r"(\bUNIQUE\s*\([^()]*\))(\s*WHERE\s+(?:[^(),]|\([^()]*\))+?)(?=\s*(?:,|\)\s*$|\)\s*;))",
    re.IGNORECASE,
)
_TRAILING_COMMA = re.compile(r",(\s*(?:--[^\n]*\s*)*\))")


def _repaired(piece: str, seen: list[Sighting]) -> list[RawStatement] | None:
    """Return the statement as PostgreSQL would read it with the foreign parts blanked out."""
    candidate = without(piece, seen)
    for attempt in (candidate, _without_partial_unique(candidate), _without_comma(candidate)):
        if attempt == piece:
            continue
        try:
            return parse(attempt.encode("utf-8", "replace"))
        except ParseError:
            continue
    return None


def _without_partial_unique(text: str) -> str:
    return _UNIQUE_WHERE.sub(lambda match: match[1] + re.sub(r"[^\n]", " ", match[2]), text)


def _without_comma(text: str) -> str:
    return _TRAILING_COMMA.sub(r" \1", _without_partial_unique(text))
