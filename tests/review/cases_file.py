"""Reading the rules' case files.

A case file holds blocks that begin with `-- bad:`, `-- repaired:` or `-- near miss:` and a title.
A block is one migration, or several when `-- file: NAME` lines divide it. `-- <-` at a line's end
marks where a finding is expected; a bad block without marks expects one anywhere. `@BOM@` stands
for a byte order mark and `@ROWS@` for more than a megabyte of rows. `-- edited: NAME` says that a
file was changed after its release, `-- released: NAME` that it was released as it is, and all other
files are new.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Finding
from tradewright.review.prove.stage import prove_context
from tradewright.review.proven import joined
from tradewright.review.result import Review, Scope, review_sources
from tradewright.review.settings import Settings
from tradewright.review.source.layouts import read_folder

CASES = Path(__file__).parent / "cases"
_BLOCK = re.compile(r"^-- (bad|repaired|near miss): (.+)$", re.MULTILINE)
_FILE = re.compile(r"^-- file: (\S+)$", re.MULTILINE)
_RELEASED = re.compile(r"^-- released: (\S+)$", re.MULTILINE)
_EDITED = re.compile(r"^-- edited: (\S+)$", re.MULTILINE)
MARK = "-- <-"
_ROWS = ", ".join(["('0198c5f0-0000-7000-8000-000000000000')"] * 30_000)


@dataclass(frozen=True, slots=True)
class Case:
    """One block of a case file."""

    rule: str
    kind: str
    title: str
    files: tuple[tuple[str, str], ...]

    @property
    def marks(self) -> set[tuple[str, int]]:
        """Return the marked places as (file, line)."""
        return {
            (name, number)
            for name, text in self.files
            for number, line in enumerate(text.splitlines(), 1)
            if line.rstrip().endswith(MARK)
        }


def read_cases(path: Path) -> list[Case]:
    text = path.read_text("utf-8")
    parts = _BLOCK.split(text)[1:]
    return [
        Case(path.stem, kind, title.strip(), _files(body))
        for kind, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def _files(body: str) -> tuple[tuple[str, str], ...]:
    parts = _FILE.split(body.lstrip("\n"))
    if len(parts) == 1:
        return (("001_case.sql", parts[0]),)
    return tuple(
        (name, text.removeprefix("\n")) for name, text in zip(parts[1::2], parts[2::2], strict=True)
    )


def review_case(case: Case, folder: Path) -> Review:
    for name, text in case.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@BOM@", "\ufeff").replace("@ROWS@", _ROWS), "utf-8")
    sources = [
        replace(s, path=Path(s.path).relative_to(folder).as_posix()) for s in read_folder(folder)
    ]
    text = "".join(text for _, text in case.files)
    edited = frozenset(str(Path(name).resolve()) for name in _EDITED.findall(text))
    scope = Scope(edited=edited)
    if released := _RELEASED.findall(text):
        new = {s.path for s in sources} - {*released}
        scope = Scope(changed=frozenset(str(Path(name).resolve()) for name in new))
    return review_sources(sources, Settings(), scope, "case")


def prove_case(case: Case, folder: Path, server: EmbeddedServer) -> list[Finding]:
    """Return the findings of both stages."""
    review = review_case(case, folder)
    proof = prove_context(review.context, server=server)
    return joined(list(review.findings), list(proof.findings), review.context.readings)
