"""The filled schema is backed up and restored, and both databases are compared.

pg_dump and pg_restore of the server's own version do it; compared are every definition, the rows
of each table by number and digest, and where each sequence stands. Parentheses are left out of the
comparison: a definition that was parsed twice may come back with fewer of them.
"""

import tempfile
from pathlib import Path
from types import MappingProxyType

from tradewright.migrate.catalog import Catalog
from tradewright.migrate.shadow import run_client
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.prove.seeds import changed, digests, seed
from tradewright.review.prove.shadow import Shadow
from tradewright.review.prove.snapshot import take_snapshot, told_differences
from tradewright.review.verify.ask import ask
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    if not ground.prover.schema_objects:
        return Outcome.not_applicable("the schema is empty")
    with ground.shadow.neighbour(copy=True) as real, ground.shadow.neighbour(copy=False) as copy:
        with real.session() as session:
            seed(session)
        size = _dump_and_restore(real, copy)
        return _compared(real, copy, size)


def _dump_and_restore(real: Shadow, copy: Shadow) -> int:
    """Return the size of the backup in bytes."""
    programs = EmbeddedServer.programs()
    with tempfile.TemporaryDirectory() as folder:
        archive = str(Path(folder) / "backup.dump")
        dump = [str(programs / "pg_dump"), "--format=custom", f"--file={archive}"]
        run_client(dump, real.conninfo())
        restore = [str(programs / "pg_restore"), "--exit-on-error"]
        run_client([*restore, archive], copy.conninfo())
        return Path(archive).stat().st_size


def _compared(real: Shadow, copy: Shadow, size: int) -> Outcome:
    with real.session() as first, copy.session() as second:
        before, after = take_snapshot(first).catalog(), take_snapshot(second).catalog()
        rows, restored = digests(first), digests(second)
    problems = list(told_differences(_without_parentheses(before), _without_parentheses(after)))
    problems += changed(rows, restored)
    sequences = {row[0]: row[1:] for row in ask(real, "sequences")}
    if sequences != {row[0]: row[1:] for row in ask(copy, "sequences")}:
        problems.append("sequences stand elsewhere after the restore")
    count = sum(digest.rows for digest in rows.values())
    figures = (
        f"{len(before.objects)} definitions, {count} rows in {len(rows)} tables and "
        f"{len(sequences)} sequences are the same after pg_dump and pg_restore"
    )
    facts = {"bytes": size, "rows": count, "tables": len(rows), "sequences": len(sequences)}
    return Outcome.of(figures, problems, facts)


def _without_parentheses(catalog: Catalog) -> Catalog:
    none = str.maketrans("", "", "()")
    plain = {
        key: tuple(line.translate(none) for line in lines) for key, lines in catalog.objects.items()
    }
    return Catalog(MappingProxyType(plain))


CHECK = Check(
    number=10,
    id="backup",
    title="Backup, restore and compare",
    run=_run,
    is_part_of_review=False,
)
