"""Run what is pending on a shadow, and report what each statement locked, scanned and rewrote.

Nothing is guessed from the text: locks are read from pg_locks, rewrites from the files that tables
are stored in, scans from the server's counters. How long it will take is then estimated from the
sizes of the real tables. Objects that the same files make do not count: nobody waits for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tradewright.core.clock import monotonic_seconds
from tradewright.migrate.model import Migration, PlannedFile, Target
from tradewright.migrate.rules import files_applied
from tradewright.migrate.service import history_of, plan, run_planned
from tradewright.migrate.shadow import shadow_copy
from tradewright.migrate.statements import Kind, Statement
from tradewright.migrate.store import Store
from tradewright.migrate.versions import Version
from tradewright.postgres.connect import Session, connect

REWRITE_BYTES_PER_SECOND = 50_000_000
SCAN_BYTES_PER_SECOND = 500_000_000
"""Rough rates of one ordinary server: an estimate tells a second from an hour, no more."""

BLOCKS: Mapping[str, str] = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
    "ShareUpdateExclusiveLock": "other schema changes",
}
"""Lock mode → what it keeps others from doing; weaker modes keep nobody from anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockTaken:
    """A lock on a relation that was there before."""

    relation: str
    mode: str

    @property
    def blocks(self) -> str:
        """What others cannot do meanwhile."""
        return BLOCKS[self.mode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one statement did to relations that were there before."""

    statement: Statement
    locks: tuple[LockTaken, ...]
    rewritten: tuple[str, ...]
    scanned: tuple[str, ...]
    shadow_ms: int
    estimated_ms: int

    @property
    def is_noticed(self) -> bool:
        """Whether sessions that use the database meanwhile could be held up by it."""
        return bool(self.locks or self.rewritten or self.scanned)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedFile:
    """One file that ran on the shadow."""

    migration: Migration
    transactional: bool
    observations: tuple[Observation, ...]

    @property
    def estimated_ms(self) -> int:
        """How long the file may take; where it is transactional, its locks are held so long."""
        return sum(each.estimated_ms for each in self.observations)


def rehearse(
    target: Target,
    migrations: Sequence[Migration],
    *,
    to: Version | None = None,
    out_of_order: bool = False,
) -> list[RehearsedFile]:
    """Apply what is pending to a shadow copy of the target and report each statement.

    Nothing of the target is changed. Fails as `up` would fail, with file and line.

    Raises:
        MigrationError: as `service.up`.
        DatabaseError: DATABASE_SHADOW_FAILED.
        StateError: EMBEDDED_NOT_INSTALLED.

    """
    planned = plan(target, migrations, to=to, out_of_order=out_of_order)
    if not planned:
        return []
    sizes = _sizes(target)
    applied = files_applied(migrations, history_of(target))
    with shadow_copy(target, applied) as shadow:
        observer = _Observer(Store(target.schema), sizes)
        run_planned(shadow, planned, observer.watch)
    return [_rehearsed(file, observer.seen) for file in planned]


def _rehearsed(file: PlannedFile, seen: Mapping[int, Observation]) -> RehearsedFile:
    return RehearsedFile(
        migration=file.migration,
        transactional=file.transactional,
        observations=tuple(
            seen[id(statement)] for statement in file.statements if id(statement) in seen
        ),
    )


def _sizes(target: Target) -> dict[str, int]:
    with connect(target.conninfo, schema=target.schema, autocommit=True) as session:
        return Store(target.schema).relation_sizes(session)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Relations:
    """The relations as they stand at one moment, by object id."""

    names: Mapping[int, str]
    stored_in: Mapping[int, int]
    scans: Mapping[int, int]


class _Observer:
    """Compares the relations before and after each statement."""

    def __init__(self, store: Store, sizes: Mapping[str, int]) -> None:
        self._store = store
        self._sizes = sizes
        self._old: Mapping[int, str] | None = None
        self.seen: dict[int, Observation] = {}

    @contextmanager
    def watch(self, session: Session, statement: Statement) -> Iterator[None]:
        """Surround one statement; the runner calls this."""
        before = self._relations(session)
        if self._old is None:
            self._old = before.names
        held = set(self._store.locks_held(session))
        started = monotonic_seconds()
        yield
        elapsed_ms = round((monotonic_seconds() - started) * 1000)
        after = self._relations(session)
        rewritten = self._changed(before.stored_in, after.stored_in)
        scanned = self._changed(before.scans, after.scans)
        self.seen[id(statement)] = Observation(
            statement=statement,
            locks=self._locks(session, statement, held),
            rewritten=rewritten,
            scanned=scanned,
            shadow_ms=elapsed_ms,
            estimated_ms=elapsed_ms + self._estimate_ms(rewritten, scanned),
        )

    def _relations(self, session: Session) -> _Relations:
        rows = self._store.relations(session)
        return _Relations(
            names={oid: name for oid, name, _, _ in rows},
            stored_in={oid: node for oid, _, node, _ in rows},
            scans={oid: scans for oid, _, _, scans in rows},
        )

    def _changed(self, before: Mapping[int, int], after: Mapping[int, int]) -> tuple[str, ...]:
        old = self._old or {}
        names = {old[oid] for oid in old if oid in after and before.get(oid) != after[oid]}
        return tuple(sorted(names))

    def _locks(
        self,
        session: Session,
        statement: Statement,
        held_before: set[tuple[int, str]],
    ) -> tuple[LockTaken, ...]:
        """Return the locks that came; what ran on its own has let its locks go again."""
        old = self._old or {}
        if not statement.transactional:
            return self._released_locks(session, statement)
        held = set(self._store.locks_held(session)) - held_before
        locks = {(old[oid], mode) for oid, mode in held if oid in old and mode in BLOCKS}
        return tuple(LockTaken(relation=name, mode=mode) for name, mode in sorted(locks))

    def _released_locks(self, session: Session, statement: Statement) -> tuple[LockTaken, ...]:
        """Return what the manual says of the statements that no transaction can hold."""
        if not statement.waits_for_everyone or not statement.subject:
            return ()
        subject = statement.subject[:1] if statement.kind is Kind.INDEX_BUILD else statement.subject
        names = [self._store.relation_name(session, name) or name for name in subject]
        known = set((self._old or {}).values())
        return tuple(
            LockTaken(relation=name, mode="ShareUpdateExclusiveLock")
            for name in names
            if name in known
        )

    def _estimate_ms(self, rewritten: Sequence[str], scanned: Sequence[str]) -> int:
        written = sum(self._sizes.get(name, 0) for name in rewritten)
        read = sum(self._sizes.get(name, 0) for name in scanned if name not in rewritten)
        seconds = written / REWRITE_BYTES_PER_SECOND + read / SCAN_BYTES_PER_SECOND
        return round(seconds * 1000)
