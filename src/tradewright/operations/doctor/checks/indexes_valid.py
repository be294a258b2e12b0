"""Every index is valid and kept, and every foreign key has one."""

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)


def _run(ground: Ground) -> Finding:
    invalid = [row[0] for row in ground.ask("invalid_indexes")]
    if invalid:
        return failure(
            f"not valid: {named(invalid)}",
            why="Building it concurrently was cut off: it costs each write, and a unique one "
            "promises nothing.",
            hint="Mend it with tradewright migrate repair, or REINDEX INDEX CONCURRENTLY.",
        )
    bare = [row[0] for row in ground.ask("keys_without_index")]
    if bare:
        return warning(
            f"foreign keys without an index: {named(bare)}",
            why="Each change of the row that is referred to reads the whole table.",
            hint="Build the index that the migrations make: tradewright migrate drift names it.",
        )
    return ok("all indexes are valid, and each foreign key has one")


CHECK = Check(name="indexes_valid", title="Indexes are valid", run=_run)
