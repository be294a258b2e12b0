"""The use cases of rewriting: propose corrections of a folder, write them, convert one file."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.prove.shadow import shadow_server
from tradewright.review.result import Scope, require_version
from tradewright.review.rewrite.conversion import not_convertible, schema_before
from tradewright.review.rewrite.model import Proposal, Reason
from tradewright.review.rewrite.proof import Complaint, complaints
from tradewright.review.rewrite.rounds import reviewed
from tradewright.review.rewrite.tree import Tree, down_path, not_text
from tradewright.review.rewrite.writer import ServerWhenNeeded, propose
from tradewright.review.rule import Context
from tradewright.review.settings import read_settings
from tradewright.review.source.statements import read_statements
from tradewright.review.source.text import Source

if TYPE_CHECKING:
    from tradewright.review.rewrite.mysql.script import Conversion

_NUMBERED = re.compile(r"V?\d")
_TRIALS_MAX = 20


def fix_folder(
    folder: Path, scope: Scope | None = None, *, server: EmbeddedServer | None = None
) -> Proposal:
    """Return proven corrections of a folder's migrations (or of one file); nothing is written.

    Files outside the scope, and files that were changed after the revision that limits it, stay as
    they are. Without `server` a scratch server is started for the proof.

    Raises:
        InputError: the folder holds no migration, or its settings cannot be read;
            MIGRATION_VERSION_UNKNOWN.
        StateError: EMBEDDED_NOT_INSTALLED, REWRITE_READER_MISSING.

    """
    root = folder if folder.is_dir() else folder.parent
    tree = Tree.of_folder(root, read_settings(root))
    scope = scope or Scope()
    covered, unreadable = set(), []
    require_version(scope.after, tree.sources())
    for source in tree.sources():
        path = root / source.path
        placed = replace(source, path=str(path))
        chosen = folder.is_dir() or path.resolve() == folder.resolve()
        if chosen and scope.covers(placed) and str(path.resolve()) not in scope.edited:
            told = not_text(tree.files[source.path])
            if told is None:
                covered.add(source.path)
            else:
                unreadable.append(Reason(source.path, told[0], "the whole file", told[1]))
    with _server(server) as running:
        proposal = propose(tree, frozenset(covered), running)
    return replace(proposal, unconverted=(*unreadable, *proposal.unconverted))


@contextmanager
def _server(given: EmbeddedServer | None) -> Iterator[ServerWhenNeeded]:
    """Give what starts a scratch server the first time that there is something to prove."""
    with ExitStack() as opened:
        yield cache(lambda: given or opened.enter_context(shadow_server()))


def write_changes(folder: Path, proposal: Proposal) -> list[Path]:
    """Write a proposal into its folder; all of it, or nothing when a file is no longer as it was.

    Raises:
        StateError: REWRITE_FILE_CHANGED.

    """
    root = folder if folder.is_dir() else folder.parent
    for change in proposal.changes:
        path = root / change.path
        now = path.read_bytes() if path.exists() else None
        if now != change.before:
            raise StateError(
                ErrorCode.REWRITE_FILE_CHANGED,
                f'file "{path}" was changed while its corrections were made',
                why="Nothing was written.",
                hint="Run the command again.",
                facts={"path": path},
            )
    for change in proposal.changes:
        (root / change.path).write_bytes(change.after)
    return [root / change.path for change in proposal.changes]


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """A file in PostgreSQL's words, its down where one could be made, and what was left."""

    text: str
    down: str | None
    unconverted: tuple[Reason, ...]
    withdrawn: tuple[Reason, ...]
    notes: tuple[Reason, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the file as JSON-ready values."""
        return {
            "text": self.text,
            "down": self.down,
            "unconverted": [reason.as_dict() for reason in self.unconverted],
            "withdrawn": [reason.as_dict() for reason in self.withdrawn],
            "notes": [reason.as_dict() for reason in self.notes],
        }


def convert_file(file: Path, *, server: EmbeddedServer | None = None) -> ConvertedFile:
    """Return a file of MySQL as PostgreSQL's, proven on a scratch server; nothing is written.

    A file named like a migration stands on those before it in its folder.

    Raises:
        InputError: INPUT_REVIEW_FOLDER_EMPTY when the file is not there; MIGRATION_FILE_UNREADABLE.
        StateError: EMBEDDED_NOT_INSTALLED, REWRITE_READER_MISSING.

    """
    _require_file(file)
    tree, path = _tree_before(file)
    _require_text(file, tree.files[path])
    source = next(source for source in tree.sources() if source.path == path)
    whole = not_convertible(tree, source)
    if whole is not None:
        from tradewright.review.rewrite.mysql.script import stopped  # noqa: PLC0415 - reads sqlglot

        text = stopped(tree.files[path].decode(), whole.why)
        return ConvertedFile(text, None, (whole,), (), ())
    with _server(server) as running:
        proposal = propose(tree, frozenset({path}), running, given=frozenset({path}))
        if any(r.subject in {"MySQL", "the whole file"} for r in _left(proposal)):
            return _converted_in_part(tree, path, running)
    after = {change.path: change.after.decode("utf-8") for change in proposal.changes}
    text = after.get(path, source.text)
    return ConvertedFile(
        text=text,
        down=after.get(down_path(source) or ""),
        unconverted=(*proposal.unconverted, *_unreadable(replace(source, text=text))),
        withdrawn=proposal.withdrawn,
        notes=proposal.notes,
    )


def _unreadable(source: Source) -> list[Reason]:
    """Return what no database reads: it went through as it was, for nothing of MySQL is in it."""
    refusals = [refusal.broken for refusal in read_statements(source).refusals]
    return [
        Reason(source.path, source.locate(one.start).line, "the whole file", one.message)
        for one in refusals
    ]


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise InputError(
            ErrorCode.INPUT_REVIEW_FOLDER_EMPTY,
            f'no file to convert at "{file}"',
            hint="Name one file of SQL.",
            facts={"file": file},
        )


def _require_text(file: Path, data: bytes) -> None:
    """Refuse bytes that are no text in UTF-8: they would come back as other bytes."""
    told = not_text(data)
    if told is not None:
        line, why = told
        raise InputError(
            ErrorCode.MIGRATION_FILE_UNREADABLE,
            f'file "{file}" cannot be read as UTF-8 text',
            why=f"Line {line}: {why}.",
            hint="Save the file as UTF-8.",
            facts={"file": file, "line": line},
        )


def _left(proposal: Proposal) -> tuple[Reason, ...]:
    return (*proposal.unconverted, *proposal.withdrawn)


def _tree_before(file: Path) -> tuple[Tree, str]:
    """Return the tree that a file is converted in, and its path there."""
    settings = replace(read_settings(file.parent), require_down=True)
    name = file.name if file.suffix == ".sql" else f"{file.name}.sql"
    if not _NUMBERED.match(file.name):
        return Tree({name: file.read_bytes()}, settings), name
    whole = Tree.of_folder(file.parent, settings)
    order = [source.path for source in whole.sources()]
    later = order[order.index(name) + 1 :] if name in order else []
    ups = [path for path in order if path not in later]
    kept = {path: data for path, data in whole.files.items() if path in ups}
    return Tree({**kept, name: file.read_bytes()}, settings), name


def _converted_in_part(tree: Tree, path: str, server: ServerWhenNeeded) -> ConvertedFile:
    """Convert statement by statement; what the server refuses goes back under a note."""
    from tradewright.review.rewrite.mysql.script import convert, stopped  # noqa: PLC0415

    context, _ = reviewed(tree, {path})
    source = next(reading.source for reading in context.ups() if reading.source.path == path)
    refused, is_proven = _refused(tree, context, source, server)
    result = convert(source.text, schema_before(context, source), refused, stops=True)
    told = [
        Reason(path, note.line, "MySQL", note.text) for note in result.notes if not note.refused
    ]
    refusals = [Reason(path, note.line, "MySQL", note.text) for note in result.refusals]
    text = result.text
    if not is_proven:
        why = f"after {_TRIALS_MAX} trials the server still refuses some of it"
        refusals.append(Reason(path, 1, "the whole file", why))
        text = stopped(text, why)
    return ConvertedFile(text, None, tuple(refusals), (), tuple(told))


def _refused(
    tree: Tree, context: Context, source: Source, server: ServerWhenNeeded
) -> tuple[dict[int, str], bool]:
    """Return which converted statements the server refuses and why, and if it takes the rest."""
    from tradewright.review.rewrite.mysql.script import convert  # noqa: PLC0415 - reads sqlglot

    refused: dict[int, str] = {}
    for _ in range(_TRIALS_MAX):
        result = convert(source.text, schema_before(context, source), refused)
        found = complaints(tree.with_file(source.path, result.text.encode()), server())
        news = _refused_pieces(result, [c for c in found if c.path == source.path])
        if not news:
            return refused, True
        refused |= news
    return refused, False


def _refused_pieces(result: "Conversion", wrong: list[Complaint]) -> dict[int, str]:
    """Return the converted statements that the server refuses, and why."""
    found = {}
    for complaint in wrong:
        before = [n for n, (line, _) in enumerate(result.pieces) if line <= complaint.line]
        if before and result.pieces[before[-1]][1]:
            found[before[-1]] = f"PostgreSQL refuses it: {complaint.why}"
    return found
