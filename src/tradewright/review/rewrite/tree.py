"""The files of a folder as values, so that a rewriting can be tried without touching the folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tradewright.review.model import Edit
from tradewright.review.result import included, standing
from tradewright.review.settings import Settings
from tradewright.review.source.layouts import read_folder
from tradewright.review.source.text import Direction, Source, Wrapping

_TAKEN = (".sql", ".conf", ".plan")


@dataclass(frozen=True, slots=True)
class Tree:
    """The migrations of one folder by their path within it."""

    files: Mapping[str, bytes]
    settings: Settings

    @classmethod
    def of_folder(cls, folder: Path, settings: Settings) -> "Tree":
        """Read a folder with everything that says how its files are run."""
        paths = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in _TAKEN)
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
        return cls(files, settings)

    def sources(self) -> list[Source]:
        """Return the sources as the reviewer would read them, with paths within the folder."""
        with TemporaryDirectory(prefix="tradewright-") as name:
            root = Path(name)
            for path, data in self.files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)
            found = [s for s in read_folder(root) if included(s, self.settings)]
            wrapping = self.settings.transaction
            placed = [_placed(s, root, wrapping or s.wrapping) for s in found]
            return [*standing(self.settings), *placed]

    def with_file(self, path: str, data: bytes) -> "Tree":
        """Return the tree with one file written anew."""
        return replace(self, files={**self.files, path: data})

    def without(self, path: str) -> "Tree":
        """Return the tree without one file."""
        return replace(self, files={p: d for p, d in self.files.items() if p != path})

    def edited(self, edits: Sequence[Edit]) -> "Tree":
        """Return the tree with edits made that do not overlap."""
        files = dict(self.files)
        for path in {edit.path for edit in edits}:
            files[path] = _edited(files[path], [e for e in edits if e.path == path])
        return replace(self, files=files)


def _placed(source: Source, root: Path, wrapping: Wrapping) -> Source:
    path = Path(source.path).relative_to(root.as_posix()).as_posix()
    return replace(source, path=path, wrapping=wrapping)


def _edited(data: bytes, edits: list[Edit]) -> bytes:
    parts, at = [], 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        parts += [data[at : edit.start], edit.text.encode()]
        at = edit.end
    return b"".join([*parts, data[at:]])


def not_text(data: bytes) -> tuple[int, str] | None:
    """Return the line where bytes are no text in UTF-8, and why; None where all of them are."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return line, f"the byte 0x{data[error.start]:02x} is no text in UTF-8"
    if "\0" in text:
        return text.count("\n", 0, text.index("\0")) + 1, "a zero byte is no text in UTF-8"
    return None


def overlap(edits: Sequence[Edit], taken: Sequence[Edit]) -> bool:
    """Return whether an edit changes bytes that another one changes already."""
    return any(
        one.path == other.path and one.start < other.end and other.start < one.end
        for one in edits
        for other in taken
    )


def down_path(source: Source) -> str | None:
    """Return where the down of an up source belongs; None where one file holds both."""
    path = Path(source.path)
    if source.layout == "flyway":
        return path.with_name(f"U{path.name[1:]}").as_posix()
    if path.name.lower() == "up.sql":
        return path.with_name("down.sql").as_posix()
    if source.layout not in {"numbered", "tradewright", "golang-migrate"}:
        return None
    stem = path.name.removesuffix(".sql").removesuffix(".up")
    return path.with_name(f"{stem}.down.sql").as_posix()


def ups(sources: Sequence[Source]) -> Iterator[Source]:
    """Yield the sources that build."""
    return (source for source in sources if source.direction is Direction.UP)
