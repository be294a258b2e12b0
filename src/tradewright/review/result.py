"""A finished review, and how to obtain one from a folder of migrations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review.halves import read_in_halves
from tradewright.review.model import Finding, Severity
from tradewright.review.platforms import platform_of, read_platform
from tradewright.review.read import ReadStage
from tradewright.review.registry import read_rules
from tradewright.review.rule import Context
from tradewright.review.schema.catalog import Schema
from tradewright.review.settings import Settings, read_settings
from tradewright.review.source.layouts import read_folder, read_standing
from tradewright.review.source.placeholders import with_values
from tradewright.review.source.text import Source

if TYPE_CHECKING:
    from tradewright.review.prove.model import ProofResult
    from tradewright.review.verify.outcome import Verdict


@dataclass(frozen=True, slots=True)
class ReviewedFile:
    """One file of the review with its length and its worst finding."""

    path: str
    line_count: int
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that a report shows."""

    folder: str
    findings: tuple[Finding, ...]
    files: tuple[ReviewedFile, ...]
    context: Context
    silenced_count: int = 0
    stale_count: int = 0
    proof: "ProofResult | None" = None
    verdicts: "tuple[Verdict, ...]" = ()
    unproven: str = ""

    def count(self, severity: Severity) -> int:
        """Return the number of findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def at_or_above(self, severity: Severity) -> int:
        """Return the number of findings at least as severe."""
        return sum(finding.severity.rank <= severity.rank for finding in self.findings)

    def line_of(self, path: str, line: int) -> str:
        """Return one line of a reviewed file as its author wrote it."""
        source = next((r.source for r in self.context.readings if r.source.path == path), None)
        return source.line_text(line) if source else ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which migrations count as not yet applied; findings elsewhere are left out.

    `after` is a version that is already applied; `changed` holds the paths that differ from a
    revision of the repository, `edited` those among them that already stood in it.
    """

    after: str | None = None
    changed: frozenset[str] | None = None
    edited: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        """Return whether only a part of the files is under review."""
        return self.after is not None or self.changed is not None

    def covers(self, source: Source) -> bool:
        """Return whether a source is in scope."""
        if source.standing:
            return False
        if self.changed is not None and str(Path(source.path).resolve()) not in self.changed:
            return False
        return self.after is None or _newer(source, self.after)


def review_folder(
    folder: Path,
    settings: Settings | None = None,
    scope: Scope | None = None,
    *,
    processes: int = 1,
) -> Review:
    """Read and judge every migration of a folder; with two processes, if that is faster.

    Raises:
        InputError: the folder holds no migration, or its settings cannot be read.

    """
    settings = settings if settings is not None else read_settings(folder)
    sources = read_sources(folder, settings)
    return review_sources(sources, settings, scope or Scope(), str(folder), processes=processes)


def read_sources(folder: Path, settings: Settings) -> list[Source]:
    """Return the sources of a folder that the settings want, sent as they say.

    Raises:
        InputError: the folder holds no migration.

    """
    sources = [s for s in read_folder(folder) if included(s, settings)]
    if settings.transaction is not None:
        sources = [replace(s, wrapping=settings.transaction) for s in sources]
    sources = [*standing(settings, sources), *sources]
    if not settings.placeholders:
        return sources
    return [with_values(source, settings.placeholders) for source in sources]


def standing(settings: Settings, beside: Sequence[Source] = ()) -> list[Source]:
    """Return the schema that stands before the first migration: the settings' or a platform's.

    Raises:
        InputError: MIGRATION_FILE_UNREADABLE; INPUT_REVIEW_SETTINGS_UNREADABLE where it is a
            migration itself.

    """
    if settings.schema is None:
        platform = platform_of(beside)
        return [read_platform(platform)] if platform else []
    own = str(settings.schema.resolve())
    if any(str(Path(source.path).resolve()) == own for source in beside):
        raise InputError(
            ErrorCode.INPUT_REVIEW_SETTINGS_UNREADABLE,
            f'schema "{settings.schema}" is one of the migrations',
            why="It stands before the first migration, so it cannot be one.",
            hint="Keep it elsewhere, or leave it out of the migrations: exclude = [...].",
            facts={"schema": settings.schema},
        )
    return [read_standing(settings.schema)]


def review_sources(
    sources: Sequence[Source],
    settings: Settings,
    scope: Scope,
    folder: str,
    *,
    processes: int = 1,
) -> Review:
    """Judge sources that have already been read from somewhere.

    Raises:
        InputError: MIGRATION_VERSION_UNKNOWN; the scope begins after a version that none has.

    """
    migrations = [source for source in sources if not source.standing]
    require_version(scope.after, migrations)
    covered = frozenset(source.path for source in migrations if scope.covers(source))
    unapplied = covered if scope.is_limited else None
    stage = _stage(settings, scope, unapplied)
    findings = read_in_halves(stage, sources) if processes > 1 else None
    if findings is None:
        stage = _stage(settings, scope, unapplied)
        findings = stage.run(sources)
    findings = [_within(covered, f) for f in findings if f.location.path in covered]
    return Review(
        folder=folder,
        findings=tuple(findings),
        files=reviewed_files(migrations, findings),
        context=stage.context,
    )


def _within(covered: frozenset[str], finding: Finding) -> Finding:
    """Return a finding without its correction, where that would change a file out of scope."""
    if all(edit.path in covered for edit in finding.edits):
        return finding
    return replace(finding, edits=())


def _stage(settings: Settings, scope: Scope, unapplied: frozenset[str] | None) -> ReadStage:
    context = Context(Schema(), settings, unapplied=unapplied, edited=scope.edited)
    return ReadStage(read_rules().values(), context)


def reviewed_files(
    sources: Sequence[Source], findings: Sequence[Finding]
) -> tuple[ReviewedFile, ...]:
    """Return each file once, with its lines and its worst finding."""
    worst: dict[str, Severity] = {}
    for finding in findings:
        path = finding.location.path
        if path not in worst or finding.severity.rank < worst[path].rank:
            worst[path] = finding.severity
    unique = {source.path: source for source in sources}
    return tuple(
        ReviewedFile(path, source.line_count, worst.get(path))
        for path, source in sorted(unique.items())
    )


def included(source: Source, settings: Settings) -> bool:
    """Return whether the settings do not exclude a source."""
    return not any(
        fnmatch(source.path, pattern) or fnmatch(Path(source.path).name, pattern)
        for pattern in settings.exclude
    )


def require_version(after: str | None, sources: Sequence[Source]) -> None:
    """Refuse a version that no source has: after it, nothing might be judged, in silence.

    One that is smaller than all of them is taken: everything comes after it.

    Raises:
        InputError: MIGRATION_VERSION_UNKNOWN.

    """
    if after is None or any(source.label == after for source in sources):
        return
    wanted, known = _numbers(after), {_version_numbers(source) for source in sources} - {()}
    if wanted and (wanted in known or all(wanted < each for each in known)):
        return
    shown = ", ".join(".".join(map(str, each)) for each in sorted(known)) or "none with a number"
    raise InputError(
        ErrorCode.MIGRATION_VERSION_UNKNOWN,
        f'no migration has the version "{after}"',
        why=f"What is reviewed after an unknown version may be nothing. There are: {shown}.",
        hint="Name the last version that is applied; 0 reviews everything.",
        facts={"after": after},
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers; none where it begins with something else."""
    parts = version.replace("_", ".").split(".")
    return tuple(int(part) for part in takewhile(str.isdecimal, parts))


def _version_numbers(source: Source) -> tuple[int, ...]:
    return tuple(part for part in source.version[1:] if isinstance(part, int))


def _newer(source: Source, after: str) -> bool:
    """Return whether a source's version comes after the given one (numbers, or a label)."""
    numbers, wanted = _version_numbers(source), _numbers(after)
    if wanted and numbers:
        return numbers > wanted
    return source.label > after
