"""Whatever a file holds, the review ends, and ends soon, with a report and not with a crash.

The texts here are small versions of what a longer run tried: mutated fixtures (seeded), bytes of
no meaning, and texts built to make scanners and patterns run in circles.
"""

import random
from pathlib import Path

import pytest

from tradewright.core.clock import monotonic_seconds
from tradewright.review.report import FORMATS, renderer
from tradewright.review.result import review_folder
from tradewright.review.rewrite.mysql.script import convert
from tradewright.review.rewrite.rounds import corrected
from tradewright.review.rewrite.tree import Tree
from tradewright.review.schema.catalog import Schema
from tradewright.review.settings import Settings
from tradewright.review.source.statements import REFUSED_MAX

HERE = Path(__file__).parent
SEED = 20260118
ROUNDS = 150
SECONDS_MAX = 20
SPLICES = (
    b"'",
    b'"',
    b"$$",
    b"/*",
    b"*/",
    b";",
    b"(",
    b")",
    b"--",
    b"`",
    b"\\",
    b"\x00",
    b"\xff",
    b"DELIMITER //\n",
    b"$a$",
)

CIRCLES = {
    "binary": random.Random(SEED).randbytes(100_000),  # noqa: S311 - seeded on purpose
    "open comments": b"/*" * 100_000,
    "open dollar quotes": b"".join(b"$a%d$ " % i for i in range(30_000)),
    "open brackets": b"SELECT " + b"(" * 100_000,
    "deep brackets": b"SELECT " + b"(" * 4_000 + b"1" + b")" * 4_000 + b";",
    "long sum": b"SELECT " + b"1+" * 100_000 + b"1;",
    "long negation": b"SELECT " + b"-" * 100_000 + b"1;",
    "quotes": b"'" * 100_001,
    "backticks": b"`" * 100_000,
    "inline enums": b"x ENUM('" * 30_000,
    "delimiters": b"DELIMITER x\n" * 20_000,
    "atomic bodies": b"BEGIN ATOMIC " * 20_000,
    "declarations": b"DO $$ " + b"DECLARE a " * 30_000 + b" $$;",
    "conditions": b"DO $$ BEGIN " + b"IF a " * 30_000 + b" END $$;",
    "transactions": b"BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;" * 1_500,
    "nothing": b"",
    "one byte": b"\xff",
    "many statements": b"SELECT 1;" * 30_000,
}


def review_bytes(data: bytes, folder: Path) -> None:
    (folder / "001_hostile.sql").write_bytes(data)
    started = monotonic_seconds()
    review = review_folder(folder, Settings())
    for name in FORMATS:
        renderer(name)(review)
    assert monotonic_seconds() - started < SECONDS_MAX


@pytest.mark.parametrize("name", CIRCLES)
def test_texts_built_to_run_in_circles_end_soon(name: str, tmp_path: Path) -> None:
    review_bytes(CIRCLES[name], tmp_path)


def test_mutated_migrations_never_crash_the_review(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - seeded on purpose
    folders = ("founding", "founding_advice", "cases")
    bases = [p.read_bytes() for f in folders for p in sorted((HERE / f).glob("*.sql"))]
    for _ in range(ROUNDS):
        review_bytes(mutated(chance.choice(bases), chance), tmp_path)


def test_mutated_migrations_never_crash_the_rewriting() -> None:
    chance = random.Random(SEED)  # noqa: S311 - seeded on purpose
    bases = [p.read_bytes() for f in ("founding", "mysql") for p in (HERE / f).glob("*.sql")]
    bases += [p.read_bytes() for p in sorted((HERE / "cases").glob("*.sql"))]
    for _ in range(ROUNDS):
        data = mutated(chance.choice(bases), chance)
        convert(data.decode("utf-8", "replace"), Schema())
        tree = Tree({"001_hostile.sql": data}, Settings())
        once = corrected(tree, frozenset(tree.files))
        assert corrected(once.tree, frozenset(tree.files)).fixes == ()


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(changed) + 1)
        to = min(len(changed), at + chance.randint(1, 60))
        kind = chance.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at:to]
        elif kind == 2:
            changed[at:at] = changed[at:to] * chance.randint(1, 5)
        elif kind == 3:
            changed[at:at] = chance.choice(SPLICES)
        else:
            del changed[max(at, 1) :]
    return bytes(changed)


def test_a_large_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    row = b"INSERT INTO t (id, note) VALUES (1, 'some text that goes on');\n"
    text = b"CREATE TABLE t (id int PRIMARY KEY, note text);\n" + row * 30_000
    review_bytes(text + b"CREATE TABLE broken (;\n", tmp_path)
    findings = review_folder(tmp_path, Settings()).findings
    found = [(f.rule, f.location.line) for f in findings]
    assert found == [("unread-statement", 2_002), ("syntax-error", 30_002)]


def test_a_file_that_is_no_text_is_told_once_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "001_utf_16.sql").write_bytes(
        "CREATE TABLE t (id int);\n".encode("utf-16-le") * 999
    )
    findings = review_folder(tmp_path, Settings()).findings
    told = [(f.message, f.location.line) for f in findings if f.rule == "syntax-error"]
    assert told == [("zero bytes: the file is not text in UTF-8", 1)]


def test_a_file_of_something_else_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "001_rows.sql").write_text("7;1,5;é\n" * 5_000, "utf-8")
    findings = review_folder(tmp_path, Settings()).findings
    assert sum(f.rule == "syntax-error" for f in findings) == REFUSED_MAX
    assert [f.message for f in findings if f.rule == "unread-statement"] == [
        "1,000 statements were refused; the rest was not read"
    ]
